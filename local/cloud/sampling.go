package cloud

import (
	"strconv"
	"strings"
	"sync"
	"time"
)

// samplingKinds are the rules by which X-Ray takes traces, for those who start them here: state machines.
var samplingKinds = map[string]kind{
	"aws:xray/samplingRule:SamplingRule": {
		uses:     "fixedRate reservoirSize ruleName serviceName",
		records:  "host httpMethod priority resourceArn serviceType tags urlPath version",
		requires: "fixedRate host httpMethod priority reservoirSize resourceArn ruleName serviceName serviceType urlPath version",
		replaces: "ruleName", computes: "arn",
		identify: then(joined("", "ruleName"), func(_ *Cloud, r *Resource) { r.set("arn", r.arn("xray", "sampling-rule/%s", r.ID)) }),
		start: with(func(c *Cloud, r *Resource, in samplingInputs) error {
			c.live.samplings.put(r.Region+" "+in.ServiceName, &sampling{rate: in.FixedRate, reservoir: in.ReservoirSize})
			return nil
		}),
		stop: with(func(c *Cloud, r *Resource, in samplingInputs) error {
			c.live.samplings.drop(r.Region + " " + in.ServiceName)
			return nil
		}),
	},
}

type samplingInputs struct {
	FixedRate     float64 `property:"fixedRate"`
	ReservoirSize int     `property:"reservoirSize"`
	ServiceName   string  `property:"serviceName"`
}

// sampling takes so many traces of each second, and a share of the others.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html
type sampling struct {
	rate      float64
	reservoir int

	mu     sync.Mutex
	second int64
	taken  int
}

// takes reports whether a trace that begins now is recorded; chance is from [0, 1).
func (s *sampling) takes(now time.Time, chance float64) bool {
	if chance < s.rate {
		return true
	}
	if s.reservoir == 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if second := now.Unix(); second != s.second {
		s.second, s.taken = second, 0
	}
	s.taken++
	return s.taken <= s.reservoir
}

// decided returns a trace's header with the decision whether X-Ray records it. Whoever comes first decides: the sender of the
// event, or else the rule of the state machine's name, or else the account's default, one in each second and 5 %.
func (c *Cloud) decided(header, region, name string) string {
	if strings.Contains(header, "Sampled=") {
		return header
	}
	by, err := c.live.samplings.get(region + " " + name)
	if err != nil {
		by = c.live.samplings.ensure("", &sampling{rate: 0.05, reservoir: 1})
	}
	const digits = 8 // enough, and random
	end, _, _ := strings.Cut(header, ";")
	number, _ := strconv.ParseUint(end[max(0, len(end)-digits):], 16, 32)
	if by.takes(c.clock.Now(), float64(number)/(1<<32)) {
		return header + ";Sampled=1"
	}
	return header + ";Sampled=0"
}
