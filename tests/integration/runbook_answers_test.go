package integration_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"trade-processing/local/cloud"
)

func execution(name string) string {
	return "arn:aws:states:us-east-1:" + cloud.Account + ":execution:trade-processing-dev-workflow:" + name
}

// imagesOf are the calls that find the images of a stack's functions.
func imagesOf(stack string) string {
	var calls strings.Builder
	for _, function := range []string{"validator", "enricher", "recorder"} {
		fmt.Fprintf(&calls, "lambda:GET:trade-processing-%s-%s:live DescribeImages ", stack, function)
	}
	return calls.String()
}

// answerTheRest lets the front answer what the endpoint doesn't serve.
func (o *operator) answerTheRest() {
	machine := o.outputs["stateMachineArn"].(string)
	for operation, answer := range map[string]string{
		"StartQuery": `{"queryId": "q"}`, "GetQueryResults": `{"status": "Complete", "results": []}`, "SetAlarmState": `{}`,
		"DescribeStateMachineAlias": `{"routingConfiguration": [{"stateMachineVersionArn": "` + machine + `:4", "weight": 100}]}`,
		"ListStateMachineVersions":  `{"stateMachineVersions": [{"stateMachineVersionArn": "` + machine + `:4", "creationDate": 1}]}`,
		"UpdateStateMachineAlias":   `{"updateDate": 1}`, "DescribeExecution": `{"status": "SUCCEEDED", "stateMachineVersionArn": "` + machine + `:4"}`,
		"DescribeArchive": `{"ArchiveArn": "arn:aws:events:us-east-1:000000000000:archive/a"}`, "DescribeRule": `{"Arn": "arn:rule"}`, "StartReplay": `{"State": "STARTING"}`,
		"DescribeReplay": `{"State": "COMPLETED"}`, "DisableRule": `{}`, "EnableRule": `{}`,
		"GetParameter": `{"Parameter": {"Value": "1000000", "Version": 3}}`, "PutParameter": `{"Version": 4}`,
		"DescribeContinuousBackups": `{"ContinuousBackupsDescription": {"ContinuousBackupsStatus": "ENABLED"}}`,
		"RestoreTableToPointInTime": `{"TableDescription": {"TableStatus": "CREATING"}}`, "UpdateTable": `{}`,
		"GetKeyRotationStatus": `{"KeyRotationEnabled": true, "KeyId": "YEARLY"}`, "ListKeyRotations": `{"Rotations": []}`, "RotateKeyOnDemand": `{"KeyId": "k"}`,
		"DescribeKey": `{"KeyMetadata": {"KeyId": "k", "KeyState": "PendingReplicaDeletion"}}`, "CancelKeyDeletion": `{"KeyId": "k"}`, "EnableKey": `{}`,
		"ExportTableToPointInTime": `{"ExportDescription": {}}`, "DeleteRepository": `{}`,
		"DescribeRepositories": `{"repositories": [{"repositoryName": "trade-processing/dev/validator"}, {"repositoryName": "trade-processing/dev/enricher"}, {"repositoryName": "other"}]}`,
	} {
		o.front.serve[operation] = func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer) }
	}
	for operation := range operations(imagesOf("dev") + imagesOf("prod") + `lambda:GET:live lambda:GET:versions lambda:GET:configuration lambda:GET:account-settings
		lambda:PUT:live lambda:PUT:concurrency lambda:DELETE:trade-processing-dev-enricher backup:GET:recovery-points backup:GET:restore-metadata
		backup:PUT:restore-jobs backup:GET:backup-jobs backup:PUT:backup-jobs`) {
		o.front.serve[operation] = func(w http.ResponseWriter, r *http.Request) {
			answer := map[string]string{
				"lambda:PUT:live": `{"FunctionVersion": "6"}`, "lambda:GET:live": `{"FunctionVersion": "7"}`, "DescribeImages": `{"imageDetails": [{"imageTags": ["abc"]}]}`,
				"lambda:GET:versions":         `{"Versions": [{"Version": "5", "LastModified": "m", "CodeSha256": "c", "VpcConfig": {"SecurityGroupIds": ["sg-1"]}}]}`,
				"lambda:GET:configuration":    `{"State": "Active"}`,
				"lambda:GET:account-settings": `{"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}}`,
				"lambda:PUT:concurrency":      `{"ReservedConcurrentExecutions": 300}`,
				"backup:GET:recovery-points":  `{"RecoveryPoints": [{"CreationDate": 1, "Status": "COMPLETED", "RecoveryPointArn": "arn:point"}]}`,
				"backup:GET:restore-metadata": `{"RestoreMetadata": {"encryptionType": "Default"}}`,
				"backup:GET:backup-jobs":      `{"BackupJobs": [{"CreationDate": 1, "State": "FAILED", "StatusMessage": "why", "BackupJobId": "j"}]}`,
				"backup:PUT:backup-jobs":      `{"BackupJobId": "j"}`, "backup:PUT:restore-jobs": `{"RestoreJobId": "j"}`,
			}[operation]
			fmt.Fprint(w, cmp.Or(answer, `{"Code": {"ImageUri": "repository@sha256:0"}}`))
		}
	}
	o.front.serve["GetRole"] = func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<GetRoleResponse><GetRoleResult><Role><Arn>arn:aws:iam::000000000000:role/backup</Arn></Role></GetRoleResult></GetRoleResponse>`)
	}
	o.front.serve["DescribeNetworkInterfaces"] = func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<DescribeNetworkInterfacesResponse><networkInterfaceSet><item><networkInterfaceId>eni-1</networkInterfaceId><status>in-use</status><description>d</description><groupSet/></item></networkInterfaceSet></DescribeNetworkInterfacesResponse>`)
	}
	o.front.serve["ListSubscriptionsByTopic"] = func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<ListSubscriptionsByTopicResponse><ListSubscriptionsByTopicResult><Subscriptions/></ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>`)
	}
	for operation, do := range map[string]func(asked map[string]any) any{
		"DescribeAlarms": o.describeAlarms, "ReceiveMessage": o.receiveMessage, "GetQueueAttributes": o.getQueueAttributes,
		"ListExecutions": o.listExecutions, "GetExecutionHistory": getExecutionHistory,
		"RedriveExecution": func(asked map[string]any) any {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.resumed = append(o.resumed, asked["executionArn"].(string))
			return map[string]int{"redriveDate": 1}
		},
		"DescribeStateMachine": func(asked map[string]any) any {
			return map[string]any{"definition": fmt.Sprintf(`{"Comment":%q}`, asked["stateMachineArn"])}
		},
	} {
		o.front.serve[operation] = func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body) // the front has read it already
			var asked map[string]any
			if err := json.Unmarshal(body, &asked); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			_ = json.NewEncoder(w).Encode(do(asked)) // the error is that the caller is gone
		}
	}
	o.front.serve["DescribeTable"] = func(w http.ResponseWriter, r *http.Request) {
		restoring := strings.HasSuffix(o.front.calls("DescribeTable")[0].Body, `-restored"}`)
		if asked := operations(strings.Join(o.made(), " "))["DescribeTable"]; restoring && asked == 1 {
			fmt.Fprint(w, `{"Table": {"TableStatus": "CREATING"}}`)
			return
		}
		o.front.to.ServeHTTP(w, r)
	}
}

