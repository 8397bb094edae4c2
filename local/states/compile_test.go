package states_test

import (
	"fmt"
	"strings"
	"testing"

	"trade-processing/local/states"
)

// resources are what the machines of these tests may call.
var resources = []string{"arn:aws:states:::lambda:invoke", "echo", "fail", "once", "slow"}

// machine is a definition of these states, which starts at A.
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

// refused compares the whole error, so that no problem hides another.
func refused(t *testing.T, definition, want string) {
	t.Helper()
	m, err := states.Compile([]byte(definition), resources)
	if err == nil {
		t.Fatalf("%s was taken", definition)
	}
	if m != nil {
		t.Error("there is a machine beside the error")
	}
	if err.Error() != want {
		t.Errorf("%s:\n got %s\nwant %s", definition, err, want)
	}
}

func TestCompileRefusesMachines(t *testing.T) {
	const a = `"A": {"Type": "Succeed"}`
	cases := map[string]struct{ definition, want string }{
		"nothing":                           {``, `state machine: reading JSON: unexpected EOF`},
		"what is not JSON":                  {`{"StartAt": }`, `state machine: reading JSON: invalid character '}' looking for beginning of value`},
		"a definition that is cut off":      {`{"StartAt": "A"`, `state machine: reading JSON: unexpected EOF`},
		"what follows after the definition": {machine(a) + `}`, `state machine: reading JSON: there is more behind the value`},
		"null":                              {`null`, `state machine: null is no object`},
		"a list":                            {`[]`, `state machine: [] is no object`},
		"no fields":                         {`{}`, `state machine: has no States`},
		"an unknown field":                  {`{"StartAt": "A", "States": {` + a + `}, "ProcessorConfig": {}}`, `state machine: field ProcessorConfig is not known here`},
		"a field in other letters": {`{"startAt": "A", "States": {` + a + `}}`, `state machine: field startAt is not known here
state machine: StartAt "" is no state`},
		"JSONata":                   {`{"QueryLanguage": "JSONata", "StartAt": "A", "States": {` + a + `}}`, `state machine: QueryLanguage JSONata is not known here; only JSONPath is`},
		"a version of the future":   {`{"Version": "2.0", "StartAt": "A", "States": {` + a + `}}`, `state machine: Version 2.0 is not known here; only 1.0 is`},
		"a comment that is no text": {`{"Comment": 1, "StartAt": "A", "States": {` + a + `}}`, `state machine: Comment is 1; it is a text`},
		"a timeout of nothing":      {`{"TimeoutSeconds": 0, "StartAt": "A", "States": {` + a + `}}`, `state machine: TimeoutSeconds is 0; it is from 1 to 99999999`},
		"a timeout beyond AWS's":    {`{"TimeoutSeconds": 100000000, "StartAt": "A", "States": {` + a + `}}`, `state machine: TimeoutSeconds is 100000000; it is from 1 to 99999999`},
		"a timeout beyond Go's":     {`{"TimeoutSeconds": 99999999999, "StartAt": "A", "States": {` + a + `}}`, `state machine: TimeoutSeconds is 99999999999; it is from 1 to 99999999`},
		"a timeout of a fraction":   {`{"TimeoutSeconds": 1.5, "StartAt": "A", "States": {` + a + `}}`, `state machine: TimeoutSeconds is 1.5; it is a whole number`},
		"a timeout that is a text":  {`{"TimeoutSeconds": "60", "StartAt": "A", "States": {` + a + `}}`, `state machine: TimeoutSeconds is "60"; it is a whole number`},
		"a timeout that is null":    {`{"TimeoutSeconds": null, "StartAt": "A", "States": {` + a + `}}`, `state machine: TimeoutSeconds is null; it is a whole number`},
		"no start":                  {`{"States": {` + a + `}}`, `state machine: StartAt "" is no state`},
		"a start that is no state":  {`{"StartAt": "B", "States": {` + a + `}}`, `state machine: StartAt "B" is no state`},
		"a start that is empty": {`{"StartAt": "", "States": {` + a + `}}`, `state machine: StartAt is empty
state machine: StartAt "" is no state`},
		"no states":                              {`{"StartAt": "A"}`, `state machine: has no States`},
		"empty states":                           {machine(``), `state machine: has no States`},
		"states in a list":                       {`{"StartAt": "A", "States": []}`, `state machine: States is []; it is an object`},
		"a state given twice":                    {machine(a + `, ` + a), `state machine: States.A stands twice`},
		"a field given twice, deep inside":       {machine(`"A": {"Type": "Task", "Resource": "echo", "End": true, "Retry": [{"ErrorEquals": ["X"], "MaxAttempts": 1, "MaxAttempts": 2}]}`), `state machine: States.A.Retry[0].MaxAttempts stands twice`},
		"a name of 81 characters":                {`{"StartAt": "` + strings.Repeat("é", 81) + `", "States": {"` + strings.Repeat("é", 81) + `": {"Type": "Succeed"}}}`, `state "` + strings.Repeat("é", 81) + `": the name has 81 characters; it may have 80`},
		"a definition of more than a mebibyte":   {machine(a) + strings.Repeat(" ", 1<<20), `state machine: the definition has 1048630 bytes; Step Functions takes at most 1048576`},
		"a state that is no object":              {machine(`"A": "Succeed"`), `state "A": "Succeed" is no object`},
		"a state of several lines, told in one":  {machine("\"A\": [\n  1,\n  \"\\n\",\n  \"éééééééééééééééééééé\"\n]"), `state "A": [1,"\n","ééééééééééééééé… is no object`},
		"a field whose name has a line break":    {machine(`"A": {"Type": "Succeed", "x\ny": 1}`), `state "A": field x\ny is not known here for a state of type Succeed`},
		"a state that is null":                   {machine(`"A": null`), `state "A": null is no object`},
		"a state without type":                   {machine(`"A": {"End": true}`), `state "A": has no Type`},
		"a type that is no text":                 {machine(`"A": {"Type": 1}`), `state "A": Type 1 is not known here`},
		"a type in other letters":                {machine(`"A": {"Type": "succeed"}`), `state "A": Type "succeed" is not known here`},
		"a Map":                                  {machine(`"A": {"Type": "Map", "ItemProcessor": {}, "End": true}`), `state "A": Type "Map" is not known here`},
		"a state that leads nowhere":             {machine(`"A": {"Type": "Pass", "Next": "B"}`), `state "A": leads to "B", which is no state beside it`},
		"a state that neither ends nor leads on": {machine(`"A": {"Type": "Pass"}`), `state "A": needs either Next or End`},
		"a state that ends and leads on":         {machine(`"A": {"Type": "Pass", "Next": "B", "End": true}, "B": {"Type": "Succeed"}`), `state "A": needs either Next or End`},
		"an end that is false":                   {machine(`"A": {"Type": "Pass", "End": false}`), `state "A": needs either Next or End`},
		"a catch that leads nowhere":             {machine(`"A": {"Type": "Task", "Resource": "echo", "End": true, "Catch": [{"ErrorEquals": ["X"], "Next": "B"}]}`), `state "A": leads to "B", which is no state beside it`},
		"a rule and a default that lead nowhere": {machine(`"A": {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": true, "Next": "B"}], "Default": "C"}`), `state "A": leads to "C", which is no state beside it
state "A": leads to "B", which is no state beside it`},
		"a state that nothing leads to":     {machine(a + `, "B": {"Type": "Pass", "Next": "A"}`), `state "B": is never reached`},
		"a circle without end":              {machine(`"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Wait", "Seconds": 1, "Next": "A"}`), `state "A": no state after it ends the machine`},
		"a branch without states":           {machine(`"A": {"Type": "Parallel", "End": true, "Branches": [{"StartAt": "B"}]}`), `state "A": Branches[0]: has no States`},
		"a branch that starts nowhere":      {machine(`"A": {"Type": "Parallel", "End": true, "Branches": [{"StartAt": "C", "States": {"B": {"Type": "Succeed"}}}]}`), `state "A": Branches[0]: StartAt "C" is no state`},
		"a branch with an unknown field":    {machine(`"A": {"Type": "Parallel", "End": true, "Branches": [{"StartAt": "B", "States": {"B": {"Type": "Succeed"}}, "TimeoutSeconds": 1}]}`), `state "A": Branches[0]: field TimeoutSeconds is not known here`},
		"a branch that is no object":        {machine(`"A": {"Type": "Parallel", "End": true, "Branches": ["B"]}`), `state "A": Branches[0]: "B" is no object`},
		"a branch that leads out of itself": {machine(`"A": {"Type": "Parallel", "Next": "C", "Branches": [{"StartAt": "B", "States": {"B": {"Type": "Pass", "Next": "C"}}}]}, "C": {"Type": "Succeed"}`), `state "B": leads to "C", which is no state beside it`},
		"a branch without end":              {machine(`"A": {"Type": "Parallel", "End": true, "Branches": [{"StartAt": "B", "States": {"B": {"Type": "Pass", "Next": "B"}}}]}`), `state "B": no state after it ends the machine`},
		"a name in a branch and beside it":  {machine(`"A": {"Type": "Parallel", "End": true, "Branches": [{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}]}`), `state "A": the name is used twice in the machine`},
		"a name in two branches":            {machine(`"A": {"Type": "Parallel", "End": true, "Branches": [{"StartAt": "B", "States": {"B": {"Type": "Succeed"}}}, {"StartAt": "B", "States": {"B": {"Type": "Succeed"}}}]}`), `state "B": the name is used twice in the machine`},
		"problems of several states, all at once": {machine(`"A": {"Type": "Map"}, "B": {"Type": "Task", "Resource": "x", "Assign": {}, "Next": "C"}`), `state "A": Type "Map" is not known here
state "B": field Assign is not known here for a state of type Task
state "B": Resource "x" is not known here
state "B": leads to "C", which is no state beside it`},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) { refused(t, test.definition, test.want) })
	}
}

