// Package prometheustest asks Prometheus's own promtool what it discovers. Only tests import it.
package prometheustest

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/craton-fleet/craton/internal/skip"
)

// Check has promtool read metrics as they were scraped, and say what is wrong with them. Where there is no promtool,
// the test is skipped.
func Check(t *testing.T, scraped []byte) {
	t.Helper()
	tool, err := exec.LookPath("promtool")
	if err != nil {
		skip.Packages(t, "prometheus")
	}
	cmd := exec.CommandContext(t.Context(), tool, "check", "metrics") //nolint:gosec // the tool
	cmd.Stdin = bytes.NewReader(scraped)
	if out, err := cmd.CombinedOutput(); err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

// Target is a target that Prometheus found: all labels, including those that it adds itself.
type Target struct {
	Discovered map[string]string `json:"discoveredLabels"`
	Labels     map[string]string `json:"labels"` // after relabelling, as the target's own
}

// Discover returns what a job of a configuration discovers, once there are as many targets as are wanted. Where there
// is no promtool, the test is skipped.
func Discover(t *testing.T, config, job string, want int) []Target {
	t.Helper()
	tool, err := exec.LookPath("promtool")
	if err != nil {
		skip.Packages(t, "prometheus")
	}
	file := filepath.Join(t.TempDir(), "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var found []Target
	for _, patience := range []string{"2s", "30s"} { // it looks for as long as it is told, whatever it has found
		var out, said bytes.Buffer
		cmd := exec.CommandContext(t.Context(), tool, "check", "service-discovery", "--timeout="+patience, file, job) //nolint:gosec // the tool
		cmd.Stdout, cmd.Stderr = &out, &said
		if err := cmd.Run(); err != nil {
			t.Fatalf("promtool: %v\n%s%s\n%s", err, &out, &said, config)
		}
		found = nil
		if err := json.Unmarshal(out.Bytes(), &found); err != nil {
			t.Fatalf("%v\n%s%s", err, &out, &said)
		}
		if len(found) >= want {
			break
		}
		t.Logf("%s", &said)
	}
	if len(found) != want {
		t.Errorf("Prometheus discovers %d targets, want %d", len(found), want)
	}
	return found
}
