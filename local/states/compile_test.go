package states_test

import (
	"fmt"
	"strings"
	"testing"

	"trade-processing/local/states"
)

// resources are what the machines of these tests may call.
var resources = []string{"arn:aws:states:::lambda:invoke", "echo", "fail", "slow", "wait"}

// machine returns a definition of these states, which starts at A.
func machine(members string) string {
	return `{"StartAt": "A", "States": {` + members + `}}`
}

func compile(t testing.TB, definition string) *states.Machine {
	t.Helper()
	m, err := states.Compile([]byte(definition), resources)
	if err != nil {
		t.Fatalf("compiling %s: %v", definition, err)
	}
	return m
}

// refused expects exactly these problems in the error.
func refused(t *testing.T, definition string, want ...string) {
	t.Helper()
	m, err := states.Compile([]byte(definition), resources)
	if err == nil {
		t.Fatalf("%s was taken", definition)
	}
	if m != nil {
		t.Error("there is a machine beside the error")
	}
	got := strings.Split(err.Error(), "\n")
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || !strings.Contains(got[i], want[i]) {
			t.Fatalf("%s:\n got %s\nwant %s", definition, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
	}
}

// end is a state that ends its machine.
const end = `{"Type": "Task", "Resource": "echo", "End": true}`

func TestCompileRefusesMachines(t *testing.T) {
	const a = `"A": ` + end
	both := func(first, second string) string {
		return machine(`"A": {"Type": "Parallel", "End": true, "Branches": [` + first + `, ` + second + `]}`)
	}
	one := func(name string) string {
		return `{"StartAt": "` + name + `", "States": {"` + name + `": ` + end + `}}`
	}
	for name, test := range map[string]struct {
		definition string
		want       []string
	}{
		"nothing":                               {``, []string{`state machine: reading JSON: unexpected EOF`}},
		"what is not JSON":                      {`{"StartAt": }`, []string{`state machine: reading JSON: invalid character '}'`}},
		"what follows after the definition":     {machine(a) + `}`, []string{`state machine: reading JSON: there is more behind the value`}},
		"null":                                  {`null`, []string{`StartAt "" is not a state`, `TimeoutSeconds is 0`}},
		"a list":                                {`[]`, []string{`state machine: 'fields' expected a map`}},
		"no fields":                             {`{}`, []string{`state machine: StartAt "" is not a state`}},
		"an unknown field":                      {`{"StartAt": "A", "States": {` + a + `}, "ProcessorConfig": {}}`, []string{`state machine: 'fields' has invalid keys: ProcessorConfig`}},
		"a field in other letters":              {`{"startAt": "A", "States": {` + a + `}}`, []string{`state machine: 'fields' has invalid keys: startAt`}},
		"JSONata":                               {`{"QueryLanguage": "JSONata", "StartAt": "A", "States": {` + a + `}}`, []string{`invalid keys: QueryLanguage`}},
		"a timeout of nothing":                  {`{"TimeoutSeconds": 0, "StartAt": "A", "States": {` + a + `}}`, []string{`state machine: TimeoutSeconds is 0; it is from 1 to 99999999`}},
		"a timeout beyond AWS's":                {`{"TimeoutSeconds": 100000000, "StartAt": "A", "States": {` + a + `}}`, []string{`state machine: TimeoutSeconds is 100000000`}},
		"a timeout of a fraction":               {`{"TimeoutSeconds": 1.5, "StartAt": "A", "States": {` + a + `}}`, []string{`'TimeoutSeconds' cannot parse value as 'int'`}},
		"a timeout that is a text":              {`{"TimeoutSeconds": "60", "StartAt": "A", "States": {` + a + `}}`, []string{`'TimeoutSeconds' expected type 'int'`}},
		"a timeout that is null":                {`{"TimeoutSeconds": null, "StartAt": "A", "States": {` + a + `}}`, []string{`TimeoutSeconds is 0`}},
		"no start":                              {`{"States": {` + a + `}}`, []string{`state machine: StartAt "" is not a state`}},
		"a start that is no state":              {`{"StartAt": "B", "States": {` + a + `}}`, []string{`state machine: StartAt "B" is not a state`}},
		"no states":                             {`{"StartAt": "A"}`, []string{`state machine: StartAt "A" is not a state`}},
		"states in a list":                      {`{"StartAt": "A", "States": []}`, []string{`state machine: 'States' expected type`}},
		"a state given twice":                   {machine(a + `, ` + a), []string{`state machine: States.A is listed twice`}},
		"a field given twice, deep inside":      {machine(`"A": {"Type": "Task", "Resource": "echo", "End": true, "Retry": [{"ErrorEquals": ["X"], "MaxAttempts": 1, "MaxAttempts": 2}]}`), []string{`state machine: States.A.Retry[0].MaxAttempts is listed twice`}},
		"a name of 81 characters":               {`{"StartAt": "` + strings.Repeat("é", 81) + `", "States": {"` + strings.Repeat("é", 81) + `": ` + end + `}}`, []string{`": the name has 81 characters; it may have 80`}},
		"a definition of more than a mebibyte":  {machine(a) + strings.Repeat(" ", 1<<20), []string{`bytes; Step Functions takes at most 1048576`}},
		"a state that is no object":             {machine(`"A": "Task"`), []string{`state "A": Type <nil> is not supported here`}},
		"a field whose name has a line break":   {machine(`"A": {"Type": "Fail", "x\ny": 1}`), []string{`state "A": 'fields' has invalid keys: x`}},
		"a type in other letters":               {machine(`"A": {"Type": "task"}`), []string{`state "A": Type task is not supported here`}},
		"a Map":                                 {machine(`"A": {"Type": "Map", "ItemProcessor": {}, "End": true}`), []string{`state "A": Type Map is not supported here`}},
		"a Choice":                              {machine(`"A": {"Type": "Choice", "Choices": []}`), []string{`state "A": Type Choice is not supported here`}},
		"a state that leads nowhere":            {machine(`"A": {"Type": "Task", "Resource": "echo", "Next": "B"}`), []string{`state "A": leads to "B", which is not a state next to it`}},
		"a state that neither ends nor goes on": {machine(`"A": {"Type": "Task", "Resource": "echo"}`), []string{`state "A": needs either Next or End`}},
		"a state that ends and leads on":        {machine(`"A": {"Type": "Task", "Resource": "echo", "Next": "B", "End": true}, "B": ` + end), []string{`state "A": needs either Next or End`}},
		"a catch that leads nowhere":            {machine(`"A": {"Type": "Task", "Resource": "echo", "End": true, "Catch": [{"ErrorEquals": ["X"], "Next": "B"}]}`), []string{`state "A": leads to "B", which is not a state next to it`}},
		"a catch without next":                  {machine(`"A": {"Type": "Task", "Resource": "echo", "End": true, "Catch": [{"ErrorEquals": ["X"]}]}`), []string{`state "A": leads to "", which is not a state next to it`}},
		"a state that nothing leads to":         {machine(a + `, "B": {"Type": "Task", "Resource": "echo", "Next": "A"}`), []string{`state "B": is never reached`}},
		"a circle without end":                  {machine(`"A": {"Type": "Task", "Resource": "echo", "Next": "B"}, "B": {"Type": "Task", "Resource": "echo", "Next": "A"}`), []string{`state "A": no state after it ends the machine`}},
		"a branch without states":               {both(one("B"), `{"StartAt": "C"}`), []string{`state "A": Branches[1]: StartAt "C" is not a state`}},
		"a branch that starts nowhere":          {both(one("B"), `{"StartAt": "D", "States": {"C": `+end+`}}`), []string{`state "A": Branches[1]: StartAt "D" is not a state`}},
		"a branch with an unknown field":        {both(one("B"), `{"StartAt": "C", "States": {}, "TimeoutSeconds": 1}`), []string{`state "A": 'Branches[1]' has invalid keys: TimeoutSeconds`}},
		"a branch that is no object":            {both(one("B"), `"C"`), []string{`state "A": 'Branches[1]' expected a map`}},
		"a branch that leads out of itself":     {machine(`"A": {"Type": "Parallel", "Next": "C", "Branches": [{"StartAt": "B", "States": {"B": {"Type": "Task", "Resource": "echo", "Next": "C"}}}]}, "C": ` + end), []string{`state "B": leads to "C", which is not a state next to it`}},
		"a branch without end":                  {both(one("B"), `{"StartAt": "C", "States": {"C": {"Type": "Task", "Resource": "echo", "Next": "C"}}}`), []string{`state "C": no state after it ends the machine`}},
		"a name in a branch and beside it":      {both(one("B"), one("A")), []string{`state "A": the name is used twice in the machine`}},
		"a name in two branches":                {both(one("B"), one("B")), []string{`state "B": the name is used twice in the machine`}},
		"problems of several states, all at once": {machine(`"A": {"Type": "Map"}, "B": {"Type": "Task", "Resource": "x", "Assign": {}, "Next": "C"}, "C": {"Type": "Task", "Resource": "x", "End": true}`), []string{
			`state "A": Type Map is not supported here`, `state "B": 'fields' has invalid keys: Assign`, `state "C": Resource "x" is not supported here`}},
	} {
		t.Run(name, func(t *testing.T) { refused(t, test.definition, test.want...) })
	}
}

func TestCompileRefusesFieldsOfStates(t *testing.T) {
	const task = `"Type": "Task", "Resource": "echo", "End": true, `
	for name, test := range map[string]struct {
		state string
		want  []string
	}{
		"a Task's Arguments":              {task + `"Arguments": {}`, []string{`invalid keys: Arguments`}},
		"a Task's heartbeat":              {task + `"HeartbeatSeconds": 1`, []string{`invalid keys: HeartbeatSeconds`}},
		"a Task's input path":             {task + `"InputPath": "$"`, []string{`invalid keys: InputPath`}},
		"a Task's timeout by path":        {task + `"TimeoutSecondsPath": "$.t"`, []string{`invalid keys: TimeoutSecondsPath`}},
		"a state's query language":        {task + `"QueryLanguage": "JSONPath"`, []string{`invalid keys: QueryLanguage`}},
		"a Task without resource":         {`"Type": "Task", "End": true`, []string{`state "A": Resource "" is not supported here`}},
		"a Task with an unknown resource": {`"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "End": true`, []string{`state "A": Resource "arn:aws:states:::lambda:invoke.waitForTaskToken" is not supported here`}},
		"a Task without time":             {task + `"TimeoutSeconds": 0`, []string{`state "A": TimeoutSeconds is 0; it is from 1 to 99999999`}},
		"an end as text":                  {`"Type": "Task", "Resource": "echo", "End": "true"`, []string{`'End' expected type 'bool'`}},
		"two wrong fields":                {`"Type": "Task", "Resource": "echo", "End": "true", "TimeoutSeconds": "1"`, []string{`; `}},
		"a Parallel's timeout":            {`"Type": "Parallel", "End": true, "Branches": [], "TimeoutSeconds": 1`, []string{`invalid keys: TimeoutSeconds`}},
		"a Parallel's retry":              {`"Type": "Parallel", "End": true, "Branches": [], "Retry": []`, []string{`invalid keys: Retry`}},
		"a Parallel without branches":     {`"Type": "Parallel", "End": true`, []string{`state "A": has no Branches`}},
		"a Parallel of an object":         {`"Type": "Parallel", "End": true, "Branches": {}`, []string{`'Branches' source data must be an array or slice`}},
		"a Fail's error":                  {`"Type": "Fail", "Error": "X"`, []string{`invalid keys: Error`}},
		"a Fail's end":                    {`"Type": "Fail", "End": true`, []string{`invalid keys: End`}},
		"a cause that is nothing dynamic": {`"Type": "Fail", "CausePath": "it failed"`, []string{`state "A": CausePath: path "it failed": it does not begin with $`}},
		"a result path into an array":     {task + `"ResultPath": "$.a[0]"`, []string{`state "A": ResultPath: path "$.a[0]" can't be written to; it has members of the input only`}},
		"a result path into the context":  {task + `"ResultPath": "$$.Execution.Input"`, []string{`state "A": ResultPath: path "$$.Execution.Input" can't be written to`}},
		"an output path of a typo":        {task + `"OutputPath": "S.a"`, []string{`state "A": OutputPath: path "S.a": it does not begin with $`}},
		"an output path of null":          {task + `"OutputPath": null`, []string{`state "A": OutputPath: path "": it does not begin with $`}},
		"parameters that are a list":      {task + `"Parameters": []`, []string{`'Parameters' expected type`}},
		"a selector that is a path":       {task + `"ResultSelector": "$.x"`, []string{`'ResultSelector' expected type`}},
		"a dynamic name without text":     {task + `"Parameters": {"a.$": 1}`, []string{`state "A": Parameters.a.$: a name that ends in .$ has`}},
		"a dynamic name without name":     {task + `"Parameters": {".$": "$.a"}`, []string{`state "A": Parameters..$: a name that ends in .$ has`}},
		"a name both fixed and dynamic":   {task + `"Parameters": {"a": 1, "a.$": "$.a"}`, []string{`state "A": Parameters.a.$: a is given too; keep one`}},
		"a dynamic name with plain text":  {task + `"Parameters": {"a.$": "x"}`, []string{`state "A": Parameters.a.$: path "x": it does not begin with $`}},
		"a function that asl has not":     {task + `"Parameters": {"a.$": "States.UUID()"}`, []string{`state "A": Parameters.a.$: "States.UUID()" is not supported here`}},
		"a function of a function":        {task + `"Parameters": {"a.$": "States.JsonToString(States.JsonToString($))"}`, []string{`is not supported here`}},
		"a function that is not closed":   {task + `"Parameters": {"a.$": "States.JsonToString($"}`, []string{`is not supported here`}},
		"a function of no path":           {task + `"Parameters": {"a.$": "States.JsonToString('x')"}`, []string{`path "'x'": it does not begin with $`}},
		"every problem of a template": {task + `"Parameters": {"a.$": "$.x[*]", "b": {"c": [{"d.$": "$..e"}]}}`, []string{
			`state "A": Parameters.a.$: path "$.x[*]": "[*]" is not supported here`, `state "A": Parameters.b.c[0].d.$: path "$..e": "..e" is not supported here`}},
	} {
		t.Run(name, func(t *testing.T) { refused(t, machine(`"A": {`+test.state+`}`), test.want...) })
	}
}

func TestCompileRefusesPaths(t *testing.T) {
	const context = "the context object's field is not supported here"
	for path, want := range map[string]string{
		``: "it does not begin with $", `a`: "it does not begin with $",
		`$name`: `"name" is not supported here; a step is .name, ['name'] or [index]`,
		`$$$`:   `"$" is not supported here`, `$..a`: `"..a" is not supported here`, `$.*`: `".*" is not supported here`, `$.a[*]`: `"[*]" is not supported here`,
		`$.a[0:2]`: "is not supported here", `$.a[-1]`: "is not supported here", `$.a[+1]`: "is not supported here", `$.a[0,1]`: "is not supported here",
		`$.a[99999999999999999999]`: "is not supported here", `$.a[1`: "is not supported here", `$.a[?(@.b > 1)]`: "is not supported here",
		`$.a.length()`: "is not supported here", `$[\"a\"]`: "is not supported here", `$['a','b']`: "is not supported here", `$['it\\'s']`: "is not supported here",
		`$['a`: "is not supported here", `$['']`: "is not supported here", `$.`: "is not supported here", `$.a b`: "is not supported here", `$['a']b`: "is not supported here",
		`$$`: context, `$$.Execution`: context, `$$.Task.Token`: context, `$$.Map.Item.Value`: context, `$$.Execution.RedriveCount`: context, `$$[0]`: context,
	} {
		t.Run(path, func(t *testing.T) {
			refused(t, machine(`"A": {"Type": "Task", "Resource": "echo", "End": true, "OutputPath": "`+path+`"}`), want)
		})
	}
}

func TestCompileRefusesRetriesAndCatches(t *testing.T) {
	for name, test := range map[string]struct{ fields, want string }{
		"a retry in no list":                    {`"Retry": {"ErrorEquals": ["X"]}`, `'Retry' source data must be an array or slice`},
		"a retry that is no object":             {`"Retry": ["X"]`, `'Retry[0]' expected type`},
		"a retry of no errors":                  {`"Retry": [{}]`, `Retry[0]: ErrorEquals is empty`},
		"a retry of an empty list":              {`"Retry": [{"ErrorEquals": []}]`, `Retry[0]: ErrorEquals is empty`},
		"a retry of null":                       {`"Retry": [{"ErrorEquals": [null]}]`, `Retry[0]: ErrorEquals is empty, or has an empty name`},
		"a retry of a text":                     {`"Retry": [{"ErrorEquals": "X"}]`, `Retry[0]: 'ErrorEquals' source data must be an array or slice`},
		"a retry with an unknown field":         {`"Retry": [{"ErrorEquals": ["X"], "Assign": {}}]`, `Retry[0]: 'fields' has invalid keys: Assign`},
		"a retry with a field in other letters": {`"Retry": [{"errorEquals": ["X"]}]`, `Retry[0]: 'fields' has invalid keys: errorEquals`},
		"an interval of nothing":                {`"Retry": [{"ErrorEquals": ["X"], "IntervalSeconds": 0}]`, `Retry[0]: IntervalSeconds is 0; it is from 1 to 99999999`},
		"attempts below zero":                   {`"Retry": [{"ErrorEquals": ["X"], "MaxAttempts": -1}]`, `Retry[0]: MaxAttempts is -1; it is from 0 to 99999999`},
		"attempts beyond AWS's":                 {`"Retry": [{"ErrorEquals": ["X"], "MaxAttempts": 100000000}]`, `Retry[0]: MaxAttempts is 100000000; it is from 0 to 99999999`},
		"a backoff that shrinks":                {`"Retry": [{"ErrorEquals": ["X"], "BackoffRate": 0.9}]`, `Retry[0]: BackoffRate is 0.9; it is 1.0 or more`},
		"a backoff that is a text":              {`"Retry": [{"ErrorEquals": ["X"], "BackoffRate": "2"}]`, `Retry[0]: 'BackoffRate' expected type 'float64'`},
		"a cap no higher than the interval":     {`"Retry": [{"ErrorEquals": ["X"], "IntervalSeconds": 5, "MaxDelaySeconds": 5}]`, `Retry[0]: MaxDelaySeconds is 5; it is more than IntervalSeconds and less than 31622400`},
		"a cap of a leap year":                  {`"Retry": [{"ErrorEquals": ["X"], "MaxDelaySeconds": 31622400}]`, `Retry[0]: MaxDelaySeconds is 31622400`},
		"an unknown jitter":                     {`"Retry": [{"ErrorEquals": ["X"], "JitterStrategy": "EQUAL"}]`, `Retry[0]: JitterStrategy EQUAL is not supported here`},
		"all errors beside one":                 {`"Retry": [{"ErrorEquals": ["X", "States.ALL"]}]`, `Retry[0]: States.ALL must be alone, in the last of the list`},
		"all errors before the last":            {`"Retry": [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["X"]}]`, `Retry[0]: States.ALL must be alone, in the last of the list`},
		"an error that AWS doesn't know":        {`"Retry": [{"ErrorEquals": ["States.TimedOut"]}]`, `Retry[0]: States.TimedOut is not an error that Step Functions raises`},
		"a catch that is no object":             {`"Catch": [1]`, `'Catch[0]' expected type`},
		"a catch of no errors":                  {`"Catch": [{"Next": "A"}]`, `Catch[0]: ErrorEquals is empty`},
		"a catch with an unknown field":         {`"Catch": [{"ErrorEquals": ["X"], "Next": "A", "Output": {}}]`, `Catch[0]: 'fields' has invalid keys: Output`},
		"a catch of all before the last":        {`"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "A"}, {"ErrorEquals": ["X"], "Next": "A"}]`, `Catch[0]: States.ALL must be alone, in the last of the list`},
		"a catch with a path to many results":   {`"Catch": [{"ErrorEquals": ["X"], "Next": "A", "ResultPath": "$.a[*]"}]`, `Catch[0]: ResultPath: path "$.a[*]": "[*]" is not supported here`},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, machine(`"A": {"Type": "Task", "Resource": "echo", "End": true, `+test.fields+`}`), test.want)
		})
	}
}

func TestProblemsComeInTheSameOrderEveryTime(t *testing.T) {
	var broken []string
	for i := range 20 {
		broken = append(broken, fmt.Sprintf(`"S%d": {"Type": "Task", "Next": "A", "Parameters": {"b.$": 1, "a.$": 1}}`, i))
	}
	definition := []byte(machine(strings.Join(broken, ",")))
	_, first := states.Compile(definition, nil)
	for range 20 {
		if _, err := states.Compile(definition, nil); err.Error() != first.Error() {
			t.Fatalf("once\n%v\nand then\n%v", first, err)
		}
	}
}
