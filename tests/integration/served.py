"""Calls every operation of the local cloud that AWS_ENDPOINT_URL names, with boto3, and prints which: served.py OUTPUTS."""
import json, sys, time
import boto3, botocore

outputs = json.load(open(sys.argv[1]))
called = set()


def client(service, region=None):
    made = boto3.client(service, region_name=region)
    made.meta.events.register("before-call", lambda model, **_: called.add(made.meta.service_model.signing_name + " " + model.name))
    return made


def expect(true, what):
    if not true:
        sys.exit(f"unexpected: {what}")


def eventually(read):
    for _ in range(100):
        if found := read():
            return found
        time.sleep(0.05)
    raise TimeoutError("nothing came")


def refused(code, call, **asked):
    try:
        sys.exit(f"not refused: {call(**asked)}")
    except botocore.exceptions.ClientError as error:
        expect(error.response["Error"]["Code"] == code, error)


events, dynamodb, sqs, ssm, states = client("events"), client("dynamodb"), client("sqs"), client("ssm"), client("stepfunctions")
logs, functions, alarms, keys, traces, sts = client("logs"), client("lambda"), client("cloudwatch"), client("kms"), client("xray"), client("sts")
roles, topics, networks, images = client("iam"), client("sns"), client("ec2"), client("ecr")
bus, table, machine = outputs["eventBusName"], outputs["tradeTableName"], outputs["stateMachineArn"]
queue, recorder, prefix = outputs["deadLetterQueueUrls"]["recorder"], outputs["functionNames"]["recorder"], outputs["parameterPrefix"]

expect(sts.get_caller_identity()["Account"] == "000000000000", "the account")

expect(events.describe_event_bus(Name=bus)["Name"] == bus, "the bus")
expect(len(events.list_event_buses()["EventBuses"]) == 2, "the buses")
rule = next(r["Name"] for r in events.list_rules(EventBusName=bus)["Rules"] if r["Name"].endswith("-from-system1"))
events.disable_rule(Name=rule, EventBusName=bus)
expect(events.describe_rule(Name=rule, EventBusName=bus)["State"] == "DISABLED", "a disabled rule")
events.enable_rule(Name=rule, EventBusName=bus)
target = events.list_targets_by_rule(Rule=rule, EventBusName=bus)["Targets"][0]
expect(events.put_targets(Rule=rule, EventBusName=bus, Targets=[dict(target, Id="another")])["FailedEntryCount"] == 0, "another target")
expect(events.remove_targets(Rule=rule, EventBusName=bus, Ids=["another"])["FailedEntryCount"] == 0, "a target less")
archive = events.list_archives()["Archives"][0]["ArchiveName"]
expect(events.describe_archive(ArchiveName=archive)["RetentionDays"] == 90, "the archive")

trade = {"tradeId": "boto3-1", "sourceSystem": "system1", "symbol": "AAPL", "side": "BUY", "quantity": 1, "price": "1.00", "amount": "1.00",
         "currency": "USD", "executedAt": "2026-03-02T15:00:00.000Z"}
root = "1-5759e988-bd862e3fe1be46a994272793"
sent = events.put_events(Entries=[{"EventBusName": bus, "Source": "trading.system1", "DetailType": "Trade Event", "Detail": json.dumps(trade),
                                   "TraceHeader": f"Root={root};Sampled=1"}])
expect(sent["FailedEntryCount"] == 0, sent)
item = eventually(lambda: dynamodb.scan(TableName=table, ConsistentRead=True)["Items"])[0]
expect(item["tradeId"] == {"S": "boto3-1"}, item)

found = eventually(lambda: [a for a in [events.describe_archive(ArchiveName=archive)] if a["EventCount"] == 1])[0]
expect(events.list_archives()["Archives"][0]["SizeBytes"] == found["SizeBytes"] > 300, found)
window = {"EventSourceArn": found["ArchiveArn"], "EventStartTime": time.time() - 600, "EventEndTime": time.time() + 600,
          "Destination": {"Arn": found["EventSourceArn"], "FilterArns": [events.describe_rule(Name=rule, EventBusName=bus)["Arn"]]}}