func TestCompileRefusesFieldsOfStates(t *testing.T) {
	cases := map[string]struct{ state, want string }{
		"a Task's Arguments":       {`"Type": "Task", "Resource": "echo", "End": true, "Arguments": {}`, `state "A": field Arguments is not known here for a state of type Task`},
		"a Task's Output":          {`"Type": "Task", "Resource": "echo", "End": true, "Output": {}`, `state "A": field Output is not known here for a state of type Task`},
		"a Task's Assign":          {`"Type": "Task", "Resource": "echo", "End": true, "Assign": {}`, `state "A": field Assign is not known here for a state of type Task`},
		"a Task's heartbeat":       {`"Type": "Task", "Resource": "echo", "End": true, "HeartbeatSeconds": 1`, `state "A": field HeartbeatSeconds is not known here for a state of type Task`},
		"a Task's timeout by path": {`"Type": "Task", "Resource": "echo", "End": true, "TimeoutSecondsPath": "$.t"`, `state "A": field TimeoutSecondsPath is not known here for a state of type Task`},
		"a Task's credentials":     {`"Type": "Task", "Resource": "echo", "End": true, "Credentials": {}`, `state "A": field Credentials is not known here for a state of type Task`},
		"a state's query language": {`"Type": "Task", "Resource": "echo", "End": true, "QueryLanguage": "JSONPath"`, `state "A": field QueryLanguage is not known here for a state of type Task`},
		"a Task without resource":  {`"Type": "Task", "End": true`, `state "A": has no Resource`},
		"a Task with an empty resource": {`"Type": "Task", "Resource": "", "End": true`, `state "A": Resource is empty
state "A": has no Resource`},
		"a Task with an unknown resource": {`"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "End": true`, `state "A": Resource "arn:aws:states:::lambda:invoke.waitForTaskToken" is not known here`},
		"a Task without time":             {`"Type": "Task", "Resource": "echo", "End": true, "TimeoutSeconds": 0`, `state "A": TimeoutSeconds is 0; it is from 1 to 99999999`},
		"a Parallel's timeout":            {`"Type": "Parallel", "End": true, "Branches": [{"StartAt": "B", "States": {"B": {"Type": "Succeed"}}}], "TimeoutSeconds": 1`, `state "A": field TimeoutSeconds is not known here for a state of type Parallel`},
		"a Parallel without branches":     {`"Type": "Parallel", "End": true`, `state "A": has no Branches`},
		"a Parallel of an object": {`"Type": "Parallel", "End": true, "Branches": {}`, `state "A": Branches is {}; it is a list
state "A": has no Branches`},
		"a Pass's selector": {`"Type": "Pass", "End": true, "ResultSelector": {}`, `state "A": field ResultSelector is not known here for a state of type Pass`},
		"a Pass's retry":    {`"Type": "Pass", "End": true, "Retry": []`, `state "A": field Retry is not known here for a state of type Pass`},
		"a Pass's end as text": {`"Type": "Pass", "End": "true"`, `state "A": End is "true"; it is true or false
state "A": needs either Next or End`},
		"a Choice's next":                {`"Type": "Choice", "Next": "A", "Choices": [{"Variable": "$", "IsNull": true, "Next": "A"}]`, `state "A": field Next is not known here for a state of type Choice`},
		"a Choice's result path":         {`"Type": "Choice", "ResultPath": "$.x", "Choices": [{"Variable": "$", "IsNull": true, "Next": "A"}]`, `state "A": field ResultPath is not known here for a state of type Choice`},
		"a Wait's result path":           {`"Type": "Wait", "Seconds": 1, "End": true, "ResultPath": "$.x"`, `state "A": field ResultPath is not known here for a state of type Wait`},
		"a Wait's parameters":            {`"Type": "Wait", "Seconds": 1, "End": true, "Parameters": {}`, `state "A": field Parameters is not known here for a state of type Wait`},
		"a Succeed's next":               {`"Type": "Succeed", "Next": "A"`, `state "A": field Next is not known here for a state of type Succeed`},
		"a Succeed's end":                {`"Type": "Succeed", "End": true`, `state "A": field End is not known here for a state of type Succeed`},
		"a Fail's input path":            {`"Type": "Fail", "InputPath": "$"`, `state "A": field InputPath is not known here for a state of type Fail`},
		"a Fail's end":                   {`"Type": "Fail", "End": true`, `state "A": field End is not known here for a state of type Fail`},
		"an input path that is no text":  {`"Type": "Pass", "End": true, "InputPath": 1`, `state "A": InputPath is 1; it is a path or null`},
		"a result path into an array":    {`"Type": "Pass", "End": true, "ResultPath": "$.a[0]"`, `state "A": ResultPath: path "$.a[0]" can't be written to; it has members of the input only`},
		"a result path into the context": {`"Type": "Pass", "End": true, "ResultPath": "$$.Execution"`, `state "A": ResultPath: path "$$.Execution" can't be written to; it has members of the input only`},
		"an output path of a typo":       {`"Type": "Pass", "End": true, "OutputPath": "S.a"`, `state "A": OutputPath: path "S.a" does not begin with $`},
		"parameters that are a list":     {`"Type": "Pass", "End": true, "Parameters": []`, `state "A": Parameters is []; a payload template is an object`},
		"parameters that are null":       {`"Type": "Pass", "End": true, "Parameters": null`, `state "A": Parameters is null; a payload template is an object`},
		"a selector that is a path":      {`"Type": "Task", "Resource": "echo", "End": true, "ResultSelector": "$.x"`, `state "A": ResultSelector is "$.x"; a payload template is an object`},
		"a dynamic name without text":    {`"Type": "Pass", "End": true, "Parameters": {"a.$": 1}`, `state "A": Parameters.a.$: a name that ends in .$ has a path or an intrinsic function`},
		"a dynamic name without name":    {`"Type": "Pass", "End": true, "Parameters": {".$": "$.a"}`, `state "A": Parameters..$: a name is missing before .$`},
		"a name both fixed and dynamic":  {`"Type": "Pass", "End": true, "Parameters": {"a": 1, "a.$": "$.a"}`, `state "A": Parameters.a.$: a is given too; keep one`},
		"a dynamic name with plain text": {`"Type": "Pass", "End": true, "Parameters": {"a.$": "x"}`, `state "A": Parameters.a.$: "x" is neither a path nor an intrinsic function`},
		"every problem of a template": {`"Type": "Pass", "End": true, "Parameters": {"a.$": "$.x[*]", "b": {"c": [{"d.$": "$..e"}]}}`, `state "A": Parameters.a.$: path "$.x[*]": [*] is not known here; there are [number] and ['name']
state "A": Parameters.b.c[0].d.$: path "$..e": descent .. is not known here`},

		"a Wait for nothing":                 {`"Type": "Wait", "End": true`, `state "A": needs exactly one of Seconds, SecondsPath, Timestamp and TimestampPath`},
		"a Wait for two things":              {`"Type": "Wait", "End": true, "Seconds": 1, "TimestampPath": "$.t"`, `state "A": needs exactly one of Seconds, SecondsPath, Timestamp and TimestampPath`},
		"a Wait of less than nothing":        {`"Type": "Wait", "End": true, "Seconds": -1`, `state "A": Seconds is -1; it is from 0 to 99999999`},
		"a Wait of more than AWS's":          {`"Type": "Wait", "End": true, "Seconds": 100000000`, `state "A": Seconds is 100000000; it is from 0 to 99999999`},
		"a Wait for a time without zone":     {`"Type": "Wait", "End": true, "Timestamp": "2026-03-02T14:30:00"`, `state "A": Timestamp "2026-03-02T14:30:00" is not of the form 2026-03-02T14:30:00Z`},
		"a Wait for a time with a comma":     {`"Type": "Wait", "End": true, "Timestamp": "2026-03-02T14:30:00,5Z"`, `state "A": Timestamp "2026-03-02T14:30:00,5Z" is not of the form 2026-03-02T14:30:00Z`},
		"a Wait for a time in small letters": {`"Type": "Wait", "End": true, "Timestamp": "2026-03-02t14:30:00z"`, `state "A": Timestamp "2026-03-02t14:30:00z" is not of the form 2026-03-02T14:30:00Z`},
		"a Wait for a path that is none":     {`"Type": "Wait", "End": true, "SecondsPath": "seconds"`, `state "A": SecondsPath: path "seconds" does not begin with $`},
		"an error given in two ways":         {`"Type": "Fail", "Error": "X", "ErrorPath": "$.e"`, `state "A": ErrorPath stands beside Error; keep one`},
		"a cause given in two ways":          {`"Type": "Fail", "Cause": "", "CausePath": "$.c"`, `state "A": CausePath stands beside Cause; keep one`},
		"an error that is a number":          {`"Type": "Fail", "Error": 1`, `state "A": Error is 1; it is a text`},
		"a cause that is an array":           {`"Type": "Fail", "CausePath": "States.Array($.c)"`, `state "A": CausePath: States.Array gives no text`},
		"a cause that is nothing dynamic":    {`"Type": "Fail", "CausePath": "it failed"`, `state "A": CausePath: "it failed" is neither a path nor an intrinsic function`},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) { refused(t, machine(`"A": {`+test.state+`}`), test.want) })
	}
}

