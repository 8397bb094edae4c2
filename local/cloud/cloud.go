// Package cloud is the embedded local cloud: it brings the resources that the Pulumi engine creates to life in one
// process. The rule's own pattern routes events, the state machine's own definition is executed, and the queue's own
// retention and the alarm's own threshold apply.
//
// It serves only this system's resources: an unknown resource type or property is refused by name, so a deployment that
// works here never relies on something that was silently left out.
package cloud

import (
	"encoding/binary"
	"encoding/hex"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"

	"trade-processing/local/access"
	"trade-processing/local/clock"
	"trade-processing/local/disk"
	"trade-processing/local/fault"
	"trade-processing/local/states"
)

// Account is the AWS account id in every ARN of the local cloud.
const Account = "000000000000"

// Options are what a Cloud needs from outside. The zero value is a cloud on the real clock with no images to run.
type Options struct {
	Clock clock.Clock // default: clock.Real()
	// Random provides numbers for ids and for the jitter of retries; it must be safe for concurrent use. Default:
	// math/rand/v2's own source.
	Random func() uint64
	// Faults may delay or fail calls to tables, queues, functions and parameters. Default: none.
	Faults fault.Hook
	// Images maps the FUNCTION build argument of a container image to the image's code.
	Images map[string]Image
	// Logs receives what the functions write, one JSON document per line. Metrics in embedded metric format are read from
	// it along the way. It must be safe for concurrent use. Default: io.Discard.
	Logs io.Writer
	// HTTP is the client of functions that call out. Default: http.DefaultClient.
	HTTP *http.Client
	// Observe, if not nil, is called for every state that an execution leaves.
	Observe func(states.Visit)
	// Doubles makes the numbers in an execution's input IEEE 754 doubles, which AWS says Step Functions does. Default: they
	// keep their spelling, which costs no decoding.
	// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-state-machine-data.html
	Doubles bool
	// Executions is how many of the last executions of STANDARD state machines are remembered, with their histories.
	// Default: none, which costs nothing.
	Executions int
	// Archive has a cloud in memory keep what its archives get, in memory as well: about the bytes of each event. A cloud in
	// a folder always keeps it there. Default: nothing is archived, which costs nothing.
	Archive bool
	// Memory is how many items each table of a cloud that has no folder keeps in memory: with more, they move to a
	// temporary folder, if one can be made, which Close removes. Default: all.
	Memory int
	// Fatal is called if the folder of a cloud can't be read or written; it must not return. Default: tell
	// standard error, and exit with 1.
	Fatal func(error)
}

// Cloud has everything that deployments created, in every region. It is safe for concurrent use.
type Cloud struct {
	clock   clock.Clock
	random  func() uint64
	faults  fault.Hook
	images  map[string]Image
	logs    io.Writer
	http    *http.Client
	observe func(states.Visit)
	doubles bool

	mu        sync.RWMutex
	resources map[key]*Resource
	created   int
	access    atomic.Pointer[access.Deployment] // nil once a resource has changed
	denials   denials

	executions executions
	durable
	archived *disk.Store // has what archives have; nil: nothing
	replays  replays
	notes    notes
	memory   int
	spill    func() (*disk.Store, error) // opens the temporary folder once
	spilt    atomic.Pointer[disk.Store]

	live     live
	regional registry[*region]
}

// New returns an empty cloud.
func New(options Options) *Cloud {
	c := &Cloud{
		clock: options.Clock, random: options.Random, faults: options.Faults, images: options.Images,
		logs: options.Logs, http: options.HTTP, observe: options.Observe, doubles: options.Doubles,
		resources: map[key]*Resource{}, executions: executions{keep: options.Executions},
	}
	if options.Archive {
		c.archived = disk.Memory()
	}
	if c.memory = options.Memory; c.memory > 0 {
		c.spill = sync.OnceValues(func() (*disk.Store, error) {
			on, err := disk.Temporary(options.Fatal)
			c.spilt.Store(on)
			return on, err
		})
	}
	if c.clock == nil {
		c.clock = clock.Real()
	}
	if c.random == nil {
		c.random = rand.Uint64
	}
	if c.logs == nil {
		c.logs = io.Discard
	}
	if c.http == nil {
		c.http = http.DefaultClient
	}
	return c
}

// hex makes up an identifier of n hexadecimal digits.
func (c *Cloud) hex(n int) string {
	b := make([]byte, 0, 48) // more than any has
	var number [8]byte
	for len(b) < n {
		binary.BigEndian.PutUint64(number[:], c.random())
		b = hex.AppendEncode(b, number[:])
	}
	return string(b[:n])
}

// chance returns a number in [0, 1).
func (c *Cloud) chance() float64 { return float64(c.random()>>11) / (1 << 53) }

// bytesOf reads random bytes from a source of numbers.
type bytesOf func() uint64

func (random bytesOf) Read(b []byte) (int, error) {
	var number [8]byte
	for at := 0; at < len(b); at += len(number) {
		binary.LittleEndian.PutUint64(number[:], random())
		copy(b[at:], number[:])
	}
	return len(b), nil
}

// uuid makes up a version 4 UUID (RFC 9562, section 5.4).
func (c *Cloud) uuid() string {
	var id uuid.UUID
	_, _ = bytesOf(c.random).Read(id[:]) // which never fails
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id.String()
}
