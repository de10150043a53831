package argparse

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadBash splits lines as bash does, and expands nothing.
func TestReadBash(t *testing.T) {
	t.Parallel()
	const breaks = " \t\n\"'><=;|&(:"
	for line, want := range map[string]bashLine{
		"craton ":                           {words: []string{""}},
		"craton host-show w":                {words: []string{"host-show", "w"}},
		`craton host-show 'x;touch f' `:     {words: []string{"host-show", "x;touch f", ""}},
		`craton host-show "a \"b\" \x $y`:   {words: []string{"host-show", `a "b" \x $y`}, quote: '"'},
		`craton host-show it\'s\ `:          {words: []string{"host-show", "it's "}},
		`craton host-show we'b-`:            {words: []string{"host-show", "web-"}, before: "we", quote: '\''},
		`craton host-list --region=d`:       {words: []string{"host-list", "--region=d"}, before: "--region="},
		`craton host-list --region="d f":e`: {words: []string{"host-list", "--region=d f:e"}, before: "--region=d f:"},
		`craton host-list --region="d:f"e`:  {words: []string{"host-list", "--region=d:fe"}, before: "--region="},
		`craton host-list \=x`:              {words: []string{"host-list", "=x"}},
		"craton x $(a 'b)' c) `d e` f":      {words: []string{"x", "$(a 'b)' c)", "`d e`", "f"}},
		"craton x $(craton host-show w":     {words: []string{"host-show", "w"}},
		"craton x `craton host-show w":      {words: []string{"host-show", "w"}},
		"a | craton host-show w":            {words: []string{"host-show", "w"}},
		"craton host-list > ou":             {words: []string{"host-list", "ou"}, file: true},
		"craton host-list 2>&1 --":          {words: []string{"host-list", "--"}},
		"craton host-list >>out 2> err --":  {words: []string{"host-list", "--"}},
	} {
		if diff := cmp.Diff(want, readBash(line, breaks), cmp.AllowUnexported(bashLine{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
}

// TestCompletionAnswers are what each shell's script is given.
func TestCompletionAnswers(t *testing.T) {
	t.Parallel()
	two := []candidateWord{{"it's", "an it"}, {"web 1", ""}}
	var zsh, fish, bash, quoted bytes.Buffer
	answer := completionAnswer{rule: "nospace", candidates: two}
	for _, err := range []error{
		answer.write(&zsh, true), answer.write(&fish, false),
		answer.writeBash(&bash, bashLine{}, true), answer.writeBash(&quoted, bashLine{before: "", quote: '\''}, false),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for got, want := range map[string]string{
		zsh.String():    "nospace\nit's\tit's   -- an it\nweb 1\n",
		fish.String():   "nospace\nit's\tan it\nweb 1\n",
		bash.String():   "nospace\nit\\'s   (an it)\nweb\\ 1\n",
		quoted.String(): "nospace\nit'\\''s\nweb 1\n",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestReadFish takes quotes off as fish does.
func TestReadFish(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"web": "web", "'it\\'s": "it's", `"a\"b\$c\d`: `a"b$c\d`, `a\ b\;`: "a b;", `a\`: "a", `$(x)'y'z`: "$(x)yz",
	} {
		if got := readFish(typed); got != want {
			t.Errorf("%s: %q, want %q", typed, got, want)
		}
	}
}