func TestCompileRefusesPaths(t *testing.T) {
	cases := map[string]struct{ path, want string }{
		"nothing":                        {``, `path "" does not begin with $`},
		"a name without $":               {`a`, `path "a" does not begin with $`},
		"a variable":                     {`$name`, `path "$name": "name" is neither .name nor [index]`},
		"a third dollar":                 {`$$$`, `path "$$$": "$" is neither .name nor [index]`},
		"a descent":                      {`$..a`, `path "$..a": descent .. is not known here`},
		"all members":                    {`$.*`, `path "$.*": "*" is no plain name; other names stand in ['']`},
		"all elements":                   {`$.a[*]`, `path "$.a[*]": [*] is not known here; there are [number] and ['name']`},
		"a slice":                        {`$.a[0:2]`, `path "$.a[0:2]": [0:2] is not known here; there are [number] and ['name']`},
		"an index from the end":          {`$.a[-1]`, `path "$.a[-1]": [-1] is not known here; there are [number] and ['name']`},
		"an index with a sign":           {`$.a[+1]`, `path "$.a[+1]": [+1] is not known here; there are [number] and ['name']`},
		"a list of indexes":              {`$.a[0,1]`, `path "$.a[0,1]": [0,1] is not known here; there are [number] and ['name']`},
		"an index beyond all":            {`$.a[99999999999999999999]`, `path "$.a[99999999999999999999]": [99999999999999999999] is not known here; there are [number] and ['name']`},
		"an index without end":           {`$.a[1`, `path "$.a[1": "[1" is not closed by ]`},
		"a filter":                       {`$.a[?(@.b > 1)]`, `path "$.a[?(@.b > 1)]": [?(@.b > 1)] is not known here; there are [number] and ['name']`},
		"a script":                       {`$.a[(@.length-1)]`, `path "$.a[(@.length-1)]": [(@.length-1)] is not known here; there are [number] and ['name']`},
		"a function":                     {`$.a.length()`, `path "$.a.length()": "length()" is no plain name; other names stand in ['']`},
		"a name in double quotes":        {`$[\"a\"]`, `path "$[\"a\"]": ["a"] is not known here; there are [number] and ['name']`},
		"a list of names":                {`$['a','b']`, `path "$['a','b']": ['a','b'] is not known here; one name stands in it, without quotes and backslashes`},
		"a quote in a name":              {`$['it\\'s']`, `path "$['it\\'s']": ['it\'s'] is not known here; one name stands in it, without quotes and backslashes`},
		"a name without closing bracket": {`$['a`, `path "$['a": "['a" is not closed by ']`},
		"an empty name":                  {`$['']`, `path "$['']": [''] is not known here; one name stands in it, without quotes and backslashes`},
		"a dot without name":             {`$.`, `path "$.": "" is no plain name; other names stand in ['']`},
		"a space":                        {`$.a b`, `path "$.a b": "a b" is no plain name; other names stand in ['']`},
		"a name behind a bracket":        {`$['a']b`, `path "$['a']b": "b" is neither .name nor [index]`},
		"the token of a callback":        {`$$.Task.Token`, `path "$$.Task.Token": the context object's field is not known here`},
		"the item of a Map":              {`$$.Map.Item.Value`, `path "$$.Map.Item.Value": the context object's field is not known here`},
		"a context field of redrives":    {`$$.Execution.RedriveCount`, `path "$$.Execution.RedriveCount": the context object's field is not known here`},
		"an index into the context":      {`$$[0]`, `path "$$[0]": the context object's field is not known here`},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			refused(t, machine(`"A": {"Type": "Pass", "End": true, "InputPath": "`+test.path+`"}`),
				`state "A": InputPath: `+test.want)
		})
	}
}