replay = events.start_replay(ReplayName="boto3", Description="again", **window)
expect(replay["State"] == "STARTING" and replay["ReplayArn"].endswith(":replay/boto3"), replay)
ended = eventually(lambda: [r for r in [events.describe_replay(ReplayName="boto3")] if r["State"] == "COMPLETED"])[0]
expect(ended["EventLastReplayedTime"] <= ended["ReplayEndTime"] and ended["Destination"] == window["Destination"], ended)
expect([r["ReplayName"] for r in events.list_replays(NamePrefix="boto", State="COMPLETED")["Replays"]] == ["boto3"], "the replays")
refused("IllegalStatusException", events.cancel_replay, ReplayName="boto3")
refused("ResourceNotFoundException", events.cancel_replay, ReplayName="none")

key = {name: item[name] for name in ("tradeId", "version")}
expect(dynamodb.get_item(TableName=table, Key=key)["Item"] == item, "an item by its key")
expect(dynamodb.batch_get_item(RequestItems={table: {"Keys": [key]}})["Responses"][table] == [item], "a batch of items")
expect(dynamodb.query(TableName=table, KeyConditionExpression="tradeId = :i", ExpressionAttributeValues={":i": key["tradeId"]})["Count"] == 1, "a query")
dynamodb.put_item(TableName=table, Item=dict(item, version={"S": "system1#other"}))
described = dynamodb.describe_table(TableName=table)["Table"]
expect(described["ItemCount"] == 2 and described["Replicas"][0]["RegionName"] == "eu-west-1", described)
expect(dynamodb.list_tables()["TableNames"] == [table], "the tables")
recovery = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
expect(recovery["EarliestRestorableDateTime"] < recovery["LatestRestorableDateTime"], recovery)
for enabled in False, True:
    recovery = dynamodb.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": enabled})
    recovery = recovery["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    expect(recovery["PointInTimeRecoveryStatus"] == ("ENABLED" if enabled else "DISABLED"), recovery)

expect(machine in [m["stateMachineArn"] for m in states.list_state_machines()["stateMachines"]], "the state machines")
states.describe_state_machine(stateMachineArn=machine)
alias = states.list_state_machine_aliases(stateMachineArn=machine)["stateMachineAliases"][0]["stateMachineAliasArn"]
version = states.list_state_machine_versions(stateMachineArn=machine)["stateMachineVersions"][0]["stateMachineVersionArn"]
routes = states.describe_state_machine_alias(stateMachineAliasArn=alias)["routingConfiguration"]
expect(routes[0]["stateMachineVersionArn"] == version, routes)
execution = eventually(lambda: states.list_executions(stateMachineArn=machine, statusFilter="SUCCEEDED")["executions"])[0]["executionArn"]
expect(states.describe_execution(executionArn=execution)["stateMachineVersionArn"] == version, "the execution")
pages = states.get_paginator("get_execution_history").paginate(executionArn=execution, PaginationConfig={"PageSize": 5})
history = [event["type"] for page in pages for event in page["events"]]
expect(history[0] == "ExecutionStarted" and history[-1] == "ExecutionSucceeded" and "TaskSucceeded" in history, history)
started = states.start_execution(stateMachineArn=machine, name="boto3", input=states.describe_execution(executionArn=execution)["input"])
states.stop_execution(executionArn=started["executionArn"])
expect(json.loads(states.describe_execution(executionArn=started["executionArn"])["input"])["detail"] == trade, "an execution's input")

refused("ExecutionNotRedrivable", states.redrive_execution, executionArn=execution)
bad = states.start_execution(stateMachineArn=alias, input='{"detail": {}}')["executionArn"]
expect(states.describe_execution(executionArn=bad)["redriveStatus"] == "REDRIVABLE", "what can be redriven")
states.redrive_execution(executionArn=bad)
ended = states.describe_execution(executionArn=bad)
expect(ended["status"] == "FAILED" and ended["redriveCount"] == 1 and ended["redriveDate"], ended)
types = [event["type"] for event in states.get_execution_history(executionArn=bad)["events"]]
expect("FailStateEntered" in types[types.index("ExecutionRedriven"):] and "TaskStarted" not in types[types.index("ExecutionRedriven"):], types)

letter = {"StringValue": "x", "DataType": "String"}
sqs.send_message(QueueUrl=queue, MessageBody="1", MessageAttributes={"ERROR_CODE": letter})
batch = sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": str(i), "MessageBody": str(i)} for i in range(3)])
expect(len(batch["Successful"]) == 3, batch)
held = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
expect(held["ApproximateNumberOfMessages"] == "4", held)
received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=60, MessageAttributeNames=["All"], AttributeNames=["All"])["Messages"]
expect(received[0]["MessageAttributes"] == {"ERROR_CODE": letter} and received[0]["Attributes"]["ApproximateReceiveCount"] == "1", received[0])
handles = [message["ReceiptHandle"] for message in received]
sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=handles[0], VisibilityTimeout=90)
sqs.change_message_visibility_batch(QueueUrl=queue, Entries=[{"Id": "a", "ReceiptHandle": handles[0], "VisibilityTimeout": 90}])
sqs.delete_message(QueueUrl=queue, ReceiptHandle=handles[0])
sqs.delete_message_batch(QueueUrl=queue, Entries=[{"Id": "a", "ReceiptHandle": handles[1]}])
sqs.purge_queue(QueueUrl=queue)
expect(sqs.get_queue_url(QueueName=queue.rsplit("/", 1)[1])["QueueUrl"] == queue, "the queue's URL")
expect(queue in sqs.list_queues()["QueueUrls"], "the queues")

