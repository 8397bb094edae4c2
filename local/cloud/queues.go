package cloud

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"trade-processing/local/queue"
)

// queueKinds are SQS queues and what is attached to them.
var queueKinds = map[string]kind{
	"aws:sqs/queue:Queue": living[queueInputs]{
		requires: "name", replaces: "name fifoQueue", computes: "arn url",
		identify: func(_ *Cloud, r *Resource, in queueInputs) error {
			r.ID = fmt.Sprintf("https://sqs.%s.amazonaws.com/%s/%s", r.Region, Account, in.Name)
			r.set("url", r.ID).set("arn", r.arn("sqs", "%s", in.Name))
			return nil
		},
		start:  startQueue,
		update: updateQueue,
		stop:   stopQueue,
	}.kind(),
	"aws:sqs/queuePolicy:QueuePolicy": living[queuePolicyInputs]{
		requires: "queueUrl policy", replaces: "queueUrl",
		validate: func(in queuePolicyInputs) error { return wellFormed("policy", in.Policy) },
		identify: attachedToQueue[queuePolicyInputs],
	}.kind(),
	"aws:sqs/redrivePolicy:RedrivePolicy": living[redrivePolicyInputs]{
		requires: "queueUrl redrivePolicy", replaces: "queueUrl",
		validate: func(in redrivePolicyInputs) error { return wellFormed("redrivePolicy", in.RedrivePolicy) },
		identify: attachedToQueue[redrivePolicyInputs],
		start:    startRedrive,
		stop: func(c *Cloud, r *Resource) error {
			from, err := c.queueByURL(r.ID)
			if err != nil {
				return nil //nolint:nilerr // the queue went first, and its policy with it
			}
			return from.SetRedrive(nil)
		},
	}.kind(),
	"aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": living[redriveAllowPolicyInputs]{
		requires: "queueUrl redriveAllowPolicy", replaces: "queueUrl",
		validate: func(in redriveAllowPolicyInputs) error {
			return wellFormed("redriveAllowPolicy", in.RedriveAllowPolicy)
		},
		identify: attachedToQueue[redriveAllowPolicyInputs],
		start:    startRedriveAllow,
		stop: func(c *Cloud, r *Resource) error {
			on, err := c.queueByURL(r.ID)
			if err != nil {
				return nil //nolint:nilerr // the queue went first, and its policy with it
			}
			return on.SetRedriveAllow(queue.RedriveAllow{Permission: "allowAll"})
		},
	}.kind(),
}

type queueInputs struct {
	Name                      string            `property:"name"`
	DelaySeconds              *int              `property:"delaySeconds"`
	FifoQueue                 bool              `property:"fifoQueue"`
	MaxMessageSize            *int              `property:"maxMessageSize"`
	MessageRetentionSeconds   *int              `property:"messageRetentionSeconds"`
	ReceiveWaitTimeSeconds    *int              `property:"receiveWaitTimeSeconds"`
	VisibilityTimeoutSeconds  *int              `property:"visibilityTimeoutSeconds"`
	KMSMasterKeyID            string            `property:"kmsMasterKeyId"`               // on record
	KMSDataKeyReusePeriodSecs *int              `property:"kmsDataKeyReusePeriodSeconds"` // on record
	Tags                      map[string]string `property:"tags"`                         // on record
}

type queuePolicyInputs struct {
	QueueURL string `property:"queueUrl"`
	Policy   string `property:"policy"`
}

type redrivePolicyInputs struct {
	QueueURL      string `property:"queueUrl"`
	RedrivePolicy string `property:"redrivePolicy"`
}

type redriveAllowPolicyInputs struct {
	QueueURL           string `property:"queueUrl"`
	RedriveAllowPolicy string `property:"redriveAllowPolicy"`
}

// attachedToQueue identifies what belongs to one queue by the queue's URL.
func attachedToQueue[T any](_ *Cloud, r *Resource, _ T) error {
	if r.ID = r.Inputs.text("queueUrl"); r.ID == "" {
		return fmt.Errorf("queueUrl is empty")
	}
	return nil
}

func wellFormed(property, document string) error {
	if document != "" && !json.Valid([]byte(document)) {
		return fmt.Errorf("%s is not JSON", property)
	}
	return nil
}

// afterLast is the part of an ARN or a URL behind the last separator.
func afterLast(text, separator string) string {
	return text[strings.LastIndex(text, separator)+1:]
}

