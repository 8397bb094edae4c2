package shell_test

import (
	"slices"
	"strings"
	"testing"

	"trade-processing/tests/shell"
)

func TestCommandsAreFoundWhereverTheyStand(t *testing.T) {
	for name, test := range map[string]struct {
		script string
		want   []string
	}{
		"in a line":              {"a --b c", []string{"a --b c"}},
		"over several lines":     {"a --b \\\n  c\nd", []string{"a --b c", "d"}},
		"in a pipe":              {"a | b --c && d; e", []string{"a", "b --c", "d", "e"}},
		"in a substitution":      {`a --b "$(c --d ".e")" --f`, []string{"a --b … --f", "c --d .e"}},
		"in a loop":              {"for x in 1 2; do a \"$x\"; done", []string{"a …"}},
		"behind a setting":       {"x=1 a b", []string{"a b"}},
		"beside a remark":        {"a b # c --d", []string{"a b"}},
		"with quotes":            {`a 'b | --c' "d  e"`, []string{"a b | --c d  e"}},
		"with a redirection":     {"a > b 2>&1", []string{"a"}},
		"in a function":          {"f() { a b; }", []string{"a b"}},
		"beside a here-document": {"a <<END\n--b\nEND", []string{"a"}},
	} {
		t.Run(name, func(t *testing.T) {
			commands, err := shell.Commands(test.script)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range commands {
				got = append(got, c.String())
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestTheOptionsOfACommand(t *testing.T) {
	commands, err := shell.Commands(`a b --c d --e=f -g "--h" -- --i`)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := commands[0].Options(), []string{"c", "e", "h"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWhatIsNoShellIsAnError(t *testing.T) {
	if _, err := shell.Commands("a\nif b; then"); err == nil || !strings.Contains(err.Error(), "2:") {
		t.Errorf("it says %v, and not in which line", err)
	}
}
