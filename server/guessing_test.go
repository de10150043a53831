package server_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/server"
	"github.com/craton-fleet/craton/server/internal/enginetest"
	"github.com/craton-fleet/craton/server/keystone"
)

// behindProxy is a server behind a proxy, whose clients' addresses tests make up.
type behindProxy struct {
	*fixture
	log *syncBuffer
}

func newBehindProxy(t *testing.T, o server.Options) *behindProxy {
	t.Helper()
	log := &syncBuffer{}
	o.Create, o.TrustedProxies, o.Logger = true, []string{"127.0.0.0/8"}, slog.New(slog.NewTextHandler(log, nil))
	return &behindProxy{newFixtureAs(t, enginetest.Database(t), o), log}
}

// from sends a GET as a client with an address.
func (p *behindProxy) from(client *http.Client, address string, who caller, path string) (*http.Response, string, error) {
	req, err := http.NewRequestWithContext(p.t.Context(), "GET", p.url+path, nil)
	if err != nil {
		return nil, "", err
	}
	who.sign(req)
	req.Header.Set("X-Forwarded-For", "198.51.100.1, "+address) // the first is what a client makes up
	resp, err := client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

func (p *behindProxy) get(address string, who caller) (*http.Response, string) {
	p.t.Helper()
	resp, body, err := p.from(plain, address, who, "/v1/clouds")
	if err != nil {
		p.t.Fatal(err)
	}
	return resp, body
}

func TestGuessingIsRefusedAndLogged(t *testing.T) {
	t.Parallel()
	p := newBehindProxy(t, server.Options{Logins: server.Logins{Failures: 3}})
	wrong := func(n int) caller { return caller{p.root.project, p.root.user, fmt.Sprint("wrong-", n)} }
	for n := range 3 {
		if resp, body := p.get("192.0.2.1", wrong(n)); resp.StatusCode != 401 || resp.Header.Get("Retry-After") != "" || !strings.Contains(body, "The request could not be authenticated.") {
			t.Errorf("%d %v %s", resp.StatusCode, resp.Header, body)
		}
	}
	resp, body := p.get("192.0.2.1", wrong(3))
	if again, _ := strconv.Atoi(resp.Header.Get("Retry-After")); resp.StatusCode != 401 || again < 55 || again > 60 || !strings.Contains(body, fmt.Sprintf("Try again in %d seconds", again)) {
		t.Errorf("%d %v %s", resp.StatusCode, resp.Header, body)
	}
	if id := resp.Header.Get("X-Openstack-Request-Id"); id == "" || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("headers are %v", resp.Header)
	}
	// Even the right key is, from there, as long as it has not been seen; from elsewhere it works, and then from there
	// too.
	if resp, _ := p.get("192.0.2.1", p.root); resp.StatusCode != 401 {
		t.Errorf("a new key from a refused address: %d", resp.StatusCode)
	}
	for _, address := range []string{"192.0.2.2", "192.0.2.1"} {
		if resp, body := p.get(address, p.root); resp.StatusCode != 200 {
			t.Errorf("the right key from %s: %d %s", address, resp.StatusCode, body)
		}
	}
	log := p.log.String()
	for _, want := range []string{
		`level=WARN msg="refusing logins after too many wrong ones" client=192.0.2.1 tried_user=bootstrap for=1m0s`,
		`client=192.0.2.1 tried_user=bootstrap tried_project=` + p.root.project + "\n",
		`client=192.0.2.1 tried_user=bootstrap tried_project=` + p.root.project + ` refused="too many wrong logins"`,
	} {
		if !strings.Contains(log, want) {
			t.Errorf("no %s in the log:\n%s", want, log)
		}
	}
	if strings.Contains(log, "wrong-") || strings.Contains(log, "198.51.100.1") {
		t.Errorf("the log has what it must not have:\n%s", log)
	}
}

// TestGuessingSaysNothingOfUsers answers the same for names that there are and others.
func TestGuessingSaysNothingOfUsers(t *testing.T) {
	t.Parallel()
	p := newBehindProxy(t, server.Options{Logins: server.Logins{Failures: 2}})
	var answers [2][]string
	for i, user := range []string{p.root.user, "nobody"} {
		for n := range 4 {
			resp, body := p.get(fmt.Sprintf("192.0.2.%d", i), caller{p.root.project, user, fmt.Sprint(n)})
			answers[i] = append(answers[i], fmt.Sprint(resp.StatusCode, body))
		}
	}
	if !slices.Equal(answers[0], answers[1]) {
		t.Errorf("%q\n%q", answers[0], answers[1])
	}
}

