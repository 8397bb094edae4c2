package operate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go/logging"
	"github.com/gofrs/flock"

	"trade-processing/internal/child"
	"trade-processing/internal/files"
	"trade-processing/internal/stackconfig"
)

// Where says which deployed stack is meant: exactly one of Stack, File and Local.
type Where struct {
	Stack   string // its outputs come from pulumi
	File    string // with the stack's outputs, as `pulumi stack output --json` prints them; - is standard input
	Local   bool   // the stack that `tradectl local up` serves
	Project string // the project's folder, or one inside it; empty: this one
}

// Stack is a deployed stack.
type Stack struct {
	Outputs Outputs
	// Config has credentials, endpoint and the stack's region. Clients for replicas need a copy with another region.
	Config aws.Config

	clients
}

// clients are made when somebody needs them, and kept: to make one takes as long as a short answer.
type clients struct {
	cloudwatch     kept[cloudwatch.Client]
	dynamodb       kept[dynamodb.Client]
	eventbridge    kept[eventbridge.Client]
	lambda         kept[lambda.Client]
	cloudwatchlogs kept[cloudwatchlogs.Client]
	sfn            kept[sfn.Client]
	sqs            kept[sqs.Client]
	ssm            kept[ssm.Client]
}

type kept[Client any] struct {
	once   sync.Once
	client *Client
}

// CloudWatch returns the client of CloudWatch in the stack's region. The others likewise return theirs.
func (s *Stack) CloudWatch() *cloudwatch.Client {
	return keep(s, &s.cloudwatch, cloudwatch.NewFromConfig)
}
func (s *Stack) DynamoDB() *dynamodb.Client { return keep(s, &s.dynamodb, dynamodb.NewFromConfig) }
func (s *Stack) EventBridge() *eventbridge.Client {
	return keep(s, &s.eventbridge, eventbridge.NewFromConfig)
}
func (s *Stack) Lambda() *lambda.Client { return keep(s, &s.lambda, lambda.NewFromConfig) }
func (s *Stack) CloudWatchLogs() *cloudwatchlogs.Client {
	return keep(s, &s.cloudwatchlogs, cloudwatchlogs.NewFromConfig)
}
func (s *Stack) SFN() *sfn.Client { return keep(s, &s.sfn, sfn.NewFromConfig) }
func (s *Stack) SQS() *sqs.Client { return keep(s, &s.sqs, sqs.NewFromConfig) }
func (s *Stack) SSM() *ssm.Client { return keep(s, &s.ssm, ssm.NewFromConfig) }

func keep[Client, Options any](s *Stack, k *kept[Client], make func(aws.Config, ...func(*Options)) *Client) *Client {
	k.once.Do(func() { k.client = make(s.Config) })
	return k.client
}

// Open finds a deployed stack. Every error is one of usage or configuration: nothing has been called yet.
func Open(ctx context.Context, in io.Reader, where Where) (*Stack, error) {
	if where.Local {
		return openLocal(where.Project)
	}
	text, err := readOutputs(ctx, in, where)
	if err != nil {
		return nil, err
	}
	outputs, err := ReadOutputs(text)
	if err != nil {
		return nil, err
	}
	config, err := config.LoadDefaultConfig(ctx, config.WithRegion(outputs.Region), config.WithHTTPClient(newClient()), config.WithLogger(silent))
	if err != nil {
		return nil, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	return &Stack{Outputs: outputs, Config: config}, nil
}

// answerWithin is how long a call may wait for its answer to begin. The SDK has no limit of its own, and so would wait
// forever for who takes a connection and never answers. It calls three times.
const answerWithin = 20 * time.Second

// silent keeps the SDK from writing to standard error itself, where a progress may be drawn.
var silent = logging.Nop{}

func newClient() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.ResponseHeaderTimeout = answerWithin })
}

const mostOutputs = 16 << 20 // bytes, of far more than any stack has