func TestCompileRefusesIntrinsicFunctions(t *testing.T) {
	cases := map[string]struct{ text, want string }{
		"an unknown function":              {`States.Base64Encode($.a)`, `"States.Base64Encode($.a)": intrinsic function States.Base64Encode is not known here`},
		"a function in other letters":      {`States.format('x')`, `"States.format('x')": intrinsic function States.format is not known here`},
		"a function without brackets":      {`States.UUID`, `"States.UUID": intrinsic function States.UUID is not known here`},
		"a function that is not closed":    {`States.Array($.a`, `"States.Array($.a": States.Array is not closed by )`},
		"a bracket too many":               {`States.Array($.a))`, `"States.Array($.a))": there is ")" behind it`},
		"a text behind the function":       {`States.UUID() x`, `"States.UUID() x": there is "x" behind it`},
		"a missing argument":               {`States.Array(1,)`, `"States.Array(1,)": States.Array: "" is no argument`},
		"a missing argument at the end":    {`States.Array(1,`, `"States.Array(1,": States.Array: it is not closed by )`},
		"a missing comma":                  {`States.Array(1 2)`, `"States.Array(1 2)": States.Array: "1 2" is no argument`},
		"arguments without comma":          {`States.Array('a' 'b')`, `"States.Array('a' 'b')": States.Array is not closed by )`},
		"too few arguments":                {`States.StringToJson()`, `"States.StringToJson()": States.StringToJson has 0 arguments; it takes 1`},
		"too many arguments":               {`States.UUID(1)`, `"States.UUID(1)": States.UUID has 1 arguments; it takes 0`},
		"no template to format":            {`States.Format()`, `"States.Format()": States.Format has 0 arguments; it takes 1 or more`},
		"fewer places than arguments":      {`States.Format('a {}', 1, 2)`, `"States.Format('a {}', 1, 2)": States.Format: there are 2 arguments for 1 {}`},
		"more places than arguments":       {`States.Format('{} {}', 1)`, `"States.Format('{} {}', 1)": States.Format: there are 1 arguments for 2 {}`},
		"a text that is not closed":        {`States.Array('a)`, `"States.Array('a)": States.Array: a text is not closed by '`},
		"a text in double quotes":          {`States.Array(\"a\")`, `"States.Array(\"a\")": States.Array: "\"a\"" is no argument`},
		"a number that is none in JSON":    {`States.Array(0x10)`, `"States.Array(0x10)": States.Array: "0x10" is no argument`},
		"not a number":                     {`States.Array(NaN)`, `"States.Array(NaN)": States.Array: "NaN" is no argument`},
		"a path of several results":        {`States.Array($.a[*])`, `"States.Array($.a[*])": States.Array: path "$.a[*]": [*] is not known here; there are [number] and ['name']`},
		"a backslash before a letter":      {`States.Array('a\\n')`, `"States.Array('a\\n')": States.Array: a backslash stands before none of \ ' { }`},
		"a brace without backslash":        {`States.Format('{ {}', 1)`, `"States.Format('{ {}', 1)": States.Format: braces stand as \{ and \} in a text`},
		"a place in a text for no format":  {`States.Array('{}')`, `"States.Array('{}')": States.Array: braces stand as \{ and \} in a text`},
		"an unknown function inside":       {`States.Array(States.Hash($.a, 'MD5'))`, `"States.Array(States.Hash($.a, 'MD5'))": States.Array: intrinsic function States.Hash is not known here`},
		"more functions than AWS nests":    {strings.Repeat(`States.Array(`, 11) + strings.Repeat(`)`, 11), `"States.Array(States.Array(States.Array(States.Array(States.Array(States.Array(States.Array(States.Array(States.Array(States.Array(States.Array()))))))))))": it calls 11 functions; at most 10 may be nested`},
		"a path behind the last character": {`States.Array($.a)$.b`, `"States.Array($.a)$.b": there is "$.b" behind it`},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			refused(t, machine(`"A": {"Type": "Pass", "End": true, "Parameters": {"x.$": "`+test.text+`"}}`),
				`state "A": Parameters.x.$: `+test.want)
		})
	}
}

