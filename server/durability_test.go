package server_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/craton-fleet/craton/server"
	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// The test binary runs itself as a server or a writer when this is set.
const helperEnv = "CRATON_SERVER_TEST_HELPER"

// long are the tests that are about sizes, or about what stands in front of the database, or that compare engines.
const long = "^Test(BodyLimits|Codings|DeepChains|EnginesAgree|FiftyProcesses|FleetIsCutOff|FleetDoesNotWait|Guessing|InventoryByPages|KeptInventory|Keystone|Matrix|Memory|Overload|Past|QueryLimits|SlowReader|VariablesLimits)"

func TestMain(m *testing.M) {
	var err error
	switch os.Getenv(helperEnv) {
	case "":
		os.Exit(enginetest.Main(m, long))
	case "serve":
		err = helperServe(os.Args[1])
	case "write":
		err = helperWrite(os.Args[1], os.Args[2])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// helperServe serves a database until it is killed, and prints its address.
func helperServe(database string) error {
	s, err := server.Open(context.Background(), database, server.Options{})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return http.Serve(l, s.Handler())
}

// helperWrite opens a database that may not be there yet and writes to it, as one of many processes that do.
func helperWrite(database, name string) error {
	s, err := server.Open(context.Background(), database, server.Options{Create: true})
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	h, err := s.Embedded(context.Background(), "")
	if err != nil {
		return fmt.Errorf("embedded: %w", err)
	}
	send := func(method, path, body string, want int) error {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		if h.ServeHTTP(w, r); w.Code != want {
			return fmt.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		return nil
	}
	for i := range 3 {
		if err := send("POST", "/v1/clouds", fmt.Sprintf(`{"name":"%s-%d","variables":{"by":"%s","n":%d}}`, name, i, name, i), 201); err != nil {
			return err
		}
		if err := send("GET", "/v1/clouds?limit=10&details=true", "", 200); err != nil {
			return err
		}
	}
	return s.Close()
}

func helper(ctx context.Context, kind string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), helperEnv+"="+kind)
	return cmd
}

// TestFiftyProcesses has 50 processes create one file at once and write to it.
func TestFiftyProcesses(t *testing.T) {
	t.Parallel()
	database := enginetest.Database(t)
	const processes = 50
	var wg sync.WaitGroup
	for i := range processes {
		wg.Go(func() {
			out, err := helper(t.Context(), "write", database, fmt.Sprintf("p%d", i)).CombinedOutput()
			if err != nil {
				t.Errorf("process %d: %v: %s", i, err, out)
			}
		})
	}
	wg.Wait()
	checkFile(t, database)
	s, err := server.Open(t.Context(), database, server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	h, err := s.Embedded(t.Context(), "") // fails if two processes made a project each
	if err != nil {
		t.Fatal(err)
	}
	for i := range processes {
		for n := range 3 {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", fmt.Sprintf("/v1/clouds?name=p%d-%d", i, n), nil))
			if w.Code != 200 {
				t.Errorf("the write %d of process %d is lost: %d %s", n, i, w.Code, w.Body)
			}
		}
	}
	if enginetest.Now() != enginetest.SQLite {
		return
	}
	info, err := os.Stat(strings.TrimPrefix(database, "sqlite:"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode of the new file: %v, %v; want 0600", info.Mode(), err)
	}
}

// TestKill kills a server in the middle of writes, many times, and checks
// that nothing it acknowledged is missing and that the file is sound.
func TestKill(t *testing.T) {
	t.Parallel()
	database := enginetest.Database(t)
	s, err := server.Open(t.Context(), database, server.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	root := caller{b.ProjectID, b.Username, b.APIKey}
	rounds := 15
	if testing.Short() {
		rounds = 3
	}
	acknowledged := map[string]string{} // cloud -> value of its variable "n"
	var mu sync.Mutex
	total := 0
	for round := range rounds {
		cmd := helper(t.Context(), "serve", database)
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		address, err := bufio.NewReader(stdout).ReadString('\n')
		if err != nil {
			t.Fatalf("round %d: the server did not start: %v", round, err)
		}
		url := "http://" + strings.TrimSpace(address)
		busy := make(chan struct{}) // closed when every writer had an answer
		var first, wg sync.WaitGroup
		first.Add(8)
		go func() { first.Wait(); close(busy) }()
		for w := range 8 {
			wg.Go(func() {
				client := &http.Client{Transport: &http.Transport{}}
				answered := sync.OnceFunc(first.Done)
				defer answered()
				for n := 0; ; n++ {
					name := fmt.Sprintf("r%d-w%d-%d", round, w, n)
					id, ok := send(client, root, "POST", url+"/v1/clouds", `{"name":"`+name+`","variables":{"n":0,"m":1}}`, 201)
					if !ok {
						return
					}
					mu.Lock()
					acknowledged[name] = "0"
					mu.Unlock()
					answered()
					if _, ok := send(client, root, "PUT", url+"/v1/clouds/"+id+"/variables", `{"n":1}`, 200); !ok {
						return
					}
					mu.Lock()
					acknowledged[name] = "1"
					mu.Unlock()
				}
			})
		}
		<-busy
		time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // killed
		wg.Wait()
	}
	checkFile(t, database)
	stored := map[string]string{}
	for _, row := range enginetest.Query(t, database, `SELECT c.name, v.key || '=' || v.value FROM clouds c LEFT JOIN variables v ON v.owner_kind = 3 AND v.owner_id = c.id ORDER BY c.id, v.key`) {
		stored[row[0]] = strings.TrimPrefix(stored[row[0]]+","+row[1], ",")
	}
	for name, n := range acknowledged {
		total++
		// The change to 1 may be stored without having been acknowledged.
		if v := stored[name]; v != "m=1,n="+n && v != "m=1,n=1" {
			t.Errorf("cloud %s has the variables %q, acknowledged was n=%s", name, v, n)
		}
	}
	if total < 8*rounds {
		t.Errorf("only %d writes in %d rounds: the test proves nothing", total, rounds)
	}
	t.Logf("%d clouds acknowledged in %d rounds, %d stored", total, rounds, len(stored))
}

// send is a request that may find the server dead: ok is false then.
func send(client *http.Client, who caller, method, url, body string, want int) (id string, ok bool) {
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return "", false
	}
	req.Header.Set("Content-Type", "application/json")
	who.sign(req)
	resp, err := client.Do(req)
	if err != nil {
		return "", false
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != want {
		return "", false
	}
	var v struct{ ID json.Number }
	_ = json.NewDecoder(bytes.NewReader(data)).Decode(&v)
	return v.ID.String(), true
}

// checkFile runs SQLite's own checks on a database that is a file.
func checkFile(t *testing.T, database string) {
	t.Helper()
	path, ok := strings.CutPrefix(database, "sqlite:")
	if !ok {
		return
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var result string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&result); err != nil || result != "ok" {
		t.Errorf("integrity_check: %s, %v", result, err)
	}
	rows, err := db.Query("PRAGMA foreign_key_check")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if rows.Next() {
		t.Error("foreign_key_check finds rows whose parent is missing")
	}
}