func (o *operator) describeAlarms(asked map[string]any) any {
	o.cloud.EvaluateAlarms()
	alarms := []map[string]any{}
	for _, status := range o.cloud.AlarmStatus(region) {
		if string(status.State) == asked["StateValue"] && strings.HasPrefix(status.Alarm, asked["AlarmNamePrefix"].(string)) {
			alarms = append(alarms, map[string]any{"AlarmName": status.Alarm, "StateUpdatedTimestamp": 1, "StateReason": status.Reason})
		}
	}
	return map[string]any{"MetricAlarms": alarms, "CompositeAlarms": []any{}}
}

func (o *operator) receiveMessage(asked map[string]any) any {
	url, limit := asked["QueueUrl"].(string), 1
	if given, is := asked["MaxNumberOfMessages"].(float64); is {
		limit = int(given)
	}
	var hidden *time.Duration
	if given, is := asked["VisibilityTimeout"].(float64); is {
		seconds := time.Duration(given) * time.Second
		hidden = &seconds
	}
	received, err := o.queueOf(url[strings.LastIndex(url, "/")+1:]).Receive(o.t.Context(), limit, hidden)
	if err != nil || len(received) == 0 {
		return struct{}{}
	}
	var messages []any
	for _, m := range received {
		o.mu.Lock()
		o.receipts = append(o.receipts, m.Receipt)
		o.mu.Unlock()
		messages = append(messages, map[string]any{
			"MessageId": m.ID, "ReceiptHandle": m.Receipt, "Body": m.Body, "MD5OfBody": m.BodyMD5, "Attributes": map[string]string{"SentTimestamp": "1"},
		})
	}
	return map[string]any{"Messages": messages}
}

func (o *operator) getQueueAttributes(asked map[string]any) any {
	url := asked["QueueUrl"].(string)
	state := o.queueOf(url[strings.LastIndex(url, "/")+1:]).State()
	return map[string]any{"Attributes": map[string]string{
		"ApproximateNumberOfMessages": fmt.Sprint(state.Visible), "ApproximateNumberOfMessagesNotVisible": fmt.Sprint(state.InFlight),
	}}
}

func (o *operator) listExecutions(asked map[string]any) any {
	names := map[any][]string{"TIMED_OUT": {"late-1"}, "FAILED": {"failed-1", "failed-2"}, nil: {"last"}}[asked["statusFilter"]]
	executions := []map[string]any{}
	for _, name := range names {
		if !slices.Contains(o.resumed, execution(name)) {
			executions = append(executions, map[string]any{"executionArn": execution(name)})
		}
	}
	return map[string]any{"executions": executions}
}

// getExecutionHistory answers with pages, of which the last one of failed-1 shows that it sent a dead letter.
func getExecutionHistory(asked map[string]any) any {
	if asked["executionArn"] != execution("failed-1") {
		return map[string]any{"events": []any{map[string]any{"id": 2, "type": "ExecutionFailed"}}}
	}
	if asked["nextToken"] == nil {
		return map[string]any{"events": []any{map[string]any{"id": 1, "type": "ExecutionStarted"}}, "nextToken": "more"}
	}
	return map[string]any{"events": []any{map[string]any{"id": 2, "type": "FailStateEntered"}}}
}