// TestGuessingIsNotForgivenToNamesakes: a key of a user with the same name in another project, which its admin can make
// at will, takes no wrong ones back, and neither does the same key with the project in other spellings.
func TestGuessingIsNotForgivenToNamesakes(t *testing.T) {
	t.Parallel()
	p := newBehindProxy(t, server.Options{Logins: server.Logins{Failures: 3}})
	project := p.must(p.root, 201, "POST", "/v1/projects", `{"name":"other"}`).id(t)
	id := p.must(p.root, 201, "POST", "/v1/users", `{"username":"`+p.root.user+`","project_id":"`+project+`"}`).id(t)
	looked := 0
	for n := range 10 {
		_, namesake := p.key(p.root, id, caller{project, p.root.user, ""}, fmt.Sprintf(`{"name":"k%d"}`, n))
		for _, spelling := range []string{project, strings.ToUpper(project), "{" + project + "}"} {
			namesake.project = spelling
			if resp, body := p.get("192.0.2.1", namesake); resp.StatusCode != 200 {
				t.Fatalf("a namesake is not let in: %d %s", resp.StatusCode, body)
			}
		}
		if resp, _ := p.get("192.0.2.1", caller{p.root.project, p.root.user, fmt.Sprint("wrong-", n)}); resp.Header.Get("Retry-After") == "" {
			looked++
		}
	}
	if looked != 3 {
		t.Errorf("%d wrong keys were looked up, want 3", looked)
	}
}

// TestGuessingCanBeAllowed switches it off.
func TestGuessingCanBeAllowed(t *testing.T) {
	t.Parallel()
	p := newBehindProxy(t, server.Options{Logins: server.Logins{Failures: -1}})
	for n := range 100 {
		if resp, _ := p.get("192.0.2.1", caller{p.root.project, p.root.user, fmt.Sprint(n)}); resp.Header.Get("Retry-After") != "" {
			t.Fatalf("refused after %d", n)
		}
	}
}

// TestProxyAddressInChangeLog has the client that the proxy names, and not what a client says without one.
func TestProxyAddressInChangeLog(t *testing.T) {
	t.Parallel()
	p := newBehindProxy(t, server.Options{})
	direct := newFixture(t)
	for name, c := range map[string]struct {
		f    *fixture
		want string
	}{"proxy": {p.fixture, "192.0.2.7"}, "direct": {direct, "127.0.0.1"}} {
		req, _ := http.NewRequestWithContext(t.Context(), "POST", c.f.url+"/v1/clouds", strings.NewReader(`{"name":"east"}`))
		c.f.root.sign(req)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Forwarded-For", "192.0.2.7")
		req.Header.Set("Forwarded", "for=192.0.2.8")
		if resp, body := do(t, req); resp.StatusCode != 201 {
			t.Fatalf("%s: %d %s", name, resp.StatusCode, body)
		}
		changes := c.f.must(c.f.root, 200, "GET", "/v1/changes?kind=cloud", "").objects(t, "changes")
		if got := changes[0]["address"]; got != c.want {
			t.Errorf("%s: the change log has the address %v, want %s", name, got, c.want)
		}
	}
}

func TestKeystoneGuessing(t *testing.T) {
	t.Parallel()
	k := openstacktest.StartKeystone(t)
	v, err := keystone.New(keystone.Config{URL: k.URL, CacheTime: 0})
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.Open(t.Context(), enginetest.Database(t), server.Options{Create: true, Logins: server.Logins{Failures: 1}, TrustedProxies: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s.KeystoneHandler(v, defaultRoles))
	t.Cleanup(func() { h.Close(); _ = s.Close() })
	b := &behindKeystone{fixture: &fixture{t: t, server: s, url: h.URL}, keystone: k}
	p := &behindProxy{fixture: b.fixture}
	good := b.someone(k.Project(t, "team"), "member")
	late := b.someone(k.Project(t, "other"), "member")
	refused := 0
	for n := range 8 {
		resp, _ := p.get("192.0.2.1", caller{key: fmt.Sprint("wrong", n), user: fmt.Sprint("ignored", n)})
		if resp.StatusCode != 401 {
			t.Errorf("a wrong token: %d", resp.StatusCode)
		}
		if resp.Header.Get("Retry-After") != "" {
			refused++
		}
		if n == 3 {
			if resp, body := p.get("192.0.2.1", good); resp.StatusCode != 200 {
				t.Errorf("a good token among wrong ones: %d %s", resp.StatusCode, body)
			}
		}
	}
	if refused != 0 { // the success has reset the count
		t.Errorf("%d refused", refused)
	}
	for n := range 3 {
		p.get("192.0.2.1", caller{key: fmt.Sprint("more", n)})
	}
	if resp, _ := p.get("192.0.2.1", late); resp.StatusCode != 401 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("an address that sends wrong tokens: %d %v", resp.StatusCode, resp.Header)
	}
	for _, c := range []struct {
		address string
		who     caller
	}{{"192.0.2.1", good}, {"192.0.2.2", late}, {"192.0.2.1", late}} {
		if resp, body := p.get(c.address, c.who); resp.StatusCode != 200 {
			t.Errorf("a good token from %s: %d %s", c.address, resp.StatusCode, body)
		}
	}
	// Tokens that end have guessed nothing.
	for range 6 {
		who := b.someone(k.Project(t, "many"), "member")
		p.get("192.0.2.3", who)
		k.Revoke(t, who.key)
		p.get("192.0.2.3", who)
	}
	if resp, body := p.get("192.0.2.3", b.someone(k.Project(t, "last"), "member")); resp.StatusCode != 200 {
		t.Errorf("after tokens that ended: %d %s", resp.StatusCode, body)
	}
}

