package server_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/craton-fleet/craton/server"
	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// TestPlaces: as many requests are worked on as there are places; one more waits, and is then refused with what old
// clients understand. Those that only wait for their client have no place.
func TestPlaces(t *testing.T) {
	t.Parallel()
	f := newFixtureWith(t, server.Limits{Requests: 2})
	f.server.WaitForPlaces(50 * time.Millisecond)
	begun, end := make(chan string), make(chan struct{})
	h := httptest.NewServer(f.server.HandlerOver(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/work":
			begun <- ""
			<-end
		case "/slow-body":
			_, _ = io.ReadAll(r.Body)
		case "/slow-reader":
			w.WriteHeader(http.StatusOK)
			begun <- ""
			<-end
		}
	})))
	defer h.Close()
	var wg sync.WaitGroup
	send := func(path string, body io.Reader) {
		wg.Go(func() {
			resp, err := plain.Post(h.URL+path, "application/json", body)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if resp.StatusCode != 200 {
				t.Errorf("%s: %s", path, resp.Status)
			}
		})
	}
	get := func() (*http.Response, string) {
		req, err := http.NewRequestWithContext(t.Context(), "GET", h.URL+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, body := do(t, req)
		return resp, string(body)
	}
	// Ten who send no more of their body, and ten who take nothing of their answer.
	var bodies []*io.PipeWriter
	for range 10 {
		r, w := io.Pipe()
		bodies = append(bodies, w)
		send("/slow-body", r)
		if _, err := io.WriteString(w, "{"); err != nil {
			t.Fatal(err)
		}
		send("/slow-reader", nil)
		<-begun
	}
	if resp, body := get(); resp.StatusCode != 200 {
		t.Errorf("beside slow clients: %s %s", resp.Status, body)
	}
	for range 2 {
		send("/work", nil)
		<-begun
	}
	resp, body := get()
	if resp.StatusCode != 500 || resp.Header.Get("Retry-After") == "" || resp.Header.Get("Content-Type") != "application/json" || !strings.Contains(body, "max_requests") {
		t.Errorf("without a place: %s %v %s", resp.Status, resp.Header, body)
	}
	if s := f.server.Stats(); s.Refused != 1 || s.UnderWay != 22 {
		t.Errorf("%+v", s)
	}
	close(end)
	for _, w := range bodies {
		w.Close()
	}
	wg.Wait()
	if resp, body := get(); resp.StatusCode != 200 {
		t.Errorf("afterwards: %s %s", resp.Status, body)
	}
}

// TestWaitingHasNoPlace: a long poll leaves its place to others, and comes back.
func TestWaitingHasNoPlace(t *testing.T) {
	t.Parallel()
	f := newFixtureWith(t, server.Limits{Requests: 1})
	cursor := f.cursor(f.root)
	answer := make(chan reply)
	go func() { answer <- f.call(f.root, "GET", "/v1/changes?wait=60&after="+cursor, "") }()
	for range 5 {
		f.must(f.root, 200, "GET", "/v1/clouds", "")
	}
	f.must(f.root, 201, "POST", "/v1/clouds", `{"name":"c"}`)
	if r := <-answer; r.Status != 200 || !strings.Contains(r.Text, `"cloud"`) {
		t.Errorf("%d %s", r.Status, r.Text)
	}
}

// TestReady: /readyz fails for a database that a newer program has taken over, /healthz and /livez do not.
func TestReady(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	is := func(path string, want int, text string) {
		t.Helper()
		if r := f.call(caller{}, "GET", path, ""); r.Status != want || !strings.Contains(r.Text, text) {
			t.Errorf("%s: %d %s, want %d %s", path, r.Status, r.Text, want, text)
		}
	}
	is("/readyz", 200, `"ok"`)
	is("/livez", 200, `"ok"`)
	newer := "UPDATE craton_schema SET version = version + 1"
	if strings.HasPrefix(f.database, "sqlite:") {
		newer = "PRAGMA user_version = 9999"
	}
	enginetest.Exec(t, f.database, newer)
	is("/readyz", 500, "a newer version of craton")
	is("/healthz", 200, `"ok"`)
	is("/livez", 200, `"ok"`)
}

// TestQuietLog: without the access log there still is a line for whatever changes something, is refused as a login or
// fails, and it tells the revision.
func TestQuietLog(t *testing.T) {
	t.Parallel()
	for _, quiet := range []bool{false, true} {
		var log lockedBuffer
		f := newFixtureAs(t, enginetest.Database(t), server.Options{Create: true, Quiet: quiet, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		f.must(f.root, 200, "GET", "/v1/clouds", "")
		f.must(f.root, 201, "POST", "/v1/clouds", `{"name":"c"}`)
		f.must(f.root, 200, "PUT", "/v1/clouds/1/variables", `{"ntp":"secret"}`)
		f.must(f.root, 404, "GET", "/v1/clouds/9", "")
		f.must(caller{f.root.project, "nobody", "wrong"}, 401, "GET", "/v1/clouds", "")
		var lines []string
		for _, line := range strings.Split(log.String(), "\n") {
			if strings.Contains(line, "msg=request") {
				lines = append(lines, line)
			}
		}
		want := []string{"GET /v1/clouds ", "POST /v1/clouds 201 revision=", "PUT /v1/clouds/1/variables 200 revision=", "GET /v1/clouds/9 ", "tried_user=nobody"}
		if quiet {
			want = []string{want[1], want[2], want[4]}
		}
		if len(lines) != len(want) {
			t.Errorf("quiet %t: %d lines\n%s", quiet, len(lines), log.String())
			continue
		}
		for i, line := range lines {
			for _, word := range strings.Fields(want[i]) {
				if !strings.Contains(line, word) {
					t.Errorf("quiet %t: %s lacks %q", quiet, line, word)
				}
			}
			if strings.Contains(want[i], "revision=") != strings.Contains(line, "revision=") || strings.Contains(line, "secret") {
				t.Errorf("quiet %t: %s", quiet, line)
			}
		}
	}
}

// TestLoggedRevisions: the log names the revisions that the change log has, whatever the kind of write.
func TestLoggedRevisions(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	f := newFixtureAs(t, enginetest.Database(t), server.Options{Create: true, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	f.place("c", "r", "l")
	f.must(f.root, 201, "POST", "/v1/hosts", `{"name":"h","ip_address":"10.0.0.1","device_type":"s","cloud_id":1,"region_id":1,"cell_id":1,"labels":["a","b"],"variables":{"x":1}}`)
	f.must(f.root, 200, "PUT", "/v1/hosts/1/labels", `{"labels":["c"]}`)
	f.must(f.root, 204, "DELETE", "/v1/clouds/1", "")
	logged := map[string]string{} // request id -> revision
	for line := range bytes.Lines([]byte(log.String())) {
		words := map[string]string{}
		for _, word := range strings.Fields(string(line)) {
			name, value, _ := strings.Cut(word, "=")
			words[name] = value
		}
		if words["revision"] != "" {
			logged[words["request_id"]] = words["revision"]
		}
	}
	rows := enginetest.Query(t, f.database, "SELECT DISTINCT request_id, revision FROM changes WHERE request_id <> ''")
	if len(rows) != len(logged) || len(rows) < 6 {
		t.Errorf("%d writes in the change log, %d in the log\n%s", len(rows), len(logged), log.String())
	}
	for _, row := range rows {
		if logged[row[0]] != row[1] {
			t.Errorf("%s is revision %s, and %q in the log", row[0], row[1], logged[row[0]])
		}
	}
}
