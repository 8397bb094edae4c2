package integration_test

import (
	"fmt"
	"slices"
	"strings"
)

// procedure is how a block of the runbook is run: with bash and the real AWS CLI, against stack dev on the local cloud
// behind a front, which answers what the endpoint doesn't serve.
type procedure struct {
	notHere string // why it isn't run

	before string            // what the reader has set by then
	fill   map[string]string // the page's examples, and what stands for them here
	calls  string            // of AWS, in their order
	says   string            // a pattern of what it prints
	ends   int               // its exit code if nothing fails

	// prepare brings the world into the state in which the block applies, before each run; check looks at it after the
	// last.
	prepare func(*operator)
	check   func(o *operator, said string)

	// The operations after whose failure it goes on, and why. It fails in the end, or ignores the failure.
	goesOn, ignores map[string]string
}

const (
	onlyVersion2 = "it needs --cli-binary-format, which version 1 of the AWS CLI, the one on pip, doesn't have"
	ownCommand   = "it is our own command, which tests/operate runs, and TestARedrive against moto"
	noAccount    = "it changes an account with Pulumi"
)

// procedures are all blocks of shell in the runbook, by the heading they stand under.
var procedures = map[string]procedure{
	"Before you start 1": {calls: "GetCallerIdentity", says: `^000000000000$`},
	"Alarms 1": {
		calls: "DescribeAlarms", says: `(?m)^trade-processing-dev-recorder-dead-letters-depth\t`,
		prepare: func(o *operator) { o.letters(letter(exact, "InternalServerError")) },
	},
	"Find a trade 1": {notHere: ownCommand},
	"Find a trade 2": {notHere: ownCommand},
	"Find a trade 3": {
		fill:  map[string]string{"2026-11-20T09:00Z": "2026-03-02T00:00Z", "2026-11-20T10:00Z": "2026-03-03T00:00Z"},
		calls: strings.Repeat("Query ", 6), says: `(?s)^\[.*"t0".*\]\n1$`, prepare: (*operator).reject,
	},
	"Find a trade 4":                {notHere: ownCommand},
	"First deployment 1":            {notHere: "it looks at this machine and at an account; its own test has both"},
	"First deployment 2":            {notHere: noAccount},
	"First deployment 3":            {notHere: noAccount},
	"First deployment 4":            {calls: "ListSubscriptionsByTopic SetAlarmState SetAlarmState", says: `"Subscriptions"`},
	"First deployment 5":            {notHere: "the page on verification has the command, whose test runs it"},
	"Promote dev to prod 1":         {says: `^replace urn:table\nend of the list$`},
	"Promote dev to prod 2":         {notHere: noAccount},
	"Promote dev to prod 3":         {notHere: "the page on verification has the command, whose test runs it"},
	"Promote dev to prod 4":         {calls: imagesOf("dev") + imagesOf("prod"), says: `(?m)^prod recorder abc$`},
	"Roll back a function 1":        {calls: "lambda:GET:live lambda:GET:versions", says: `^7\n5\tm\tc$`},
	"Roll back a function 2":        {before: "f=recorder", calls: "lambda:GET:configuration", says: `"Active"`},
	"Roll back a function 3":        {notHere: onlyVersion2},
	"Roll back a function 4":        {before: "f=recorder version=6 USER=me", calls: "lambda:PUT:live", says: `"FunctionVersion": "6"`},
	"A tag that exists already 1":   {notHere: noAccount},
	"Roll back the state machine 1": {calls: "DescribeStateMachineAlias ListStateMachineVersions", says: `"weight": 100`},
	"Roll back the state machine 2": {calls: "DescribeStateMachine DescribeStateMachine", says: `(?m)^< .*:3"$`, ends: 1}, // diff's, for a difference
	"Roll back the state machine 3": {calls: "UpdateStateMachineAlias", before: "old=$(out .stateMachineArn):3"},
	"Roll back the state machine 4": {calls: "ListExecutions DescribeExecution", says: `"SUCCEEDED"`},
	"Dead letters 1":                {notHere: ownCommand},
	"Redrive 1":                     {notHere: ownCommand},
	"Discard a message 1":           {notHere: ownCommand},
	"TradeConflict 1":               {notHere: ownCommand},
	"TradeConflict 2": {
		before: `jq -n --arg b '{"event":{"detail":{"tradeId":"other"}},"error":{"Cause":"{\"errorMessage\":\"why\"}"}}' '[{body:$b}]' > letters.json`,
		fill:   map[string]string{`{"S":"X"}`: `{"S":"t0"}`, "system1#2025-10-31T12:49:04.831Z": "system1#2026-03-02T14:00:00.000Z"},
		calls:  "GetItem", ends: 1, says: `(?s)^why\n` + digestOf + `.*> .*other`, prepare: (*operator).record, // diff's
	},
	"Executions without a dead letter 1": {
		calls: "ListExecutions GetExecutionHistory ListExecutions ListExecutions GetExecutionHistory GetExecutionHistory GetExecutionHistory RedriveExecution RedriveExecution",
		check: func(o *operator, _ string) {
			if slices.Sort(o.resumed); !slices.Equal(o.resumed, []string{execution("failed-2"), execution("late-1")}) {
				o.t.Errorf("it resumed %v", o.resumed)
			}
		},
		goesOn: map[string]string{"RedriveExecution": "one that ended too long ago can never be resumed, and must not stand in the way of the others"},
	},
	"Replay from the archive 1":        {notHere: ownCommand},
	"Pause and resume a source 1":      {calls: "DisableRule", says: `Z$`},
	"Pause and resume a source 2":      {before: "source=system1", calls: "EnableRule", says: `Z$`},
	"Retire a source 1":                {notHere: noAccount},
	"Change a parameter at run time 1": {notHere: ownCommand},
	"Change a parameter at run time 2": {calls: "FilterLogEvents", says: `\[\]`},
	"Change reserved concurrency 1":    {calls: "lambda:GET:account-settings lambda:PUT:concurrency", says: `(?s)1000.*300`},
	"Verify a trade by hand 1":         {notHere: ownCommand},
	"Items were damaged or deleted 1":  {calls: "DescribeContinuousBackups RestoreTableToPointInTime"},
	"Items were damaged or deleted 2": {
		prepare: func(o *operator) { o.restored(region, o.live()+"-restored") }, calls: "DescribeTable DescribeTable",
	},
	"Items were damaged or deleted 3": {calls: "backup:GET:recovery-points", says: `COMPLETED\tarn:point`},
	"Items were damaged or deleted 4": {
		before: "point=arn:point role=arn:aws:iam::000000000000:role/restorer", calls: "backup:GET:restore-metadata backup:PUT:restore-jobs",
		check: func(o *operator, _ string) {
			if body := o.front.calls("backup:PUT:restore-jobs")[0].Body; !strings.Contains(body, `"targetTableName": "trade-processing-dev-trades-restored"`) {
				o.t.Errorf("it starts %s", body)
			}
		},
	},
	"Items were damaged or deleted 5": {
		before: `restored=$(out .tradeTableName)-restored from=1772400000000 to=1772500000000`,
		calls:  "Query Query Query " + strings.Repeat("GetItem PutEvents ", restoredTrades), says: fmt.Sprintf(`^%d sent$`, restoredTrades),
		prepare: func(o *operator) { o.restored(region, o.live()+"-restored") },
		check:   func(o *operator, _ string) { o.has(o.live(), o.sent...) },
	},
	"Failed backups 1":           {calls: "backup:GET:backup-jobs", says: `FAILED\twhy`},
	"Failed backups 2":           {calls: "GetRole backup:PUT:backup-jobs", says: `"BackupJobId"`},
	"A stalled replica 1":        {calls: "DescribeTable DescribeKey", says: "PendingReplicaDeletion"},
	"The table itself is gone 1": {calls: "UpdateTable DescribeTable"},
	"When it happens 1": {
		calls: strings.Repeat("Query ", 9), prepare: func(o *operator) { o.restored(replica, "trade-processing-prod-trades") },
		says: `^system1\t\d+\t.+Z\tt\d+\n\t\t\t\n\t\t\t$`,
	},
	"When it happens 2": {notHere: onlyVersion2},
	"Keys 1":            {calls: "GetKeyRotationStatus ListKeyRotations", says: `YEARLY`},
	"Keys 2":            {calls: "RotateKeyOnDemand"},
	"Keys 3": {
		calls:   "DescribeKey CancelKeyDeletion EnableKey DescribeKey CancelKeyDeletion EnableKey",
		ignores: map[string]string{"CancelKeyDeletion": "it fails where there is nothing to cancel"},
	},
	"dev 1": {notHere: noAccount},
	"prod 1": {calls: "ListExecutions" + strings.Repeat(" GetQueueAttributes", 7), says: `(?m)^0\ntrade-processing-dev-\w+-dead-letters: 0\t1$`, prepare: func(o *operator) {
		for _, function := range []string{"validator", "enricher", "recorder"} {
			o.lettersOf(function, letter(exact, "MalformedTrade"))
			o.hide(function)
		}
	}},
	"prod 2":                          {calls: "ExportTableToPointInTime"},
	"prod 3":                          {calls: "DescribeRepositories DeleteRepository DeleteRepository DescribeKey", says: "PendingReplicaDeletion"},
	"prod 4":                          {notHere: noAccount},
	"Security groups that won't go 1": {calls: "DescribeNetworkInterfaces", says: `^eni-1\tin-use\t`},
	"Security groups that won't go 2": {calls: "lambda:GET:versions", says: `^5\t`},
	"Security groups that won't go 3": {calls: "lambda:DELETE:trade-processing-dev-enricher"},
}

const (
	digestOf       = "[0-9a-f]{64}"
	replica        = "eu-west-1"
	restoredTrades = 5
)