// TestGuessingDuringWork sends 10,000 wrong keys for three users from twenty addresses, beside fifty clients that work:
// some are those users, some are behind those addresses, and some come only then. None of them sees one failure, or
// waits long.
func TestGuessingDuringWork(t *testing.T) {
	const keys, addresses, working = 10_000, 20, 50
	p := newBehindProxy(t, server.Options{})
	users := []caller{p.root}
	for n := range working {
		name := fmt.Sprint("worker", n)
		r := p.must(p.root, 201, "POST", "/v1/users", `{"username":"`+name+`","project_id":"`+p.root.project+`"}`)
		users = append(users, caller{p.root.project, name, r.JSON["api_key"].(string)})
	}
	clients := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 400}}
	defer clients.CloseIdleConnections()
	attacker := func(n int) string { return fmt.Sprintf("203.0.113.%d", n%addresses) }
	home := func(n int) string {
		if n%2 == 0 {
			return attacker(n)
		}
		return fmt.Sprintf("192.0.2.%d", n)
	}
	for n := range working { // those behind an attacker's address have worked before
		if n%2 == 0 {
			if resp, body := p.get(home(n), users[n]); resp.StatusCode != 200 {
				t.Fatalf("%d %s", resp.StatusCode, body)
			}
		}
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)

	var attack, work sync.WaitGroup
	var next, looked, refused, done atomic.Int64
	over := make(chan struct{})
	begun := time.Now()
	for range 200 {
		attack.Go(func() {
			for n := next.Add(1); n <= keys && t.Context().Err() == nil; n = next.Add(1) {
				who := caller{p.root.project, users[n%3].user, fmt.Sprintf("%032x", n)}
				resp, body, err := p.from(clients, attacker(int(n)), who, "/v1/hosts")
				switch {
				case err != nil:
					t.Errorf("a wrong key: %v", err)
				case resp.StatusCode != http.StatusUnauthorized: // for anything else the python client has to have a class
					t.Errorf("a wrong key: %d %s", resp.StatusCode, body)
				case resp.Header.Get("Retry-After") != "":
					refused.Add(1)
				default:
					looked.Add(1)
				}
			}
		})
	}
	var mu sync.Mutex
	var took []time.Duration
	for n := range working {
		work.Go(func() {
			for {
				begin := time.Now()
				resp, body, err := p.from(clients, home(n), users[n], "/v1/clouds")
				if err != nil || resp.StatusCode != 200 {
					t.Errorf("client %d: %v %s", n, err, body)
					return
				}
				mu.Lock()
				took = append(took, time.Since(begin))
				mu.Unlock()
				done.Add(1)
				select {
				case <-over:
					return
				case <-time.After(20 * time.Millisecond):
				}
			}
		})
	}
	attack.Wait()
	attacked := time.Since(begun)
	close(over)
	work.Wait()
	runtime.GC()
	runtime.ReadMemStats(&after)
	slices.Sort(took)
	t.Logf("%d wrong keys: %d looked up, %d refused; %d requests of clients, median %v, longest %v of an attack of %v; %d KiB more in memory",
		keys, looked.Load(), refused.Load(), done.Load(), took[len(took)/2], took[len(took)-1], attacked, (int64(after.HeapAlloc)-int64(before.HeapAlloc))>>10)
	if most := int64(addresses * 3 * (10 + 4)); looked.Load() > most {
		t.Errorf("%d wrong keys were looked up, want at most %d", looked.Load(), most)
	}
	if longest := took[len(took)-1]; longest > attacked/2 {
		t.Errorf("a client waited %v of an attack of %v", longest, attacked)
	}
	if more := int64(after.HeapAlloc) - int64(before.HeapAlloc); more > 32<<20 {
		t.Errorf("%d MiB more in memory", more>>20)
	}
}
