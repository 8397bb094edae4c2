package access

// Call is something that a deployment does in AWS. The rows of facts with its name say what AWS authorises on the way:
// all of them must be allowed.
type Call string

// The calls of a trade's journey. In brackets: whose ARN Check takes as by and on, and its detail with.
const (
	// PutEvents: a producer puts an event on a bus (by: a principal of the account, on: a bus, with: the event's
	// source).
	PutEvents Call = "put an event on a bus"
	// KeepEvent: the bus encrypts an event and decrypts it for its rules (by: a bus, on: the same bus).
	KeepEvent Call = "keep an event on an encrypted bus"
	// StartExecution: a rule starts the workflow (by: a rule, on: a state machine or its alias).
	StartExecution Call = "start an execution"
	// BeginExecution: the state machine assumes its role and uses its key (by: a state machine, on: the same).
	BeginExecution Call = "begin an execution"
	// InvokeFunction: a state machine calls a function (by: a state machine, on: a function, its version or its alias).
	InvokeFunction Call = "invoke a function"
	// SendMessage: a state machine keeps a dead letter (by: a state machine, on: a queue).
	SendMessage Call = "send a message to a queue"
	// PutMetricData: a state machine reports an event that no queue took (by: a state machine, with: the namespace).
	PutMetricData Call = "send values of metrics"
	// KeepUndelivered: EventBridge keeps an event it can't deliver (by: a rule or a bus, on: its dead-letter queue).
	KeepUndelivered Call = "keep an event that could not be delivered"
	// PutItem: a function writes a record (by: a function, on: a table).
	PutItem Call = "put an item into a table"
	// GetItem: a function reads a record (by: a function, on: a table).
	GetItem Call = "get an item of a table"
	// GetParameters: a function reads its parameters (by: a function, on: their path, whose ARN ends without a slash).
	GetParameters Call = "read parameters"
	// WriteLogs: a function writes its logs (by: a function, on: its log group).
	WriteLogs Call = "write a function's logs"
	// Notify: an alarm notifies a topic (by: an alarm, on: a topic).
	Notify Call = "notify a topic of an alarm"
)

// What AWS checks or does when a resource is made, or later, outside a trade's journey.
const (
	// CreateBus: EventBridge creates an encrypted bus (by: a bus, on: the same).
	CreateBus Call = "create an encrypted bus"
	// CreateFunction: Lambda creates a function (by: a function, on: the same).
	CreateFunction Call = "create a function"
	// AttachFunction: Lambda attaches a function to its VPC (by: a function, on: the same).
	AttachFunction Call = "attach a function to its VPC"
	// PullImage: Lambda pulls a function's image, when the function is created and when an idle one wakes up (by: a
	// function, on: a repository).
	PullImage Call = "pull a function's image"
	// KeepFailedCall: Lambda keeps a failed asynchronous call (by: a function, on: its dead-letter queue).
	KeepFailedCall Call = "keep a failed asynchronous call"
	// TraceFunction: Lambda traces a call (by: a function, on: the same).
	TraceFunction Call = "trace a function"
	// TraceMachine: Step Functions traces an execution (by: a state machine, on: the same).
	TraceMachine Call = "trace an execution"
	// WriteInsights: the Lambda Insights extension, which runs beside the function's code, writes what it measures (by:
	// a function, on: the log group of Lambda Insights).
	WriteInsights Call = "write what Lambda Insights measures"
	// CreateMachine: Step Functions creates a state machine with logs (by: a state machine, on: the same).
	CreateMachine Call = "create a state machine"
	// WriteExecutionLogs: a state machine with a key writes its logs (by: a state machine, on: the same).
	WriteExecutionLogs Call = "write an execution's logs"
	// EncryptLogs: CloudWatch Logs encrypts a log group (by: a log group, on: the same).
	EncryptLogs Call = "encrypt a log group"
	// WriteFlowLogs: a flow log writes to its log group (by: a flow log, on: a log group).
	WriteFlowLogs Call = "write a VPC's flow logs"
	// BackUp: AWS Backup backs a table up (by: a selection of a plan, on: a table).
	BackUp Call = "back a table up"
	// CopyImages: ECR creates the repository of a copied image (by: a repository creation template, on: the
	// repository).
	CopyImages Call = "make the repository of a copied image"
	// ManageKey and LendKey: the deployer manages a key, and lets services use it (by: a principal of the account, on:
	// a key).
	ManageKey Call = "manage a key"
	LendKey   Call = "let AWS services use a key"
	// UseKey: a service decrypts what an operator reads (by: a principal of the account, on: a key).
	UseKey Call = "read what is encrypted under a key"
)