name = prefix + "processing-threshold"
before = ssm.get_parameter(Name=name)["Parameter"]
expect(ssm.put_parameter(Name=name, Value="250000", Overwrite=True)["Version"] == before["Version"] + 1, "a new version")
expect(ssm.get_parameters(Names=[name, "nobody"])["InvalidParameters"] == ["nobody"], "a parameter that isn't there")
expect([p["Value"] for p in ssm.get_parameter_history(Name=name)["Parameters"]] == [before["Value"], "250000"], "a parameter's history")
expect(ssm.get_parameters_by_path(Path=prefix)["Parameters"], "parameters below a path")
expect(ssm.describe_parameters(ParameterFilters=[{"Key": "Name", "Option": "BeginsWith", "Values": [prefix]}])["Parameters"], "the parameters")

group = logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{recorder}")["logGroups"][0]["logGroupName"]
expect(logs.filter_log_events(logGroupName=group, filterPattern='{ $.tradeId = "boto3-1" }')["events"], "log lines")

expect(functions.get_function(FunctionName=recorder + ":live")["Configuration"]["Version"] == "1", "what is live")
functions.get_function_configuration(FunctionName=recorder, Qualifier="1")
functions.get_function_concurrency(FunctionName=recorder)
expect(functions.get_alias(FunctionName=recorder, Name="live")["FunctionVersion"] == "1", "the alias")
functions.list_aliases(FunctionName=recorder)
expect(len(functions.list_versions_by_function(FunctionName=recorder)["Versions"]) == 2, "the versions")
expect(len(functions.list_functions()["Functions"]) == 3, "the functions")
functions.get_account_settings()
answer = functions.invoke(FunctionName=outputs["functionNames"]["validator"], Payload=b"{}")
expect(answer["FunctionError"] == "Unhandled" and json.load(answer["Payload"])["errorType"] == "MalformedTrade", answer)

metric = {"Namespace": "AWS/States", "MetricName": "ExecutionsSucceeded", "Dimensions": [{"Name": "StateMachineArn", "Value": machine}]}
expect(alarms.list_metrics(Namespace="AWS/States", MetricName="ExecutionsSucceeded")["Metrics"] == [metric], "the metrics")
now = time.time()
eventually(lambda: sum(alarms.get_metric_data(StartTime=now - 600, EndTime=now + 60, MetricDataQueries=[
    {"Id": "a", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}])["MetricDataResults"][0]["Values"]) == 3)  # one of them replayed