// readOutputs reads the stack's outputs from where it is said that they are.
func readOutputs(ctx context.Context, in io.Reader, where Where) ([]byte, error) {
	switch {
	case where.File == "-":
		text, err := files.Read(in, mostOutputs)
		if err != nil {
			return nil, fmt.Errorf("reading the stack's outputs from standard input: %w", err)
		}
		return text, nil
	case where.File != "":
		file, err := os.Open(where.File)
		if err != nil {
			return nil, fmt.Errorf("reading the stack's outputs: %w", err)
		}
		defer file.Close() //nolint:errcheck // only read
		text, err := files.Read(file, mostOutputs)
		if err != nil {
			return nil, fmt.Errorf("reading the stack's outputs from %s: %w", where.File, files.Reason(err))
		}
		return text, nil
	}
	return askPulumi(ctx, where)
}

// askPulumi has the user's CLI print the outputs of a stack.
func askPulumi(ctx context.Context, where Where) ([]byte, error) {
	root, err := stackconfig.FindProject(where.Project)
	if err != nil {
		return nil, err
	}
	ask := child.Command(ctx, "pulumi", "stack", "output", "--json", "--stack", where.Stack, "--non-interactive")
	ask.Dir = root
	var problems bytes.Buffer
	ask.Stderr = &problems
	text, err := ask.Output()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("there is no pulumi on PATH: install it, or pass the outputs with --outputs")
	case err != nil:
		return nil, fmt.Errorf("getting the outputs of stack %s from pulumi: %w\n%s", where.Stack, err, strings.TrimSpace(problems.String()))
	}
	return text, nil
}

// Local says where `tradectl local up` serves a stack.
type Local struct {
	Endpoint string `json:"endpoint"` // such as http://127.0.0.1:4577
	PID      int    `json:"pid"`
	// Outputs are the stack's, as `pulumi stack output --json` prints them.
	Outputs json.RawMessage `json:"outputs"`
}

// LocalFolder returns where a project's local cloud keeps what outlives its process.
func LocalFolder(root string) string { return stackconfig.KeptAt(root, "local") }

// LocalLock returns the lock that a local cloud has while it runs, which ends with its process, however that ends.
func LocalLock(root string) *flock.Flock { return flock.New(filepath.Join(LocalFolder(root), "lock")) }

// localRuns reports whether somebody has that lock. After a kill, the file is still there, and another project's cloud
// may serve at its endpoint.
func localRuns(root string) bool {
	lock := LocalLock(root)
	free, err := lock.TryRLock()
	_ = lock.Close()
	return err != nil || !free
}

// LocalFile returns the file by which `tradectl local up` tells other commands where it serves.
func LocalFile(root string) string { return filepath.Join(LocalFolder(root), "serving.json") }

// ReadLocal reads that file. The error is os.ErrNotExist if nothing is served.
func ReadLocal(root string) (Local, error) {
	var local Local
	text, err := os.ReadFile(LocalFile(root))
	if err != nil {
		return local, err
	}
	err = json.Unmarshal(text, &local)
	if err == nil && local.PID < 1 { // to which a signal would reach more than one process
		err = fmt.Errorf("%d is not a process", local.PID)
	}
	if err != nil {
		return local, fmt.Errorf("reading %s: %w; end the local cloud and start it again", LocalFile(root), err)
	}
	return local, nil
}

// SaveLocal writes that file, in one go.
func SaveLocal(root string, local Local) error {
	text, err := json.Marshal(local)
	if err != nil {
		return err
	}
	file := LocalFile(root)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("creating the folder of the local cloud: %w", err)
	}
	if err := os.WriteFile(file+".new", text, 0o600); err != nil {
		return fmt.Errorf("saying where the local cloud serves: %w", err)
	}
	return os.Rename(file+".new", file)
}

// openLocal never looks at the user's own AWS configuration, so what is meant for the local cloud can't reach AWS.
func openLocal(project string) (*Stack, error) {
	root, err := stackconfig.FindProject(project)
	if err != nil {
		return nil, err
	}
	local, err := ReadLocal(root)
	if errors.Is(err, os.ErrNotExist) || err == nil && !localRuns(root) {
		return nil, errors.New("no local cloud is up; start one with `tradectl local up`")
	}
	if err != nil {
		return nil, err
	}
	outputs, err := ReadOutputs(local.Outputs)
	if err != nil {
		return nil, err
	}
	return &Stack{Outputs: outputs, Config: aws.Config{
		Region: outputs.Region, BaseEndpoint: &local.Endpoint, HTTPClient: localClient{newClient()}, Logger: silent,
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	}}, nil
}
