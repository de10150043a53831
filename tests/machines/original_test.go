package machines

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
)

// originalVariable names a Python that has cratonclient, the original Python client, which no index has any more.
const originalVariable = "CRATON_TEST_CRATONCLIENT"

// writeOriginal writes through the proxy with the original client, if there is one, until stop, which notes what that
// heard with what the other writers heard. No failure may crash it.
func (l *load) writeOriginal(t *testing.T) (stop func()) {
	t.Helper()
	python := os.Getenv(originalVariable)
	if python == "" {
		t.Logf("%s names no Python with the original client: it does not write", originalVariable)
		return func() {}
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), python, "testdata/original.py", l.base, l.as.user, l.as.key, l.as.project, l.cloud, l.region)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	end, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		_ = end.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the original client: %v\n%s", err, errs.String())
		}
		counts, failures := map[heard]int{}, map[string]int{}
		for lines := json.NewDecoder(&out); lines.More(); {
			var x struct{ Name, Heard, Missed, Error string }
			if err := lines.Decode(&x); err != nil {
				t.Fatal(err)
			}
			what := map[string]heard{"acknowledged": acknowledged, "refused": refused, "unknown": uncertain}[x.Heard]
			counts[what]++
			l.heard[x.Name] = what
			if x.Missed != "" {
				l.missed = append(l.missed, x.Name+", acknowledged to the original client: GET "+x.Missed)
			}
			if x.Error != "" {
				failures[x.Error]++
			}
		}
		if counts[acknowledged] == 0 {
			t.Error("the original client wrote nothing")
		}
		t.Logf("the original client heard of %d writes that they were acknowledged, of %d that nothing was changed, of %d nothing certain", counts[acknowledged], counts[refused], counts[uncertain])
		for failure, times := range failures {
			t.Logf("it heard %d times: %s", times, failure)
		}
	}
}