alarm = alarms.describe_alarms()["MetricAlarms"][0]["AlarmName"]
alarms.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="a test")
expect(alarms.describe_alarm_history(AlarmName=alarm)["AlarmHistoryItems"], "an alarm's history")

found = keys.describe_key(KeyId="alias/" + recorder.rsplit("-", 1)[0])["KeyMetadata"]
expect(keys.get_key_rotation_status(KeyId=found["KeyId"])["KeyRotationEnabled"], "a key that rotates")
expect(eventually(lambda: traces.batch_get_traces(TraceIds=[root])["Traces"])[0]["Segments"], "a trace")

key = found["KeyId"]
refused("KMSInvalidStateException", keys.cancel_key_deletion, KeyId=key)
refused("ValidationException", keys.schedule_key_deletion, KeyId=key, PendingWindowInDays=6)
for at, state, window in (keys, "PendingReplicaDeletion", 7), (client("kms", "eu-west-1"), "PendingDeletion", 30):
    states_seen = []
    see = lambda: states_seen.append(at.describe_key(KeyId=key)["KeyMetadata"]["KeyState"])
    at.disable_key(KeyId=key)
    see()
    told = at.schedule_key_deletion(KeyId=key, **({"PendingWindowInDays": 7} if window == 7 else {}))
    expect(told["KeyState"] == state and told["PendingWindowInDays"] == window and ("DeletionDate" in told) == (state == "PendingDeletion"), told)
    see()
    for call in at.schedule_key_deletion, at.enable_key, at.disable_key:
        refused("KMSInvalidStateException", call, KeyId=key)
    at.cancel_key_deletion(KeyId=key)
    see()
    at.enable_key(KeyId=key)
    see()
    expect(states_seen == ["Disabled", state, "Disabled", "Enabled"], states_seen)
keys.rotate_key_on_demand(KeyId=key)
expect([r["RotationType"] for r in keys.list_key_rotations(KeyId=key)["Rotations"]] == ["ON_DEMAND"], "the key's rotations")
replicas = client("kms", "eu-west-1")
for primary, there in ("us-east-1", keys), ("eu-west-1", replicas):
    for region, at in ("us-east-1", keys), ("eu-west-1", replicas):
        told = at.describe_key(KeyId=key)["KeyMetadata"]["MultiRegionConfiguration"]
        expect(told["MultiRegionKeyType"] == ("PRIMARY" if region == primary else "REPLICA") and told["PrimaryKey"]["Region"] == primary, told)
        expect([r["Region"] for r in told["ReplicaKeys"]] == [r for r in ("us-east-1", "eu-west-1") if r != primary], told)
    if there is keys:
        refused("UnsupportedOperationException", replicas.update_primary_region, KeyId=key, PrimaryRegion="us-east-1")
        refused("NotFoundException", keys.update_primary_region, KeyId=key, PrimaryRegion="eu-central-1")
        keys.update_primary_region(KeyId=key, PrimaryRegion="eu-west-1")
refused("UnsupportedOperationException", keys.rotate_key_on_demand, KeyId=key)

refused("InvalidParameterValue", sqs.start_message_move_task, SourceArn=held["QueueArn"])
refused("ResourceNotFoundException", sqs.start_message_move_task, SourceArn=held["QueueArn"] + "x")

role = functions.get_function_configuration(FunctionName=recorder)["Role"]
told = roles.get_role(RoleName=role.rsplit("/", 1)[1])["Role"]
expect(told["Arn"] == role and told["AssumeRolePolicyDocument"]["Statement"], told)
refused("NoSuchEntity", roles.get_role, RoleName="none")
github = {"Url": "https://token.actions.githubusercontent.com", "ClientIDList": ["sts.amazonaws.com", "another"]}
provider = roles.create_open_id_connect_provider(**github, Tags=[{"Key": "Project", "Value": "x"}])["OpenIDConnectProviderArn"]
expect(provider == "arn:aws:iam::000000000000:oidc-provider/token.actions.githubusercontent.com", provider)
told = roles.get_open_id_connect_provider(OpenIDConnectProviderArn=provider)
expect(told["Url"] == "token.actions.githubusercontent.com" and told["ClientIDList"] == github["ClientIDList"], told)
refused("EntityAlreadyExists", roles.create_open_id_connect_provider, **github)
refused("InvalidInput", roles.create_open_id_connect_provider, Url="http://example.com")
refused("NoSuchEntity", roles.get_open_id_connect_provider, OpenIDConnectProviderArn=provider + "x")
topics.list_subscriptions_by_topic(TopicArn=outputs["alarmTopicArn"])
refused("NotFound", topics.list_subscriptions_by_topic, TopicArn=outputs["alarmTopicArn"] + "x")
expect(networks.describe_network_interfaces(Filters=[{"Name": "description", "Values": ["*"]}])["NetworkInterfaces"] == [], "the network interfaces")

