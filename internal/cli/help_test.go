package cli_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestHelp: every subcommand has help with a usage line, and the main help names them all.
func TestHelp(t *testing.T) {
	t.Parallel()
	main := run(t, strings.NewReader(""))
	for _, args := range [][]string{{"help"}, {"-h"}, {"--help"}} {
		if got := run(t, strings.NewReader(""), args...); got.Exit != 0 || got.Stderr != "" || got.Stdout != main.Stdout {
			t.Errorf("%v: %+v", args, got)
		}
	}
	if !strings.Contains(main.Stdout, `See "craton help COMMAND" for help on a specific command.`) {
		t.Error(main.Stdout)
	}
	n := 0
	for line := range strings.Lines(main.Stdout) {
		name, found := strings.CutPrefix(line, "  ")
		if !found || !strings.Contains(name, "-") || strings.HasPrefix(name, " ") || strings.HasPrefix(name, "-") || strings.HasPrefix(name, "craton") ||
			strings.HasPrefix(name, "export") || strings.HasPrefix(name, "ansible") {
			continue
		}
		name = strings.Fields(name)[0]
		n++
		got := run(t, strings.NewReader(""), "help", name)
		if got.Exit != 0 || !strings.HasPrefix(got.Stdout, "usage: craton "+name) || !strings.Contains(got.Stdout, "--help") {
			t.Errorf("help %s: %+v", name, got)
		}
		if behind := run(t, strings.NewReader(""), name, "-h"); behind.Stdout != got.Stdout {
			t.Errorf("%s -h differs from its help:\n%s", name, cmp.Diff(got.Stdout, behind.Stdout))
		}
	}
	if n != 82 {
		t.Errorf("the main help names %d subcommands of resources", n)
	}
	if got := run(t, strings.NewReader(""), "help", "options"); !strings.Contains(got.Stdout, "  --os-password OS_PASSWORD\n") || !strings.Contains(got.Stdout, " CRATON_TIMEOUT\n") {
		t.Errorf("%+v", got)
	}
	if got := run(t, strings.NewReader(""), "help", "server", "bootstrap"); !strings.HasPrefix(got.Stdout, "usage: craton server bootstrap ") {
		t.Errorf("%+v", got)
	}
	if got := run(t, strings.NewReader(""), "version"); got.Stdout != "craton 0.1.0 (whole)\n" {
		t.Errorf("%+v", got)
	}
}
