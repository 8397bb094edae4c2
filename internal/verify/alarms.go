package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// ringing returns the stack's alarms that are in ALARM. A stack without any alarms is a problem.
func (v *verification) ringing(ctx context.Context, result *Result) (map[string]bool, error) {
	found, inAlarm := 0, map[string]bool{}
	pages := cloudwatch.NewDescribeAlarmsPaginator(v.clients.alarms, &cloudwatch.DescribeAlarmsInput{
		AlarmNamePrefix: aws.String(v.Outputs.Prefix()),
		AlarmTypes:      []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm},
	})
	note := func(name *string, state types.StateValue) {
		found++
		if state == types.StateValueAlarm {
			inAlarm[aws.ToString(name)] = true
		}
	}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("looking at the alarms %s*: %w", v.Outputs.Prefix(), err)
		}
		for _, alarm := range page.MetricAlarms {
			note(alarm.AlarmName, alarm.StateValue)
		}
		for _, alarm := range page.CompositeAlarms {
			note(alarm.AlarmName, alarm.StateValue)
		}
	}
	if found == 0 {
		result.problem("no alarm's name begins with %s: nobody would hear of a lost trade", v.Outputs.Prefix())
	}
	return inAlarm, nil
}

// watchAlarms checks that no alarm goes off, except those already in ALARM before the first trade, and the one about
// calendars that end soon, which time alone sets off. It runs before the malformed trade, which must set alarms off.
func (v *verification) watchAlarms(ctx context.Context, result *Result) error {
	until, outcome := v.trades[0].at.Add(v.Watch), "none went off"
	for {
		now, err := v.ringing(ctx, result)
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(now)) {
			switch {
			case v.alarms[name]:
			case name == v.Outputs.Prefix()+"calendar-ends":
				outcome = name + " went off: see docs/runbook.md#a-calendar-ends-soon; no other did"
			default:
				result.problem("%s went off: see the runbook's table of alarms for what it means and what to do", name)
			}
		}
		if result.Outcome == Failed {
			return nil
		}
		left := time.Until(until)
		if left <= 0 {
			break
		}
		if err := pause(ctx, min(left, max(v.Poll, watchPause))); err != nil {
			return err
		}
	}
	if still := slices.Sorted(maps.Keys(v.alarms)); len(still) > 0 {
		outcome += "; already in ALARM: " + list(still)
	}
	result.found("%s", outcome)
	return nil
}

// watchPause is the minimum time between two looks at the alarms: CloudWatch doesn't evaluate them more often, and the
// API allows few calls a second.
const watchPause = 5 * time.Second