uri, digest = functions.get_function(FunctionName=recorder)["Code"]["ImageUri"].split("@")
repository = next(r["repositoryName"] for r in images.describe_repositories()["repositories"] if r["repositoryUri"] == uri)
expect(images.describe_images(repositoryName=repository, imageIds=[{"imageDigest": digest}])["imageDetails"][0]["imageTags"], "the image's tags")
refused("ImageNotFoundException", images.describe_images, repositoryName=repository, imageIds=[{"imageTag": "none"}])
refused("RepositoryNotFoundException", images.describe_repositories, repositoryNames=["none"])
refused("RepositoryNotEmptyException", images.delete_repository, repositoryName=repository)
images.delete_repository(repositoryName=repository, force=True)
expect(repository not in [r["repositoryName"] for r in images.describe_repositories()["repositories"]], "a deleted repository")

expect(functions.update_alias(FunctionName=recorder, Name="live", FunctionVersion="1", Description="back")["Description"] == "back", "an alias")
refused("ResourceNotFoundException", functions.update_alias, FunctionName=recorder, Name="live", FunctionVersion="7")
refused("InvalidParameterValueException", functions.put_function_concurrency, FunctionName=recorder, ReservedConcurrentExecutions=950)
functions.put_function_concurrency(FunctionName=recorder, ReservedConcurrentExecutions=77)
expect(functions.get_function_concurrency(FunctionName=recorder)["ReservedConcurrentExecutions"] == 77, "a function's concurrency")
functions.delete_function_concurrency(FunctionName=recorder)
expect("ReservedConcurrentExecutions" not in functions.get_function_concurrency(FunctionName=recorder), "a function without a reservation")
functions.delete_function(FunctionName=recorder, Qualifier="7")
refused("ResourceConflictException", functions.delete_function, FunctionName=recorder, Qualifier="1")
functions.delete_function(FunctionName=recorder)
refused("ResourceNotFoundException", functions.get_alias, FunctionName=recorder, Name="live")

states.update_state_machine_alias(stateMachineAliasArn=alias, routingConfiguration=[{"stateMachineVersionArn": version, "weight": 100}])
two = [{"stateMachineVersionArn": version, "weight": 90}, {"stateMachineVersionArn": version, "weight": 10}]
refused("ValidationException", states.update_state_machine_alias, stateMachineAliasArn=alias, routingConfiguration=two)

