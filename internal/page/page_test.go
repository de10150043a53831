package page

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const text = `
Words.

` + "```yaml" + `
# some.yml
a: 1
b: 2
` + "```" + `

` + "```yaml" + `
# no file: a comment
` + "```" + `

` + "```console" + `
$ x=5
$ printf '1\n2\n3\n'
...
3
$ echo "five is $x"
five is ...
` + "```" + `
$ echo no command
`

func TestPage(t *testing.T) {
	t.Parallel()
	p := Parse(text)
	if diff := cmp.Diff(map[string]string{"some.yml": "a: 1\nb: 2\n"}, p.Files); diff != "" {
		t.Error(diff)
	}
	commands := p.Commands["console"]
	if len(p.Commands) != 1 || len(commands) != 3 || commands[1].Line != 16 {
		t.Fatal(p.Commands)
	}
	run := func() []string {
		complaints, err := Run(t.Context(), commands, t.TempDir(), os.Environ())
		if err != nil {
			t.Fatal(err)
		}
		return complaints
	}
	if got := run(); len(got) != 0 {
		t.Error(got)
	}
	commands[1].Output[1] = "4"
	if got := run(); len(got) != 1 || !strings.HasPrefix(got[0], "line 16: $ printf") {
		t.Error(got)
	}
	if _, err := Run(t.Context(), []Command{{Text: "exit 3"}}, "", nil); err == nil {
		t.Error("a script that fails")
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want, got string
		is        bool
	}{
		{"a", "a", true}, {"a", "a\nb", false}, {"...\nb", "x\ny\nb", true}, {"...", "", true}, {"at 2026-01-02T03:04:05.000000", "at 2027-11-12T13:14:15.000600", true}, {"at 2026-01-02", "at 2027-11-12", false}, {"a...c", "abc", true}, {"a...c", "a\nc", false},
		{"a\n...", "a", false}, {"a.c", "abc", false},
	} {
		if Matches(c.want, c.got) != c.is {
			t.Errorf("%q, %q", c.want, c.got)
		}
	}
}
