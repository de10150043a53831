package page

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"

	"github.com/google/go-cmp/cmp"
)

// Command is a line "$ ..." of a block, with the output that the page shows for it.
type Command struct {
	Line   int
	Text   string
	Output []string
}

// Page holds the parts of a page that tests run.
type Page struct {
	Commands map[string][]Command // by the word after the fence
	Files    map[string]string    // by name
}

var fileName = regexp.MustCompile(`^# (\S+)$`)

// Parse reads a page.
func Parse(text string) Page {
	p := Page{Commands: map[string][]Command{}, Files: map[string]string{}}
	kind, name := "", ""
	for i, line := range strings.Split(text, "\n") {
		commands := p.Commands[kind]
		switch m := fileName.FindStringSubmatch(line); {
		case kind == "" && strings.HasPrefix(line, "```"):
			kind, name = strings.TrimPrefix(line, "```"), ""
		case line == "```":
			kind = ""
		case kind == "yaml" && name == "" && m != nil:
			name = m[1]
		case kind == "yaml" && name != "":
			p.Files[name] += line + "\n"
		case (kind == "console" || kind == "shell-session") && strings.HasPrefix(line, "$ "):
			p.Commands[kind] = append(commands, Command{Line: i + 1, Text: strings.TrimPrefix(line, "$ ")})
		case len(commands) > 0:
			last := &commands[len(commands)-1]
			last.Output = append(last.Output, line)
		}
	}
	return p
}

// Run types commands one after the other into one bash, in a directory and an environment, and returns what differs from
// the page: for each such command its line and the difference. Standard error counts as output.
func Run(ctx context.Context, commands []Command, dir string, env []string) (complaints []string, err error) {
	const mark = "--8<-- end of command"
	var script strings.Builder
	for _, c := range commands {
		fmt.Fprintf(&script, "%s\necho '%s'\n", c.Text, mark)
	}
	sh := exec.CommandContext(ctx, "bash", "-c", script.String())
	sh.Dir, sh.Env = dir, env
	var out bytes.Buffer
	sh.Stdout, sh.Stderr = &out, &out
	if err := sh.Run(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out.String())
	}
	outputs := strings.Split(out.String(), mark+"\n")
	for i, c := range commands {
		if complaint := c.Compare(outputs[i]); complaint != "" {
			complaints = append(complaints, complaint)
		}
	}
	return complaints, nil
}

// Compare returns how what a command prints differs from what the page shows; "" if it does not.
func (c Command) Compare(output string) string {
	want, got := strings.TrimRight(strings.Join(c.Output, "\n"), "\n"), strings.TrimRight(output, "\n")
	if Matches(want, got) {
		return ""
	}
	return fmt.Sprintf("line %d: $ %s\n%s", c.Line, c.Text, cmp.Diff(want, got))
}

// times are when something was made, which is never when the page was written.
var times = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}`)

// Matches reports whether an output is what a page shows.
func Matches(want, got string) bool {
	want, got = times.ReplaceAllString(want, "TIME"), times.ReplaceAllString(got, "TIME")
	pattern := "\n" + regexp.QuoteMeta(want)
	pattern = strings.ReplaceAll(pattern, "\n"+regexp.QuoteMeta("..."), `\n(?s:.*)`)
	pattern = strings.ReplaceAll(pattern, regexp.QuoteMeta("..."), `.*`)
	return regexp.MustCompile(`\A` + pattern + `\z`).MatchString("\n" + got)
}