expect(dynamodb.list_backups(BackupType="SYSTEM")["BackupSummaries"] == [], "the backups")
backups, vault, arn = client("backup"), table, described["TableArn"]
job = {"BackupVaultName": vault, "ResourceArn": arn, "IamRoleArn": roles.get_role(RoleName=table.replace("-trades", "-backup"))["Role"]["Arn"]}
held = dynamodb.scan(TableName=table)["Items"]
started = backups.start_backup_job(**job, IdempotencyToken="once", Lifecycle={"DeleteAfterDays": 35})
expect(backups.start_backup_job(**job, IdempotencyToken="once")["BackupJobId"] == started["BackupJobId"], "a job that is asked for twice")
refused("ResourceNotFoundException", backups.start_backup_job, **dict(job, BackupVaultName="none"))
refused("ResourceNotFoundException", backups.start_backup_job, **dict(job, ResourceArn=arn + "x"))
refused("InvalidParameterValueException", backups.start_backup_job, **dict(job, IamRoleArn=role))
told = backups.list_backup_jobs(ByBackupVaultName=vault)["BackupJobs"]
expect([(j["BackupJobId"], j["State"], j["ResourceArn"]) for j in told] == [(started["BackupJobId"], "COMPLETED", arn)], told)
expect(backups.list_backup_jobs(ByState="FAILED")["BackupJobs"] == [], "the failed jobs")
points = backups.list_recovery_points_by_backup_vault(BackupVaultName=vault)["RecoveryPoints"]
expect([p["RecoveryPointArn"] for p in points] == [started["RecoveryPointArn"]] and points[0]["Lifecycle"] == {"DeleteAfterDays": 35}, points)
refused("ResourceNotFoundException", backups.list_recovery_points_by_backup_vault, BackupVaultName="none")
listed = dynamodb.list_backups(TableName=table, BackupType="AWS_BACKUP")["BackupSummaries"]
expect([b["BackupArn"] for b in listed] == [started["RecoveryPointArn"]], listed)
dynamodb.put_item(TableName=table, Item=dict(item, version={"S": "system1#later"}))
restored = {"TargetTableName": table + "-restored", "BackupArn": started["RecoveryPointArn"]}
told = dynamodb.restore_table_from_backup(**restored)["TableDescription"]
expect(told["TableStatus"] == "CREATING" and told["RestoreSummary"]["SourceTableArn"] == arn, told)
told = dynamodb.describe_table(TableName=table + "-restored")["Table"]
expect(told["TableStatus"] == "ACTIVE" and told["ItemCount"] == len(held) and "Replicas" not in told, told)
expect([i["IndexName"] for i in told["GlobalSecondaryIndexes"]] == [i["IndexName"] for i in described["GlobalSecondaryIndexes"]], told)
expect(dynamodb.scan(TableName=table + "-restored")["Items"] == held, "the restored items")
refused("TableAlreadyExistsException", dynamodb.restore_table_from_backup, **restored)
refused("ValidationException", dynamodb.restore_table_from_backup, **dict(restored, TargetTableName="a/b"))
refused("BackupNotFoundException", dynamodb.restore_table_from_backup, **dict(restored, TargetTableName="another", BackupArn=arn + "/backup/1"))
export = {"TableArn": arn, "S3Bucket": "none", "S3Prefix": "p", "ClientToken": "once"}
told = dynamodb.export_table_to_point_in_time(**export)["ExportDescription"]
expect(told["ExportStatus"] == "IN_PROGRESS" and told["ExportArn"].startswith(arn + "/export/") and "FailureCode" not in told, told)
expect(dynamodb.export_table_to_point_in_time(**export)["ExportDescription"] == told, "an export that is asked for twice")
told = dynamodb.describe_export(ExportArn=told["ExportArn"])["ExportDescription"]
expect((told["ExportStatus"], told["FailureCode"], told["S3Prefix"]) == ("FAILED", "S3NoSuchBucket", "p"), told)
refused("TableNotFoundException", dynamodb.export_table_to_point_in_time, **dict(export, TableArn=arn + "x"))
refused("PointInTimeRecoveryUnavailableException", dynamodb.export_table_to_point_in_time, **dict(export, TableArn=arn + "-restored"))
refused("InvalidExportTimeException", dynamodb.export_table_to_point_in_time, **dict(export, ExportTime=time.time() + 600))
refused("ExportNotFoundException", dynamodb.describe_export, ExportArn=arn + "/export/01")
recovered = {"SourceTableName": table, "TargetTableName": table + "-recovered", "UseLatestRestorableTime": True}
told = dynamodb.restore_table_to_point_in_time(**recovered)["TableDescription"]
expect(told["TableStatus"] == "CREATING" and told["RestoreSummary"]["SourceTableArn"] == arn, told)
expect(dynamodb.scan(TableName=table + "-recovered")["Items"] == dynamodb.scan(TableName=table)["Items"], "the recovered items")
refused("TableAlreadyExistsException", dynamodb.restore_table_to_point_in_time, **recovered)
refused("TableNotFoundException", dynamodb.restore_table_to_point_in_time, **dict(recovered, SourceTableName="none"))
refused("PointInTimeRecoveryUnavailableException", dynamodb.restore_table_to_point_in_time, **dict(recovered, SourceTableName=table + "-recovered"))
del recovered["UseLatestRestorableTime"]
refused("ValidationException", dynamodb.restore_table_to_point_in_time, **recovered)
for wrong in time.time() + 600, time.time() - 86400:
    refused("InvalidRestoreTimeException", dynamodb.restore_table_to_point_in_time, **dict(recovered, RestoreDateTime=wrong))

