package endpoint

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
)

// archiveOf counts an archive's events and bytes as they are; on AWS, that may take a day.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Archive.html
func (e *Endpoint) archiveOf(r *cloud.Resource) object {
	events, size := e.cloud.Archived(text(r.Outputs, "arn"))
	return object{
		"ArchiveName": r.Inputs["name"], "EventSourceArn": r.Inputs["eventSourceArn"], "State": "ENABLED",
		"RetentionDays": r.Inputs["retentionDays"], "EventCount": events, "SizeBytes": size, "CreationTime": moment(r.Created),
	}
}

func (e *Endpoint) describeArchive(_ context.Context, region string, in struct{ ArchiveName string }) (any, error) {
	found, there := e.cloud.Read(cloud.ArchiveType, region, in.ArchiveName)
	if !there {
		return nil, awsapi.Error("ResourceNotFoundException", "Archive %s does not exist.", in.ArchiveName)
	}
	told := e.archiveOf(found)
	told["ArchiveArn"], told["Description"], told["EventPattern"] = found.Outputs["arn"], found.Inputs["description"], found.Inputs["eventPattern"]
	return told, nil
}

func (e *Endpoint) listArchives(_ context.Context, region string, in struct {
	NamePrefix, EventSourceArn, State string
	Limit                             int
	NextToken                         string
}) (any, error) {
	listed := []any{}
	for _, r := range e.declared(cloud.ArchiveType, region) {
		if strings.HasPrefix(r.ID, in.NamePrefix) && (in.EventSourceArn == "" || in.EventSourceArn == text(r.Inputs, "eventSourceArn")) {
			listed = append(listed, e.archiveOf(r))
		}
	}
	return paged("Archives", listed, "NextToken", ""), nil
}

// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_StartReplay.html
var replayName = regexp.MustCompile(`^[.\-_A-Za-z0-9]{1,64}$`)

// startReplay answers before the first event is sent.
func (e *Endpoint) startReplay(_ context.Context, region string, in struct {
	ReplayName, Description, EventSourceArn string
	EventStartTime, EventEndTime            moment
	Destination                             struct {
		Arn        string
		FilterArns []string
	}
}) (any, error) {
	if !replayName.MatchString(in.ReplayName) {
		return nil, awsapi.Validation("1 validation error detected: Value '%s' at 'replayName' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: %s", in.ReplayName, replayName)
	}
	started, err := e.cloud.StartReplay(cloud.Replay{
		Region: region, Name: in.ReplayName, Description: in.Description, Archive: in.EventSourceArn, Bus: in.Destination.Arn,
		Rules: in.Destination.FilterArns, From: time.Time(in.EventStartTime), To: time.Time(in.EventEndTime),
	}, e.redeliver)
	if err != nil {
		return nil, err
	}
	return object{"ReplayArn": replayARN(started), "State": started.State, "ReplayStartTime": moment(started.Began)}, nil
}

// redeliver delivers an event that a replay sends again.
func (e *Endpoint) redeliver(ctx context.Context, event *cloud.Accepted) error {
	return e.deliver(ctx, event, "")
}

func replayARN(r cloud.Replay) string {
	return "arn:aws:events:" + r.Region + ":" + cloud.Account + ":replay/" + r.Name
}

// replayOf is what a list says of a replay.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Replay.html
func replayOf(r cloud.Replay) object {
	told := object{
		"ReplayName": r.Name, "EventSourceArn": r.Archive, "State": r.State, "EventStartTime": moment(r.From), "EventEndTime": moment(r.To),
		"ReplayStartTime": moment(r.Began),
	}
	for member, at := range map[string]time.Time{"ReplayEndTime": r.Ended, "EventLastReplayedTime": r.Last} {
		if !at.IsZero() {
			told[member] = moment(at)
		}
	}
	return told
}

func (e *Endpoint) describeReplay(_ context.Context, region string, in struct{ ReplayName string }) (any, error) {
	for _, r := range e.cloud.Replays(region) {
		if r.Name == in.ReplayName {
			told := replayOf(r)
			destination := object{"Arn": r.Bus}
			if len(r.Rules) > 0 {
				destination["FilterArns"] = r.Rules
			}
			told["ReplayArn"], told["Description"], told["Destination"] = replayARN(r), r.Description, destination
			return told, nil
		}
	}
	return nil, awsapi.Error("ResourceNotFoundException", "Replay %s does not exist.", in.ReplayName)
}

func (e *Endpoint) listReplays(_ context.Context, region string, in struct {
	NamePrefix, State, EventSourceArn string
	Limit                             int
	NextToken                         string
}) (any, error) {
	all := slices.DeleteFunc(e.cloud.Replays(region), func(r cloud.Replay) bool {
		return !strings.HasPrefix(r.Name, in.NamePrefix) || in.State != "" && in.State != r.State || in.EventSourceArn != "" && in.EventSourceArn != r.Archive
	})
	found, next, err := page(all, func(r cloud.Replay) string { return r.Name }, in.NextToken, in.Limit, 100, 100)
	if err != nil {
		return nil, err
	}
	var listed []any
	for _, r := range found {
		listed = append(listed, replayOf(r))
	}
	return paged("Replays", listed, "NextToken", next), nil
}

func (e *Endpoint) cancelReplay(_ context.Context, region string, in struct{ ReplayName string }) (any, error) {
	cancelled, err := e.cloud.CancelReplay(region, in.ReplayName)
	if err != nil {
		return nil, err
	}
	return object{"ReplayArn": replayARN(cancelled), "State": cancelled.State}, nil
}