func (in queueInputs) definition(r *Resource) (queue.Definition, error) {
	def := queue.Default(in.Name)
	def.URL, def.ARN = r.ID, r.Outputs.text("arn")
	if in.FifoQueue {
		return def, fmt.Errorf("fifoQueue is not known here; only standard queues are")
	}
	if in.ReceiveWaitTimeSeconds != nil && *in.ReceiveWaitTimeSeconds != 0 {
		return def, fmt.Errorf("receiveWaitTimeSeconds is not known here; receivers do not wait")
	}
	if in.DelaySeconds != nil {
		def.Delay = seconds(*in.DelaySeconds)
	}
	if in.VisibilityTimeoutSeconds != nil {
		def.Visibility = seconds(*in.VisibilityTimeoutSeconds)
	}
	if in.MessageRetentionSeconds != nil {
		def.Retention = seconds(*in.MessageRetentionSeconds)
	}
	if in.MaxMessageSize != nil {
		def.MaxMessageSize = *in.MaxMessageSize
	}
	return def, nil
}

func startQueue(c *Cloud, r *Resource, in queueInputs) error {
	def, err := in.definition(r)
	if err != nil {
		return err
	}
	made, err := queue.New(def, queue.Options{
		Clock: c.clock, Faults: c.faults, Metrics: c.in(r.Region).metrics, Random: bytesOf(c.random),
	})
	if err != nil {
		return err
	}
	c.live.queues.put(def.ARN, made)
	return nil
}

func updateQueue(c *Cloud, r *Resource, in queueInputs) error {
	living, err := c.live.queues.get(r.Outputs.text("arn"))
	if err != nil {
		return err
	}
	def, err := in.definition(r)
	if err != nil {
		return err
	}
	return living.Update(def)
}

func stopQueue(c *Cloud, r *Resource) error {
	living, err := c.live.queues.get(r.Outputs.text("arn"))
	if err != nil {
		return err
	}
	living.Delete()
	c.live.queues.drop(r.Outputs.text("arn"))
	return nil
}

func startRedrive(c *Cloud, r *Resource, in redrivePolicyInputs) error {
	var policy struct {
		DeadLetterTargetARN string `json:"deadLetterTargetArn"`
		// AWS takes the number as a number and as a text.
		MaxReceiveCount json.RawMessage `json:"maxReceiveCount"`
	}
	if err := json.Unmarshal([]byte(in.RedrivePolicy), &policy); err != nil {
		return fmt.Errorf("redrivePolicy: %w", err)
	}
	receives, err := strconv.Atoi(strings.Trim(string(policy.MaxReceiveCount), `"`))
	if err != nil {
		return fmt.Errorf("redrivePolicy: maxReceiveCount %s is no number", policy.MaxReceiveCount)
	}
	from, err := c.queueByURL(in.QueueURL)
	if err != nil {
		return err
	}
	to, err := c.live.queues.get(policy.DeadLetterTargetARN)
	if err != nil {
		return err
	}
	return from.SetRedrive(&queue.Redrive{DeadLetter: to, MaxReceives: receives})
}

func startRedriveAllow(c *Cloud, r *Resource, in redriveAllowPolicyInputs) error {
	var policy struct {
		Permission string   `json:"redrivePermission"`
		Sources    []string `json:"sourceQueueArns"`
	}
	if err := json.Unmarshal([]byte(in.RedriveAllowPolicy), &policy); err != nil {
		return fmt.Errorf("redriveAllowPolicy: %w", err)
	}
	on, err := c.queueByURL(in.QueueURL)
	if err != nil {
		return err
	}
	return on.SetRedriveAllow(queue.RedriveAllow{Permission: policy.Permission, Sources: policy.Sources})
}

// queueByURL finds a queue by its URL, https://sqs.REGION.amazonaws.com/ACCOUNT/NAME.
func (c *Cloud) queueByURL(url string) (*queue.Queue, error) {
	rest, _ := strings.CutPrefix(url, "https://sqs.")
	region, _, _ := strings.Cut(rest, ".")
	found, err := c.live.queues.get("arn:aws:sqs:" + region + ":" + Account + ":" + afterLast(url, "/"))
	if err != nil {
		return nil, fmt.Errorf("queue %s does not exist", url)
	}
	return found, nil
}

// Queue finds a queue of a region by name.
func (c *Cloud) Queue(region, name string) (*queue.Queue, error) {
	return c.live.queues.get("arn:aws:sqs:" + region + ":" + Account + ":" + name)
}

// QueueDepths counts the messages of every queue of a region, by name.
func (c *Cloud) QueueDepths(region string) map[string]int64 {
	depths := map[string]int64{}
	for arn, living := range c.live.queues.all() {
		if strings.HasPrefix(arn, "arn:aws:sqs:"+region+":") {
			depths[living.Definition().Name] = int64(living.State().Depth())
		}
	}
	return depths
}