func TestCompileRefusesRetriesAndCatches(t *testing.T) {
	cases := map[string]struct{ fields, want string }{
		"a retry in no list":        {`"Retry": {"ErrorEquals": ["X"]}`, `Retry is {"ErrorEquals":["X"]}; it is a list`},
		"a retry that is null":      {`"Retry": null`, `Retry is null; it is a list`},
		"a retry that is no object": {`"Retry": ["X"]`, `Retry[0]: "X" is no object`},
		"a retry of no errors":      {`"Retry": [{}]`, `Retry[0]: has no ErrorEquals`},
		"a retry of an empty list":  {`"Retry": [{"ErrorEquals": []}]`, `Retry[0]: has no ErrorEquals`},
		"a retry of a text": {`"Retry": [{"ErrorEquals": "X"}]`, `Retry[0]: ErrorEquals is "X"; it is a list
state "A": Retry[0]: has no ErrorEquals`},
		"a retry with an unknown field": {`"Retry": [{"ErrorEquals": ["X"], "Assign": {}}]`, `Retry[0]: field Assign is not known here`},
		"a retry with a field in other letters": {`"Retry": [{"errorEquals": ["X"]}]`, `Retry[0]: field errorEquals is not known here
state "A": Retry[0]: has no ErrorEquals`},
		"an interval of nothing":                    {`"Retry": [{"ErrorEquals": ["X"], "IntervalSeconds": 0}]`, `Retry[0]: IntervalSeconds is 0; it is from 1 to 99999999`},
		"an interval beyond AWS's":                  {`"Retry": [{"ErrorEquals": ["X"], "IntervalSeconds": 100000000}]`, `Retry[0]: IntervalSeconds is 100000000; it is from 1 to 99999999`},
		"attempts below zero":                       {`"Retry": [{"ErrorEquals": ["X"], "MaxAttempts": -1}]`, `Retry[0]: MaxAttempts is -1; it is from 0 to 99999999`},
		"attempts beyond AWS's":                     {`"Retry": [{"ErrorEquals": ["X"], "MaxAttempts": 100000000}]`, `Retry[0]: MaxAttempts is 100000000; it is from 0 to 99999999`},
		"a backoff that shrinks":                    {`"Retry": [{"ErrorEquals": ["X"], "BackoffRate": 0.9}]`, `Retry[0]: BackoffRate is 0.9; it is 1.0 or more`},
		"a backoff that is a text":                  {`"Retry": [{"ErrorEquals": ["X"], "BackoffRate": "2"}]`, `Retry[0]: BackoffRate is "2"; it is a number`},
		"a cap no higher than the interval":         {`"Retry": [{"ErrorEquals": ["X"], "IntervalSeconds": 5, "MaxDelaySeconds": 5}]`, `Retry[0]: MaxDelaySeconds is 5; it is more than IntervalSeconds and less than 31622400`},
		"a cap of a leap year":                      {`"Retry": [{"ErrorEquals": ["X"], "MaxDelaySeconds": 31622400}]`, `Retry[0]: MaxDelaySeconds is 31622400; it is more than IntervalSeconds and less than 31622400`},
		"a cap of nothing":                          {`"Retry": [{"ErrorEquals": ["X"], "MaxDelaySeconds": 0}]`, `Retry[0]: MaxDelaySeconds is 0; it is more than IntervalSeconds and less than 31622400`},
		"an unknown jitter":                         {`"Retry": [{"ErrorEquals": ["X"], "JitterStrategy": "EQUAL"}]`, `Retry[0]: JitterStrategy EQUAL is not known here`},
		"an empty jitter":                           {`"Retry": [{"ErrorEquals": ["X"], "JitterStrategy": ""}]`, `Retry[0]: JitterStrategy is empty`},
		"all errors beside one":                     {`"Retry": [{"ErrorEquals": ["X", "States.ALL"]}]`, `Retry[0]: States.ALL stands alone, in the last of the list`},
		"all errors before the last":                {`"Retry": [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["X"]}]`, `Retry[0]: States.ALL stands alone, in the last of the list`},
		"an error that Step Functions doesn't know": {`"Retry": [{"ErrorEquals": ["States.TimedOut"]}]`, `Retry[0]: States.TimedOut is no error that Step Functions raises`},
		"a catch that is no object":                 {`"Catch": [1]`, `Catch[0]: 1 is no object`},
		"a catch without next":                      {`"Catch": [{"ErrorEquals": ["X"]}]`, `Catch[0]: has no Next`},
		"a catch of no errors":                      {`"Catch": [{"Next": "A"}]`, `Catch[0]: has no ErrorEquals`},
		"a catch with an unknown field":             {`"Catch": [{"ErrorEquals": ["X"], "Next": "A", "Output": {}}]`, `Catch[0]: field Output is not known here`},
		"a catch of all errors before the last":     {`"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "A"}, {"ErrorEquals": ["X"], "Next": "A"}]`, `Catch[0]: States.ALL stands alone, in the last of the list`},
		"a catch with a path to several results":    {`"Catch": [{"ErrorEquals": ["X"], "Next": "A", "ResultPath": "$.a[*]"}]`, `Catch[0]: ResultPath: path "$.a[*]": [*] is not known here; there are [number] and ['name']`},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			refused(t, machine(`"A": {"Type": "Task", "Resource": "echo", "End": true, `+test.fields+`}`), `state "A": `+test.want)
		})
	}
}

