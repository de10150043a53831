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

// TestIotronicInterrupted: who stops waiting for a node is told in which state it was, and that it goes on.
func TestIotronicInterrupted(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]string{
		"/states/provision": "ERROR: interrupted: SIGINT\nIronic may have begun to make node n \"active\": `craton iotronic node-states n` shows whether it has\n",
		"/states":           "ERROR: interrupted: SIGINT\nnode n goes on to \"active\" without this command; it was \"deploying\" last: `craton iotronic node-states n` shows how far it is\n",
	} {
		t.Run(strings.TrimPrefix(at, "/"), func(t *testing.T) {
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
				if strings.HasSuffix(r.URL.Path, at) && (at != "/states" || looks.Add(1) == 2) {
					<-started
					_ = cmd.Process.Signal(syscall.SIGINT)
					time.Sleep(500 * time.Millisecond) // until it is heard
				}
				switch {
				case r.Method == http.MethodPut:
					w.WriteHeader(http.StatusAccepted)
				case strings.HasSuffix(r.URL.Path, "/states"):
					_, _ = fmt.Fprint(w, `{"provision_state": "deploying", "target_provision_state": "active"}`)
				default:
					_, _ = fmt.Fprint(w, `{"id": "v1", "name": "OpenStack Ironic API", "nodes": [], "version": {"id": "v1", "min_version": "1.1", "version": "1.82"}}`)
				}
			}))
			t.Cleanup(ironic.Close)
			cmd = exec.CommandContext(t.Context(), filepath.Join(binaries(t), "craton"), "iotronic", "node-provision", "n", "active", "--wait", "0")
			cmd.Env = []string{"HOME=" + t.TempDir(), "CRATON_IOTRONIC_URL=" + ironic.URL, "CRATON_IOTRONIC_DIALECT=ironic", "OS_AUTH_TYPE=none"}
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			close(started)
			_ = cmd.Wait()
			if stderr.String() != want || cmd.ProcessState.ExitCode() != 130 {
				t.Errorf("status %d:\n%s\nwant:\n%s", cmd.ProcessState.ExitCode(), stderr.String(), want)
			}
		})
	}
}
