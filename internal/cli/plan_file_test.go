package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPlanFile: a plan tells by its status whether there is something to do, and is kept for its owner alone, because
// it has values of variables. What is refused has its status and its document.
func TestPlanFile(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	dir := t.TempDir()
	file, kept, twice := filepath.Join(dir, "fleet.yml"), filepath.Join(dir, "kept.plan"), filepath.Join(dir, "twice.yml")
	for path, text := range map[string]string{
		file:  "clouds: [{name: c, variables: {secret: hunter2}}]",
		twice: "clouds: [{name: c}, {name: c}]",
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil { //nolint:gosec // a fleet file may be read
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		line string
		exit int
	}{
		{"plan " + file + " --out " + kept, 3}, {"plan " + kept, 3}, {"apply " + kept, 0}, {"plan " + file, 0}, {"apply --check --diff " + file, 0},
		{"plan " + twice, 1}, {"plan " + file + ".no", 1}, {"apply " + kept, 1}, {"plan --prune " + file, 2},
	} {
		if got := f.run(t, nil, strings.Fields(step.line)...); got.Exit != step.exit {
			t.Errorf("%s: %+v, want status %d", step.line, got, step.exit)
		}
	}
	if info, err := os.Stat(kept); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	for _, line := range []string{"plan ", "apply ", "apply --check ", "apply --check --diff "} {
		for _, path := range []string{twice, file + ".no", kept} {
			if path == kept && strings.HasPrefix(line, "plan") {
				continue // it is shown without asking the fleet
			}
			got := f.run(t, nil, strings.Fields("--format json "+line+path)...)
			var doc struct {
				Refused []struct{ Reason, Type, Path, Message, File string }
			}
			if err := json.Unmarshal([]byte(got.Stdout), &doc); err != nil || got.Exit != 1 || len(doc.Refused) != 1 || doc.Refused[0].Reason == "" || doc.Refused[0].Message == "" {
				t.Errorf("%s%s: %v, %+v", line, path, err, got)
			}
		}
	}
}