func TestCompileRefusesRules(t *testing.T) {
	cases := map[string]struct{ rule, want string }{
		"a rule that is no object":               {`1`, `state "A": Choices[0]: 1 is no object`},
		"a rule without next":                    {`{"Variable": "$.a", "IsNull": true}`, `state "A": Choices[0]: has no Next`},
		"a rule whose next is empty":             {`{"Variable": "$.a", "IsNull": true, "Next": ""}`, `state "A": Choices[0]: has no Next`},
		"a rule without operator":                {`{"Variable": "$.a", "Next": "A"}`, `state "A": Choices[0]: needs exactly one operator, and has []`},
		"a rule with two operators":              {`{"Variable": "$.a", "IsNull": true, "IsString": true, "Next": "A"}`, `state "A": Choices[0]: needs exactly one operator, and has [IsNull IsString]`},
		"a rule without variable":                {`{"IsNull": true, "Next": "A"}`, `state "A": Choices[0]: IsNull: needs a path as Variable`},
		"a variable that is no text":             {`{"Variable": 1, "IsNull": true, "Next": "A"}`, `state "A": Choices[0]: IsNull: needs a path as Variable`},
		"a variable of several results":          {`{"Variable": "$.a[*]", "IsNull": true, "Next": "A"}`, `state "A": Choices[0]: IsNull: Variable: path "$.a[*]": [*] is not known here; there are [number] and ['name']`},
		"a comment that is no text":              {`{"Comment": 1, "Variable": "$.a", "IsNull": true, "Next": "A"}`, `state "A": Choices[0]: Comment is 1; it is a text`},
		"a condition of JSONata":                 {`{"Condition": "{% true %}", "Next": "A"}`, `state "A": Choices[0]: Condition: the operator is not known here`},
		"an assignment":                          {`{"Variable": "$.a", "IsNull": true, "Assign": {}, "Next": "A"}`, `state "A": Choices[0]: needs exactly one operator, and has [Assign IsNull]`},
		"an unknown operator":                    {`{"Variable": "$.a", "NumericNotEquals": 1, "Next": "A"}`, `state "A": Choices[0]: NumericNotEquals: the operator is not known here`},
		"an unknown question":                    {`{"Variable": "$.a", "IsArray": true, "Next": "A"}`, `state "A": Choices[0]: IsArray: the operator is not known here`},
		"an operator in other letters":           {`{"Variable": "$.a", "stringEquals": "x", "Next": "A"}`, `state "A": Choices[0]: stringEquals: the operator is not known here`},
		"an order of booleans":                   {`{"Variable": "$.a", "BooleanLessThan": true, "Next": "A"}`, `state "A": Choices[0]: BooleanLessThan: the operator is not known here`},
		"matches by path":                        {`{"Variable": "$.a", "StringMatchesPath": "$.b", "Next": "A"}`, `state "A": Choices[0]: StringMatchesPath: the operator is not known here`},
		"a number compared with a text":          {`{"Variable": "$.a", "NumericEquals": "1", "Next": "A"}`, `state "A": Choices[0]: NumericEquals: can't compare with "1"`},
		"a number too large to compare":          {`{"Variable": "$.a", "NumericEquals": 1e999, "Next": "A"}`, `state "A": Choices[0]: NumericEquals: can't compare with 1e999`},
		"a text compared with a number":          {`{"Variable": "$.a", "StringEquals": 1, "Next": "A"}`, `state "A": Choices[0]: StringEquals: can't compare with 1`},
		"a time that is none":                    {`{"Variable": "$.a", "TimestampEquals": "today", "Next": "A"}`, `state "A": Choices[0]: TimestampEquals: can't compare with "today"`},
		"a boolean that is a text":               {`{"Variable": "$.a", "BooleanEquals": "true", "Next": "A"}`, `state "A": Choices[0]: BooleanEquals: can't compare with "true"`},
		"a question with a text":                 {`{"Variable": "$.a", "IsPresent": "yes", "Next": "A"}`, `state "A": Choices[0]: IsPresent: is "yes"; it is true or false`},
		"a question with null":                   {`{"Variable": "$.a", "IsPresent": null, "Next": "A"}`, `state "A": Choices[0]: IsPresent: is null; it is true or false`},
		"a path to compare with that is none":    {`{"Variable": "$.a", "StringEqualsPath": "b", "Next": "A"}`, `state "A": Choices[0]: StringEqualsPath: path "b" does not begin with $`},
		"a path to compare with that is no text": {`{"Variable": "$.a", "StringEqualsPath": 1, "Next": "A"}`, `state "A": Choices[0]: StringEqualsPath: path "" does not begin with $`},
		"a pattern that is no text":              {`{"Variable": "$.a", "StringMatches": 1, "Next": "A"}`, `state "A": Choices[0]: StringMatches: is 1; it is a text`},
		"a pattern with a stray backslash":       {`{"Variable": "$.a", "StringMatches": "a\\b", "Next": "A"}`, `state "A": Choices[0]: StringMatches: "a\\b" has a backslash that stands before neither * nor \`},
		"a pattern with a backslash at the end":  {`{"Variable": "$.a", "StringMatches": "a\\", "Next": "A"}`, `state "A": Choices[0]: StringMatches: "a\\" has a backslash that stands before neither * nor \`},
		"and of nothing":                         {`{"And": [], "Next": "A"}`, `state "A": Choices[0]: And: is []; it is a list of one or more rules`},
		"or of no list":                          {`{"Or": {}, "Next": "A"}`, `state "A": Choices[0]: Or: is {}; it is a list of one or more rules`},
		"and beside a variable":                  {`{"Variable": "$.a", "And": [{"Variable": "$.a", "IsNull": true}], "Next": "A"}`, `state "A": Choices[0]: And: takes no Variable`},
		"and of what is no rule":                 {`{"And": [1], "Next": "A"}`, `state "A": Choices[0]: And[0]: 1 is no object`},
		"and with a next inside":                 {`{"And": [{"Variable": "$.a", "IsNull": true, "Next": "A"}], "Next": "A"}`, `state "A": Choices[0]: And[0]: needs exactly one operator, and has [IsNull Next]`},
		"not of a list":                          {`{"Not": [], "Next": "A"}`, `state "A": Choices[0]: Not: [] is no object`},
		"an unknown operator deep inside":        {`{"Or": [{"Not": {"And": [{"Variable": "$.a", "IsArray": true}]}}], "Next": "A"}`, `state "A": Choices[0]: Or[0]: Not: And[0]: IsArray: the operator is not known here`},
		"every problem of a rule, not only the one": {`{"Or": [{"Variable": "a", "IsNull": true}, {"Variable": "$.a", "IsArray": true}], "Next": "A"}`, `state "A": Choices[0]: Or[0]: IsNull: Variable: path "a" does not begin with $
state "A": Choices[0]: Or[1]: IsArray: the operator is not known here`},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			refused(t, machine(`"A": {"Type": "Choice", "Choices": [`+test.rule+`], "Default": "B"}, "B": {"Type": "Succeed"}`), test.want)
		})
	}
	t.Run("no rules", func(t *testing.T) {
		refused(t, machine(`"A": {"Type": "Choice", "Choices": [], "Default": "B"}, "B": {"Type": "Succeed"}`), `state "A": has no Choices`)
	})
}

func TestProblemsComeInTheSameOrderEveryTime(t *testing.T) {
	var broken []string
	for i := range 20 {
		broken = append(broken, fmt.Sprintf(`"S%d": {"Type": "Pass", "Foo": 1, "Bar": 2, "Parameters": {"b.$": 1, "a.$": 1}}`, i))
	}
	definition := []byte(machine(strings.Join(broken, ",")))
	_, first := states.Compile(definition, nil)
	for range 20 {
		if _, err := states.Compile(definition, nil); err.Error() != first.Error() {
			t.Fatalf("once\n%v\nand then\n%v", first, err)
		}
	}
}
