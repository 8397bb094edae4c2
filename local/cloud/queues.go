package cloud

import (
	"fmt"
	"strings"

	"trade-processing/local/queue"
)

// queueKinds are SQS queues. What is attached to them is on record.
var queueKinds = map[string]kind{
	QueueType: {
		uses: "name messageRetentionSeconds visibilityTimeoutSeconds", records: "kmsMasterKeyId kmsDataKeyReusePeriodSeconds tags",
		requires: "name", replaces: "name", computes: "arn url",
		identify: then(named("sqs", ""), func(_ *Cloud, r *Resource) {
			r.ID = fmt.Sprintf("https://sqs.%s.amazonaws.com/%s/%s", r.Region, Account, r.ID)
			r.set("url", r.ID)
		}),
		start: with(func(c *Cloud, r *Resource, in queueInputs) error {
			made, err := queue.New(in.definition(r), queue.Options{
				Clock: c.clock, Faults: c.faults, Metrics: c.in(r.Region).metrics, Random: bytesOf(c.random), Disk: c.disk, Spill: c.spill, Most: c.memory / lettersShare,
			})
			if err == nil {
				c.live.queues.put(r.itsARN(), made)
			}
			return err
		}),
		update: with(func(c *Cloud, r *Resource, in queueInputs) error {
			living, err := c.live.queues.get(r.itsARN())
			if err != nil {
				return err
			}
			return living.Update(in.definition(r))
		}),
		stop: func(c *Cloud, r *Resource) error {
			living, err := c.live.queues.get(r.itsARN())
			if err != nil {
				return err
			}
			living.Delete()
			c.live.queues.drop(r.itsARN())
			return nil
		},
	},
}

// lettersShare is how many items fit where one message does, which may have 256 KB and usually is a few times as large.
const lettersShare = 100

type queueInputs struct {
	MessageRetentionSeconds  *int `property:"messageRetentionSeconds"`
	VisibilityTimeoutSeconds *int `property:"visibilityTimeoutSeconds"`
}

func (in queueInputs) definition(r *Resource) queue.Definition {
	def := queue.Default(r.Inputs.text("name"))
	def.URL, def.ARN = r.ID, r.itsARN()
	if in.VisibilityTimeoutSeconds != nil {
		def.Visibility = seconds(*in.VisibilityTimeoutSeconds)
	}
	if in.MessageRetentionSeconds != nil {
		def.Retention = seconds(*in.MessageRetentionSeconds)
	}
	return def
}

// queueByURL finds a queue by its URL, https://sqs.REGION.amazonaws.com/ACCOUNT/NAME.
func (c *Cloud) queueByURL(url string) (*queue.Queue, error) {
	rest, _ := strings.CutPrefix(url, "https://sqs.")
	region, _, _ := strings.Cut(rest, ".")
	found, err := c.Queue(region, afterLast(url, "/"))
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