trust = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"}})
restorer = roles.create_role(RoleName="restorer", AssumeRolePolicyDocument=trust)["Role"]
expect(roles.get_role(RoleName="restorer")["Role"] == restorer, restorer)
refused("EntityAlreadyExists", roles.create_role, RoleName="restorer", AssumeRolePolicyDocument=trust)
refused("MalformedPolicyDocument", roles.create_role, RoleName="another", AssumeRolePolicyDocument="{")
refused("ValidationError", roles.create_role, RoleName="a/b", AssumeRolePolicyDocument=trust)
point = started["RecoveryPointArn"]
metadata = backups.get_recovery_point_restore_metadata(BackupVaultName=vault, RecoveryPointArn=point)["RestoreMetadata"]
refused("ResourceNotFoundException", backups.get_recovery_point_restore_metadata, BackupVaultName=vault, RecoveryPointArn=point + "1")
order = {"RecoveryPointArn": point, "IamRoleArn": restorer["Arn"], "ResourceType": "DynamoDB", "Metadata": dict(metadata, targetTableName=table + "-again")}
failed = backups.describe_restore_job(RestoreJobId=backups.start_restore_job(**order)["RestoreJobId"])
expect(failed["Status"] == "FAILED" and "not authorized to perform: dynamodb:RestoreTableFromBackup" in failed["StatusMessage"], failed)
policy = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForRestores"
roles.attach_role_policy(RoleName="restorer", PolicyArn=policy)
refused("NoSuchEntity", roles.attach_role_policy, RoleName="none", PolicyArn=policy)
once = backups.start_restore_job(**order, IdempotencyToken="once")["RestoreJobId"]
expect(backups.start_restore_job(**order, IdempotencyToken="once")["RestoreJobId"] == once, "a restore that is asked for twice")
job = backups.describe_restore_job(RestoreJobId=once)
expect(job["Status"] == "COMPLETED" and job["CreatedResourceArn"] == arn + "-again" and job["SourceResourceArn"] == arn, job)
expect(dynamodb.scan(TableName=table + "-again")["Items"] == held, "the items that AWS Backup restored")
job = backups.describe_restore_job(RestoreJobId=backups.start_restore_job(**order)["RestoreJobId"])
expect((job["Status"], job["StatusMessage"]) == ("FAILED", "Table already exists: " + table + "-again"), job)
refused("InvalidParameterValueException", backups.start_restore_job, **dict(order, IamRoleArn=role))
refused("ResourceNotFoundException", backups.start_restore_job, **dict(order, RecoveryPointArn=point + "1"))
refused("MissingParameterValueException", backups.start_restore_job, **dict(order, Metadata=metadata))
refused("ResourceNotFoundException", backups.describe_restore_job, RestoreJobId="none")
early = backups.list_recovery_points_by_backup_vault(BackupVaultName=vault, ByCreatedBefore=time.time() - 86400)["RecoveryPoints"]
expect(early == [], early)
dynamodb.update_table(TableName=table, DeletionProtectionEnabled=True)
expect(dynamodb.describe_table(TableName=table)["Table"]["DeletionProtectionEnabled"], "a protected table")
refused("ValidationException", dynamodb.delete_table, TableName=table)
dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
expect(dynamodb.delete_table(TableName=table)["TableDescription"]["TableStatus"] == "DELETING", "a table that is deleted")
refused("ResourceNotFoundException", dynamodb.describe_table, TableName=table)

print(json.dumps(sorted(called)))
