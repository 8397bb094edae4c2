package pattern_test

import (
	"strings"
	"testing"

	"trade-processing/local/pattern"
)

func TestCompileRefuses(t *testing.T) {
	cases := map[string]struct{ pattern, want string }{
		"an operator that is not known":           {`{"detail": {"amount": [{"foo": 1}]}}`, `event pattern: detail.amount: operator "foo" is not known`},
		"the matcher's own operator exactly":      {`{"a": [{"exactly": "x"}]}`, `event pattern: a: operator "exactly" is not known`},
		"an operator with capital letters":        {`{"a": [{"Prefix": "x"}]}`, `event pattern: a: operator "Prefix" is not known`},
		"text that is not JSON":                   {`{"a": [1]`, `event pattern: reading JSON: unexpected EOF`},
		"a comma too many":                        {`{"a": [1,]}`, `event pattern: reading JSON: invalid character ']' looking for beginning of value`},
		"a name that is a number":                 {`{1: [1]}`, `event pattern: reading JSON: invalid character '1' looking for beginning of object key string`},
		"a value that is a word":                  {`{"a": {"b": nil}}`, `event pattern: reading JSON: invalid character 'i' in literal null (expecting 'u')`},
		"a leaf that is a boolean":                {`{"a": true}`, `event pattern: a: must be an object or an array, not a boolean`},
		"nothing at all":                          {``, `event pattern: reading JSON: unexpected EOF`},
		"two patterns":                            {`{"a":[1]} {"b":[1]}`, `event pattern: reading JSON: there is more behind the value`},
		"text that is not UTF-8":                  {"{\"a\": [\"\xff\"]}", `event pattern: not valid UTF-8`},
		"a pattern that is too long":              {`{"a": ["` + strings.Repeat("é", 4096) + `"]}`, `event pattern: it has 4107 characters, and EventBridge takes at most 4096`},
		"an array":                                {`[1]`, `event pattern: must be an object, not an array`},
		"an empty pattern":                        {`{}`, `event pattern: an empty object selects nothing; leave the field out`},
		"an empty object":                         {`{"detail": {}}`, `event pattern: detail: an empty object selects nothing; leave the field out`},
		"an empty array":                          {`{"detail": {"a": []}}`, `event pattern: detail.a: an empty array selects nothing; leave the field out`},
		"a leaf that is no array":                 {`{"source": "aws.ec2"}`, `event pattern: source: must be an object or an array, not a string`},
		"a leaf that is null":                     {`{"source": null}`, `event pattern: source: must be an object or an array, not null`},
		"an array in an array":                    {`{"a": [["x"]]}`, `event pattern: a: the array may hold strings, numbers, true, false, null and operators, but holds an array`},
		"a name that stands twice":                {`{"detail": {"a": [1], "a": [2]}}`, `event pattern: detail.a is listed twice`},
		"an operator without a name":              {`{"a": [{}]}`, `event pattern: a: an operator must have one key, but has 0: []`},
		"two operators in one object":             {`{"a": [{"prefix": "x", "suffix": "y"}]}`, `event pattern: a: an operator must have one key, but has 2: ["prefix" "suffix"]`},
		"a number above the range":                {`{"a": [{"numeric": ["=", 5000000001]}]}`, `event pattern: a: numeric: 5000000001: EventBridge compares numbers from -5.0e9 to 5.0e9, to six digits right of the point, only`},
		"a name with a dot":                       {`{"detail": {"a.b": [1]}}`, `event pattern: detail."a.b": a name with a dot; AWS's matcher takes it for the path of a nested field`},
		"a name with a dot of an object":          {`{"detail.a": {"b": [1]}}`, `event pattern: "detail.a": a name with a dot; AWS's matcher takes it for the path of a nested field`},
		"a number below the range":                {`{"a": [{"numeric": ["<", -6e9]}]}`, `event pattern: a: numeric: -6e9: EventBridge compares numbers from -5.0e9 to 5.0e9, to six digits right of the point, only`},
		"a number of seven decimals":              {`{"a": [{"anything-but": 0.1234567}]}`, `event pattern: a: anything-but: 0.1234567: EventBridge compares numbers from -5.0e9 to 5.0e9, to six digits right of the point, only`},
		"exists with a text":                      {`{"a": [{"exists": "true"}]}`, `event pattern: a: exists must be true or false, not a string`},
		"numeric without an array":                {`{"a": [{"numeric": 5}]}`, `event pattern: a: numeric must be an array of one or two comparisons, such as [">", 0, "<=", 5]`},
		"numeric with one term":                   {`{"a": [{"numeric": ["="]}]}`, `event pattern: a: numeric must be an array of one or two comparisons, such as [">", 0, "<=", 5]`},
		"numeric with three terms":                {`{"a": [{"numeric": [">", 1, "<"]}]}`, `event pattern: a: numeric must be an array of one or two comparisons, such as [">", 0, "<=", 5]`},
		"numeric with an unknown operator":        {`{"a": [{"numeric": ["!=", 1]}]}`, `event pattern: a: numeric: operator != is not known`},
		"numeric with a number as operator":       {`{"a": [{"numeric": [1, 1]}]}`, `event pattern: a: numeric: operator 1 is not known`},
		"numeric with a text as number":           {`{"a": [{"numeric": [">", "1"]}]}`, `event pattern: a: numeric: a string where a number must be`},
		"numeric with the upper bound first":      {`{"a": [{"numeric": ["<", 5, ">", 1]}]}`, `event pattern: a: numeric: a range is a lower bound (>, >=) followed by an upper bound (<, <=)`},
		"numeric with two lower bounds":           {`{"a": [{"numeric": [">", 1, ">=", 5]}]}`, `event pattern: a: numeric: a range is a lower bound (>, >=) followed by an upper bound (<, <=)`},
		"numeric with an equal sign in a range":   {`{"a": [{"numeric": [">", 1, "=", 5]}]}`, `event pattern: a: numeric: a range is a lower bound (>, >=) followed by an upper bound (<, <=)`},
		"a range that holds no number":            {`{"a": [{"numeric": [">", 5, "<", 5]}]}`, `event pattern: a: numeric: the lower bound must be less than the upper one`},
		"a range that holds one number":           {`{"a": [{"numeric": [">=", 5, "<=", 5]}]}`, `event pattern: a: numeric: the lower bound must be less than the upper one`},
		"a range that is upside down":             {`{"a": [{"numeric": [">", 6, "<", 5]}]}`, `event pattern: a: numeric: the lower bound must be less than the upper one`},
		"anything-but with a boolean":             {`{"a": [{"anything-but": true}]}`, `event pattern: a: anything-but: it takes strings and numbers, not a boolean`},
		"anything-but with null in a list":        {`{"a": [{"anything-but": [null]}]}`, `event pattern: a: anything-but: it takes strings and numbers, not null`},
		"anything-but of texts and numbers":       {`{"a": [{"anything-but": ["x", 1]}]}`, `event pattern: a: anything-but: a list holds either strings or numbers, not both`},
		"anything-but of nothing":                 {`{"a": [{"anything-but": []}]}`, `event pattern: a: anything-but: an empty list excludes nothing`},
		"anything-but with an unknown operator":   {`{"a": [{"anything-but": {"numeric": ["=", 1]}}]}`, `event pattern: a: anything-but: operator "numeric" is not known`},
		"anything-but with two operators":         {`{"a": [{"anything-but": {"prefix": "x", "suffix": "y"}}]}`, `event pattern: a: anything-but must have one key, but has 2: ["prefix" "suffix"]`},
		"anything-but with an empty prefix":       {`{"a": [{"anything-but": {"prefix": ""}}]}`, `event pattern: a: anything-but: prefix: an empty string excludes everything`},
		"anything-but with no prefixes":           {`{"a": [{"anything-but": {"prefix": []}}]}`, `event pattern: a: anything-but: an empty list excludes nothing`},
		"anything-but with a number for a suffix": {`{"a": [{"anything-but": {"suffix": [1]}}]}`, `event pattern: a: anything-but: suffix must be a string, not a number`},
		"a prefix that is a number":               {`{"a": [{"prefix": 1}]}`, `event pattern: a: prefix must be a string, not a number`},
		"a prefix with another operator":          {`{"a": [{"prefix": {"wildcard": "x*"}}]}`, `event pattern: a: prefix: operator "wildcard" is not known`},
		"a suffix regardless of the case of 1":    {`{"a": [{"suffix": {"equals-ignore-case": 1}}]}`, `event pattern: a: suffix: equals-ignore-case must be a string, not a number`},
		"a prefix with two operators":             {`{"a": [{"prefix": {"equals-ignore-case": "x", "x": 1}}]}`, `event pattern: a: prefix must have one key, but has 2: ["equals-ignore-case" "x"]`},
		"equals-ignore-case with a list":          {`{"a": [{"equals-ignore-case": ["x"]}]}`, `event pattern: a: equals-ignore-case must be a string, not an array`},
		"a block that is an address":              {`{"a": [{"cidr": "10.0.0.0"}]}`, `event pattern: a: cidr: "10.0.0.0" is not an address block such as 10.0.0.0/24`},
		"a block of one address":                  {`{"a": [{"cidr": "10.0.0.1/32"}]}`, `event pattern: a: cidr: "10.0.0.1/32" is a single address; write it as a string`},
		"a block of one long address":             {`{"a": [{"cidr": "2001:db8::1/128"}]}`, `event pattern: a: cidr: "2001:db8::1/128" is a single address; write it as a string`},
		"a block of IPv4 addresses in IPv6":       {`{"a": [{"cidr": "::ffff:10.0.0.1/104"}]}`, `event pattern: a: cidr: "::ffff:10.0.0.1/104" is not an address block such as 10.0.0.0/24`},
		"wildcards with many asterisks":           {`{"a": [{"wildcard": "*:*:*:*:*:event-bus/*"}]}`, `event pattern: a: too complex for EventBridge; use fewer wildcards, or fewer repeated characters behind one`},
		"wildcards with many repeated characters": {`{"a": [{"anything-but": {"wildcard": "x*aaaaaaaaaaaaa"}}]}`, `event pattern: a: too complex for EventBridge; use fewer wildcards, or fewer repeated characters behind one`},
		"many wildcards":                          {`{"a": [{"wildcard": "*:stack/a/*"}, {"wildcard": "*:stack/b/*"}, {"wildcard": "*:stack/c/*"}, {"wildcard": "*:stack/d/*"}]}`, `event pattern: a: too complex for EventBridge; use fewer wildcards, or fewer repeated characters behind one`},
		"a block that is a number":                {`{"a": [{"cidr": 10}]}`, `event pattern: a: cidr must be a string, not a number`},
		"two asterisks in a row":                  {`{"a": [{"wildcard": "x**y"}]}`, `event pattern: a: wildcard: "x**y" has two asterisks in a row`},
		"a backslash before another character":    {`{"a": [{"wildcard": "x\\y"}]}`, `event pattern: a: wildcard: "x\\y" has a backslash before neither * nor \`},
		"an $or":                                  {`{"$or": [{"a": [1]}, {"b": [1]}]}`, `event pattern: $or: not supported here; declare a rule for each alternative`},
		"a backslash at the end":                  {`{"a": [{"wildcard": "x\\"}]}`, `event pattern: a: wildcard: "x\\" has a backslash before neither * nor \`},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := pattern.Compile([]byte(test.pattern))
			if err == nil {
				t.Fatalf("%s was taken", test.pattern)
			}
			if err.Error() != test.want {
				t.Errorf("%s:\n got %s\nwant %s", test.pattern, err, test.want)
			}
		})
	}
}

func TestCompileReportsAllProblemsAtOnce(t *testing.T) {
	_, err := pattern.Compile([]byte(`{"source": "x", "detail": {"a": [{"foo": 1}, {"bar": 2}], "b": {}}}`))
	want := `event pattern: detail.a: operator "foo" is not known
event pattern: detail.a: operator "bar" is not known
event pattern: detail.b: an empty object selects nothing; leave the field out
event pattern: source: must be an object or an array, not a string`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
