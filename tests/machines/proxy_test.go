package machines

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/wording"
)

// documentedProxy is the part of haproxy.cfg that docs/machines.md has, with the addresses and files of here.
func documentedProxy(t *testing.T, bind, first, second string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/machines.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "# haproxy.cfg\n")
	config, _, _ := strings.Cut(after, "```")
	errorFiles, err := filepath.Abs("../../examples/haproxy")
	if err != nil {
		t.Fatal(err)
	}
	for documented, here := range map[string]string{
		"bind :443 ssl crt /etc/haproxy/craton.pem": "bind " + bind,
		"/etc/haproxy/craton/":                      errorFiles + "/",
		"craton1.example:7780":                      first,
		"craton2.example:7780":                      second,
	} {
		if !strings.Contains(config, documented) {
			t.Fatalf("docs/machines.md has no %q in its haproxy.cfg:\n%s", documented, config)
		}
		config = strings.ReplaceAll(config, documented, here)
	}
	return config
}

// TestProxyErrors: what clients hear of the documented proxy when a server is gone, is killed during a request, or does not
// respond: never one of the statuses of which the original Python client dies, but whether their change was made.
func TestProxyErrors(t *testing.T) {
	need(t)
	for _, tt := range []struct {
		what, says string
		server     func(net.Conn) // what it does with a request; nil does not listen
	}{
		{"gone", nothingChanged, nil},
		{"killed", unknownOutcome, func(c net.Conn) {
			_, _ = c.Read(make([]byte, 1))
			_ = c.Close()
		}},
		{"silent", unknownOutcome, func(c net.Conn) {
			_, _ = io.Copy(io.Discard, c)
			_ = c.Close()
		}},
	} {
		t.Run(tt.what, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it ends with the test
			if err != nil {
				t.Fatal(err)
			}
			server := listener.Addr().String()
			if tt.server == nil {
				_ = listener.Close()
			} else {
				t.Cleanup(func() { _ = listener.Close() })
				go func() {
					for {
						c, err := listener.Accept()
						if err != nil {
							return
						}
						go tt.server(c)
					}
				}()
			}
			proxy := newMachine(t, "haproxy", "craton")
			config := documentedProxy(t, proxy.at("craton"), server, server)
			config = strings.ReplaceAll(config, "timeout server 6m", "timeout server 1s")
			config = strings.ReplaceAll(config, "option httpchk GET /readyz", "") // the server of here has none
			if err := proxy.Write("haproxy.cfg", config); err != nil {
				t.Fatal(err)
			}
			proxy.argv = []string{programs["haproxy"], "-db", "-f", proxy.File("haproxy.cfg")}
			proxy.up(t)
			base := "http://" + proxy.at("craton")
			(&cluster{}).waitFor(t, "proxy that listens", func() bool {
				c, err := net.Dial("tcp", proxy.at("craton")) //nolint:noctx // it is here
				if err == nil {
					_ = c.Close()
				}
				return err == nil
			})

			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/v1/hosts", strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close() //nolint:errcheck // read to its end
			var body struct {
				Message string
				Status  int
			}
			if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != http.StatusInternalServerError || body.Status != resp.StatusCode || resp.Header.Get("Retry-After") == "" ||
				resp.Header.Get("Content-Type") != "application/json" || !strings.Contains(body.Message, tt.says) {
				t.Errorf("%d %v %+v", resp.StatusCode, resp.Header, body)
			}
			// craton's own client says the same.
			c, err := craton.New(base, craton.WithRetries(0))
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Do(t.Context(), http.MethodPost, "/hosts", nil, map[string]string{"name": "web1"})
			if craton.StatusOf(err) != http.StatusInternalServerError || !wording.Has(fmt.Sprint(err), tt.says) {
				t.Errorf("the client says: %v", err)
			}
		})
	}
}
