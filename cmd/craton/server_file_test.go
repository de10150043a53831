package main_test

import (
	"crypto/tls"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// plainServer is a server without TLS on a database file of its own.
type plainServer struct {
	*running
	file string
}

func servePlain(t *testing.T, file string, flags ...string) plainServer {
	t.Helper()
	craton, db := filepath.Join(binaries(t), "craton"), "sqlite:"+file
	out, err := exec.CommandContext(t.Context(), craton, "server", "bootstrap", "--new-key", "--database", db).Output()
	if err != nil {
		t.Fatal(err)
	}
	fields := regexp.MustCompile(`(?m)^(ProjectId|APIKey): (.+)$`).FindAllStringSubmatch(string(out), -1)
	r := startServer(t, exec.Command(craton, append([]string{"server", "--database", db, "--listen", "127.0.0.1:0", "--log-format", "json"}, flags...)...))
	r.project, r.key = fields[0][2], fields[1][2]
	return plainServer{r, file}
}

// send makes a request and returns its status and what it says.
func (s plainServer) send(t *testing.T, method, path, body string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"X-Auth-User": "bootstrap", "X-Auth-Token": s.key, "X-Auth-Project": s.project, "Content-Type": "application/json"} {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

func (s plainServer) cloud(t *testing.T, name string) {
	t.Helper()
	if status, _, text := s.send(t, "POST", "/v1/clouds", `{"name": "`+name+`"}`); status != http.StatusCreated {
		t.Fatalf("cloud %s: %d %s", name, status, text)
	}
}

// waitLog waits for a line of the log.
func (s plainServer) waitLog(t *testing.T, words string) {
	t.Helper()
	patience := time.After(time.Minute)
	for !strings.Contains(s.log.String(), words) {
		select {
		case <-s.done:
			t.Fatalf("the server ended without saying %q:\n%s", words, s.log)
		case <-patience:
			t.Fatalf("no %q in the log:\n%s", words, s.log)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (s plainServer) stop(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-s.done
	_ = s.cmd.Wait() // the cleanup waits too
}

// cloudsIn reads the names of clouds in a file, as its only user.
func cloudsIn(t *testing.T, file string) string {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var sound, names string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&sound); err != nil || sound != "ok" {
		t.Errorf("%s: integrity_check %q, %v", file, sound, err)
	}
	if err := db.QueryRow("SELECT coalesce(group_concat(name, ' '), '') FROM (SELECT name FROM clouds ORDER BY id)").Scan(&names); err != nil {
		t.Fatal(err)
	}
	return names
}

// shell runs a command as an administrator would, in a process of its own: who closes a file here gives up the locks
// that this process has on it.
func shell(t *testing.T, command string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "sh", append([]string{"-ec", command, "sh"}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
}

// TestServerLosesFile does to the database file of a running server what people do, and checks that it says so instead
// of writing to nowhere, that nothing of the old log is laid over the file that is there now, and that what was
// acknowledged is whole where the file went.
func TestServerLosesFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		command string // $1 is the file, $2 its backup, $3 a place to move it to
		moved   bool   // what was acknowledged is in $3
		now     string // clouds in the file when the server has ended; "-" if there is none
	}{
		"moved":             {command: `mv "$1" "$3"`, moved: true, now: "-"},
		"moved with log":    {command: `mv "$1" "$3"; mv "$1-wal" "$3-wal"; mv "$1-shm" "$3-shm"`, moved: true, now: "-"},
		"removed":           {command: `rm "$1"`, now: "-"},
		"all removed":       {command: `rm "$1" "$1-wal" "$1-shm"`, now: "-"},
		"replaced":          {command: `cp "$2" "$1.new"; mv "$1" "$3"; mv "$1.new" "$1"`, moved: true, now: "backup"},
		"written over":      {command: `cp "$2" "$1"`, now: "backup"},
		"written over -p":   {command: `cp -p "$2" "$1"`, now: "backup"},
		"written over, dd":  {command: `dd if="$2" of="$1" conv=notrunc status=none`, now: "backup"},
		"cut":               {command: `: > "$1"`, now: "-"},
		"log removed":       {command: `rm "$1-wal"`, now: "backup acknowledged"},
		"directory renamed": {command: `mv "$(dirname "$1")" "$(dirname "$1").old"; mkdir "$(dirname "$1")"; cp "$(dirname "$1").old/fleet.db" "$3"`, now: "-"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file, backup, away := filepath.Join(dir, "db", "fleet.db"), filepath.Join(dir, "backup.db"), filepath.Join(dir, "away.db")
			if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			first := servePlain(t, file)
			first.cloud(t, "backup")
			first.stop(t)
			shell(t, `cp "$1" "$2"`, file, backup)

			s := servePlain(t, file)
			s.cloud(t, "acknowledged")
			shell(t, c.command, file, backup, away)

			status, head, text := s.send(t, "POST", "/v1/clouds", `{"name": "lost"}`)
			if status != 500 || head.Get("Retry-After") == "" || !strings.Contains(text, "no longer the one that was opened") || strings.Contains(text, dir) {
				t.Errorf("a write: %d %v %s", status, head, text)
			}
			if status, _, text := s.send(t, "GET", "/healthz", ""); status != 500 || !strings.Contains(text, "no longer the one that was opened") || strings.Contains(text, dir) {
				t.Errorf("/healthz: %d %s", status, text)
			}
			s.waitLog(t, "the database file was moved, replaced or damaged")
			if !strings.Contains(s.log.String(), file) {
				t.Errorf("the log does not name the file:\n%s", s.log)
			}
			s.stop(t)

			switch _, err := os.Stat(file); {
			case c.now == "-":
				if name != "cut" && err == nil {
					t.Errorf("the server made the file again")
				}
			case err != nil:
				t.Error(err)
			default:
				if got := cloudsIn(t, file); got != c.now {
					t.Errorf("the file has the clouds %q, want %q", got, c.now)
				}
			}
			if c.moved {
				if got := cloudsIn(t, away); got != "backup acknowledged" {
					t.Errorf("the moved file has the clouds %q", got)
				}
			}
		})
	}
}

// TestServerFileIsLink: the database is behind a symbolic link, as with a disk of its own. The server serves it, keeps
// its log beside the file, and notices what happens to the link as well as to the file.
func TestServerFileIsLink(t *testing.T) {
	t.Parallel()
	for name, command := range map[string]string{
		"link to another": `cp "$2" "$2.other"; ln -sfn "$2.other" "$1"`,
		"link removed":    `rm "$1"`,
		"file removed":    `rm "$2"`,
		"written over":    `cp "$3" "$2"`,
		"log removed":     `rm "$2-wal"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			link, file, backup := filepath.Join(dir, "fleet.db"), filepath.Join(dir, "data", "real.db"), filepath.Join(dir, "backup.db")
			shell(t, `mkdir "$(dirname "$2")"; ln -s "$2" "$1"`, link, file)
			first := servePlain(t, link)
			first.stop(t)
			shell(t, `cp "$1" "$2"`, file, backup)

			s := servePlain(t, link)
			s.cloud(t, "one")
			s.cloud(t, "two")
			shell(t, `test -s "$2-wal"; test ! -e "$1-wal"`, link, file)
			s.stop(t)
			if got := cloudsIn(t, file); got != "one two" {
				t.Errorf("the file has the clouds %q", got)
			}

			s = servePlain(t, link)
			shell(t, command, link, file, backup)
			if status, _, text := s.send(t, "POST", "/v1/clouds", `{"name": "lost"}`); status != 500 || !strings.Contains(text, "no longer the one that was opened") {
				t.Errorf("a write: %d %s", status, text)
			}
			s.waitLog(t, "the database file was moved, replaced or damaged")
			s.stop(t)
		})
	}
}

// TestServerKeepsFile: what does no harm to the file is no reason to refuse anything: touching it, other processes that
// write so much that the log is folded in again and again, and a file that comes back.
func TestServerKeepsFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "fleet.db")
	s := servePlain(t, file)
	s.cloud(t, "first")
	shell(t, `touch "$1"; chmod 640 "$1"`, file)
	s.cloud(t, "touched")

	big := strings.Repeat("x", 200_000)
	for i := range 60 { // 12 MB: about three checkpoints of the program's own, and some of the server's
		value := fmt.Sprintf(`v=%d%s`, i, big[:100_000])
		cmd := exec.CommandContext(t.Context(), filepath.Join(binaries(t), "craton"), "cloud-vars-set", "first", value)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "CRATON_URL=sqlite:" + file, "OS_PROJECT_ID=" + s.project}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%.300s", err, out)
		}
		if status, _, text := s.send(t, "PUT", "/v1/clouds/2/variables", `{"v": "`+big+`"}`); status != 200 {
			t.Fatalf("write %d: %d %.300s", i, status, text)
		}
	}

	shell(t, `mv "$1" "$1.away"`, file)
	s.waitLog(t, "the database file was moved, replaced or damaged")
	shell(t, `mv "$1.away" "$1"`, file)
	s.waitLog(t, "the database file is back in place")
	s.cloud(t, "back")
	s.stop(t)
	if got := cloudsIn(t, file); got != "first touched back" {
		t.Errorf("the file has the clouds %q", got)
	}
	if n := strings.Count(s.log.String(), "moved, replaced or damaged"); n != 1 {
		t.Errorf("the server complained %d times:\n%s", n, s.log)
	}
}

// TestServerReload: SIGHUP brings in a renewed certificate without a request being dropped; a bad one changes nothing.
// Both signals leave a line in the log.
func TestServerReload(t *testing.T) {
	t.Parallel()
	r := serve(t)
	s := plainServer{running: r}
	dir := filepath.Dir(r.certificate)
	shown := func() string {
		c, err := tls.Dial("tcp", strings.TrimPrefix(r.url, "https://"), &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // it is looked at, not trusted
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return string(c.ConnectionState().PeerCertificates[0].Raw)
	}
	first := shown()
	certificate(t, dir)
	if err := r.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.waitLog(t, "reloaded the TLS certificate")
	second := shown()
	if second == first {
		t.Error("the renewed certificate is not used")
	}
	if err := os.WriteFile(r.certificate, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.waitLog(t, "the previous one stays in use")
	if shown() != second {
		t.Error("a certificate that cannot be read is in use")
	}
	s.stop(t)
	if log := r.log.String(); strings.Count(log, `"signal":"hangup"`) != 2 || !strings.Contains(log, `"signal":"terminated"`) {
		t.Errorf("a signal is missing in the log:\n%s", log)
	}
}

// TestServerWithoutTLSReload: SIGHUP does not end a server that has nothing to read again.
func TestServerWithoutTLSReload(t *testing.T) {
	t.Parallel()
	s := servePlain(t, filepath.Join(t.TempDir(), "fleet.db"))
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.waitLog(t, "nothing to reload")
	s.cloud(t, "east")
}

// TestServerLog: the line of a write says from where it came, what it made and what it changed; that of a refused login
// who was tried. No value is in it.
func TestServerLog(t *testing.T) {
	t.Parallel()
	s := servePlain(t, filepath.Join(t.TempDir(), "fleet.db"))
	for _, r := range [][3]string{
		{"POST", "/v1/clouds", `{"name": "east", "note": "SECRET", "variables": {"ntp": "SECRET", "dns": 1}}`},
		{"POST", "/v1/regions", `{"name": "dfw", "cloud_id": 1}`},
		{"POST", "/v1/hosts", `{"name": "web", "cloud_id": 1, "region_id": 1, "ip_address": "10.0.0.1", "device_type": "server", "labels": ["a"]}`},
		{"PUT", "/v1/hosts/1", `{"note": "SECRET"}`},
		{"PUT", "/v1/hosts/1/labels", `{"labels": ["b", "c"]}`},
		{"PUT", "/v1/hosts/1/variables", `{"x": "SECRET"}`},
		{"DELETE", "/v1/hosts/1/variables", `["x"]`},
		{"PUT", "/v1/clouds/1", `{"name": 7}`},
		{"DELETE", "/v1/hosts/1", ``},
	} {
		if status, _, text := s.send(t, r[0], r[1], r[2]); status >= 500 {
			t.Fatalf("%v: %d %s", r, status, text)
		}
	}
	intruder := s
	other := *s.running
	other.key = "SECRET"
	intruder.running = &other
	if status, _, _ := intruder.send(t, "GET", "/v1/clouds", ""); status != http.StatusUnauthorized {
		t.Fatalf("a wrong key: %d", status)
	}
	s.stop(t)

	type line struct{ Method, Path, User, Client, Created, Changed, TriedUser, TriedProject string }
	var got []line
	for text := range strings.Lines(s.log.String()) {
		var l struct {
			line
			Msg          string
			TriedUser    string `json:"tried_user"`
			TriedProject string `json:"tried_project"`
		}
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		if l.Msg != "request" {
			continue
		}
		if !strings.HasPrefix(l.Client, "127.0.0.1:") {
			t.Errorf("the client's address is %q", l.Client)
		}
		l.line.Client, l.line.TriedUser, l.line.TriedProject = "", l.TriedUser, l.TriedProject
		got = append(got, l.line)
	}
	want := []line{
		{"POST", "/v1/clouds", "bootstrap", "", "1", "name, note, variables.dns, variables.ntp", "", ""},
		{"POST", "/v1/regions", "bootstrap", "", "1", "cloud_id, name", "", ""},
		{"POST", "/v1/hosts", "bootstrap", "", "1", "", "", ""},
		{"PUT", "/v1/hosts/1", "bootstrap", "", "", "note", "", ""},
		{"PUT", "/v1/hosts/1/labels", "bootstrap", "", "", "labels.b, labels.c", "", ""},
		{"PUT", "/v1/hosts/1/variables", "bootstrap", "", "", "variables.x", "", ""},
		{"DELETE", "/v1/hosts/1/variables", "bootstrap", "", "", "variables.x", "", ""},
		{"PUT", "/v1/clouds/1", "bootstrap", "", "", "", "", ""},
		{"DELETE", "/v1/hosts/1", "bootstrap", "", "", "", "", ""},
		{"GET", "/v1/clouds", "", "", "", "", "bootstrap", s.project},
	}
	if len(got) != len(want) {
		t.Fatalf("%d lines, want %d:\n%s", len(got), len(want), s.log)
	}
	for i := range want {
		if want[i].Changed == "" && want[i].Created != "" {
			for _, name := range []string{"name", "ip_address", "labels.a"} {
				if !strings.Contains(got[i].Changed, name) {
					t.Errorf("the host's line lacks %s: %+v", name, got[i])
				}
			}
			want[i].Changed = got[i].Changed
		}
		if got[i] != want[i] {
			t.Errorf("line %d:\n got %+v\nwant %+v", i, got[i], want[i])
		}
	}
	if strings.Contains(s.log.String(), "SECRET") {
		t.Errorf("a value is in the log:\n%s", s.log)
	}
}

// TestServerQuietLog: without an access log, what changes something, fails or is refused is logged all the same. And
// what is too large for a header is refused, not held.
func TestServerQuietLog(t *testing.T) {
	t.Parallel()
	s := servePlain(t, filepath.Join(t.TempDir(), "fleet.db"), "--access-log=false")
	for _, r := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", "/v1/clouds", "", 200}, {"GET", "/readyz", "", 200}, {"GET", "/v1/clouds/9", "", 404}, {"POST", "/v1/clouds", `{"name": "east"}`, 201},
	} {
		if status, _, text := s.send(t, r.method, r.path, r.body); status != r.want {
			t.Errorf("%s %s: %d %s", r.method, r.path, status, text)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/v1/clouds", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Long", strings.Repeat("x", 300<<10))
	if resp, err := http.DefaultClient.Do(req); err == nil {
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("a header of 300 KiB: %s", resp.Status)
		}
	}
	other := *s.running
	other.key = "SECRET"
	if status, _, _ := (plainServer{&other, s.file}).send(t, "GET", "/v1/clouds", ""); status != http.StatusUnauthorized {
		t.Errorf("a wrong key: %d", status)
	}
	s.stop(t)
	var got []string
	for _, m := range regexp.MustCompile(`"msg":"request".*?"method":"([A-Z]+)","path":"([^"]+)","status":(\d+)`).FindAllStringSubmatch(s.log.String(), -1) {
		got = append(got, strings.Join(m[1:], " "))
	}
	if want := "POST /v1/clouds 201, GET /v1/clouds 401"; strings.Join(got, ", ") != want {
		t.Errorf("logged: %q, want %s\n%s", got, want, s.log)
	}
}
