package access

// Call is something that a deployment does in AWS. The rows of facts with its name say what AWS authorises on the way:
// all of them must be allowed.
type Call string

// The calls of a trade's journey. Each is made by one resource on another; "by" and "on" are their ARNs.
const (
	// PutEvents puts an event on a bus: by an account's principal, on a bus, with the event's source.
	PutEvents Call = "put an event on a bus"
	// KeepEvent is the bus's own: it encrypts an event, and decrypts it for its rules. By a bus, on a bus.
	KeepEvent Call = "keep an event on an encrypted bus"
	// StartExecution is a rule's: by a rule, on a state machine or its alias.
	StartExecution Call = "start an execution"
	// BeginExecution is the state machine's own: by a state machine, on itself.
	BeginExecution Call = "begin an execution"
	// InvokeFunction is a state machine's: by a state machine, on a function, its version or its alias.
	InvokeFunction Call = "invoke a function"
	// SendMessage is a state machine's: by a state machine, on a queue.
	SendMessage Call = "send a message to a queue"
	// KeepUndelivered is EventBridge's: by a rule or a bus, on its dead-letter queue.
	KeepUndelivered Call = "keep an event that could not be delivered"
	// PutItem is a function's: by a function, on a table.
	PutItem Call = "put an item into a table"
	// GetParameters is a function's: by a function, on a path of parameters, whose ARN ends without a slash.
	GetParameters Call = "read parameters"
	// WriteLogs is a function's: by a function, on its log group.
	WriteLogs Call = "write a function's logs"
	// Notify is CloudWatch's: by an alarm, on a topic.
	Notify Call = "notify a topic of an alarm"
)

// What AWS checks or does when a resource is made, or later beside a trade's journey.
const (
	// CreateBus is EventBridge's: by a bus, on itself.
	CreateBus Call = "create an encrypted bus"
	// CreateFunction is Lambda's: by a function, on itself.
	CreateFunction Call = "create a function"
	// AttachFunction is Lambda's: by a function in a VPC, on itself.
	AttachFunction Call = "attach a function to its VPC"
	// PullImage is Lambda's, when a function is created and when an idle one wakes up: by a function, on a repository.
	PullImage Call = "pull a function's image"
	// KeepFailedCall is Lambda's for asynchronous calls: by a function, on its dead-letter queue.
	KeepFailedCall Call = "keep a failed asynchronous call"
	// TraceFunction is Lambda's: by a function, on itself.
	TraceFunction Call = "trace a function"
	// TraceMachine is Step Functions': by a state machine, on itself.
	TraceMachine Call = "trace an execution"
	// WriteInsights is the Lambda Insights extension's, which runs beside the function's code: by a function, on the log
	// group of Lambda Insights.
	WriteInsights Call = "write what Lambda Insights measures"
	// CreateMachine is Step Functions': by a state machine with logs, on itself.
	CreateMachine Call = "create a state machine"
	// WriteExecutionLogs is a state machine's with a key: by it, on itself.
	WriteExecutionLogs Call = "write an execution's logs"
	// EncryptLogs is CloudWatch Logs': by an encrypted log group, on itself.
	EncryptLogs Call = "encrypt a log group"
	// WriteFlowLogs is the flow log's: by a flow log, on its log group.
	WriteFlowLogs Call = "write a VPC's flow logs"
	// BackUp is AWS Backup's: by a selection of a plan, on what it backs up.
	BackUp Call = "back a table up"
	// CopyImages is ECR's: by a repository creation template, on a repository that it makes.
	CopyImages Call = "make the repository of a copied image"
	// ManageKey and LendKey are the deploying principal's: by a principal of the account, on a key.
	ManageKey Call = "manage a key"
	LendKey   Call = "let AWS services use a key"
	// UseKey is the operator's, when a service decrypts what they read: by a principal of the account, on a key.
	UseKey Call = "read what is encrypted under a key"
)
