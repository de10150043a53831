package main_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// allocation is the UUID of one that no node is found for.
const allocation = "6a2b5a6e-8a3b-4f6e-9a55-0b4a1d6f3c21"

// TestIotronicInterrupted: who stops waiting for a node or an allocation is told how far it was, and that it goes on.
func TestIotronicInterrupted(t *testing.T) {
	t.Parallel()
	provision, allocate := "node-provision n active --wait 0", "allocation-create --resource-class gold --wait 0"
	for name, tt := range map[string]struct {
		command, at string // the path, or its end, of the request during which the signal comes ...
		look        int32  // ... the first or the second time
		want        string
	}{
		"asking for a state":        {provision, "/states/provision", 1, "Ironic may have started to change node n to \"active\": `craton iotronic node-states n` shows whether it has"},
		"waiting for a state":       {provision, "/states", 2, "node n continues to change to \"active\"; its last known state is \"deploying\": `craton iotronic node-states n` shows its state"},
		"asking for an allocation":  {allocate, "/allocations", 1, "the allocation may have been created: `craton iotronic allocation-list` shows whether it was"},
		"waiting for an allocation": {allocate, "/allocations/" + allocation, 1, "allocation " + allocation + " was created, and Ironic continues to work on it: `craton iotronic allocation-show " + allocation + "` shows its state"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var cmd *exec.Cmd
			started := make(chan struct{})
			var looks atomic.Int32
			ironic := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for _, bound := range []string{"Minimum", "Maximum"} {
					w.Header().Set("X-OpenStack-Ironic-API-"+bound+"-Version", map[string]string{"Minimum": "1.1", "Maximum": "1.82"}[bound])
				}
				w.Header().Set("X-OpenStack-Ironic-API-Version", "1.82")
				w.Header().Set("Content-Type", "application/json")
				if strings.HasSuffix(r.URL.Path, tt.at) && looks.Add(1) == tt.look {
					<-started
					_ = cmd.Process.Signal(syscall.SIGINT)
					time.Sleep(500 * time.Millisecond) // until it is heard
				}
				switch {
				case strings.Contains(r.URL.Path, "/allocations"):
					_, _ = fmt.Fprintf(w, `{"uuid": %q, "state": "allocating", "resource_class": "gold"}`, allocation)
				case r.Method == http.MethodPut:
					w.WriteHeader(http.StatusAccepted)
				case strings.HasSuffix(r.URL.Path, "/states"):
					_, _ = fmt.Fprint(w, `{"provision_state": "deploying", "target_provision_state": "active"}`)
				default:
					_, _ = fmt.Fprint(w, `{"id": "v1", "name": "OpenStack Ironic API", "nodes": [], "version": {"id": "v1", "min_version": "1.1", "version": "1.82"}}`)
				}
			}))
			t.Cleanup(ironic.Close)
			cmd = exec.CommandContext(t.Context(), filepath.Join(binaries(t), "craton"), append([]string{"iotronic"}, strings.Fields(tt.command)...)...)
			cmd.Env = []string{"HOME=" + t.TempDir(), "CRATON_IOTRONIC_URL=" + ironic.URL, "CRATON_IOTRONIC_DIALECT=ironic", "OS_AUTH_TYPE=none"}
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			close(started)
			_ = cmd.Wait()
			want := "ERROR: interrupted: SIGINT\n" + tt.want + "\n"
			if stderr.String() != want || cmd.ProcessState.ExitCode() != 130 {
				t.Errorf("status %d:\n%s\nwant:\n%s", cmd.ProcessState.ExitCode(), stderr.String(), want)
			}
		})
	}
}
