package server_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// key makes a key for a user, and returns its id and the user with it.
func (f *fixture) key(by caller, user string, of caller, body string) (id string, with caller) {
	f.t.Helper()
	r := f.must(by, 201, "POST", "/v1/users/"+user+"/keys", body)
	of.key, _ = r.JSON["key"].(string)
	return r.id(f.t), of
}

func TestKeys(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	made := f.must(f.a.member, 201, "POST", "/v1/users/self/keys", `{"name":"ci","role":"reader","expires_at":"90d"}`)
	secret, _ := made.JSON["key"].(string)
	if !regexp.MustCompile(`^crn_[0-9A-Za-z]{30}$`).MatchString(secret) || made.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%v %s", made.Header, made.Text)
	}
	id := made.id(t)
	if got := made.Header.Get("Location"); got != f.url+"/v1/users/"+f.a.memberID+"/keys/"+id {
		t.Errorf("Location: %s", got)
	}
	ci := f.a.member
	ci.key = secret
	f.status(ci, 200, "GET", "/v1/hosts", "")
	f.status(ci, 403, "POST", "/v1/clouds", `{"name":"x"}`)
	expires, err := time.Parse("2006-01-02T15:04:05.000000", made.JSON["expires_at"].(string))
	if d := time.Until(expires); err != nil || d < 89*24*time.Hour || d > 91*24*time.Hour {
		t.Errorf("%s: %v", made.Text, err)
	}
	for _, by := range []caller{f.a.member, ci, f.a.admin, f.root} {
		list := f.must(by, 200, "GET", "/v1/users/"+f.a.memberID+"/keys", "")
		keys := list.objects(t, "keys")
		if len(keys) != 2 || keys[0]["name"] != "api_key" || keys[0]["role"] != nil || keys[1]["name"] != "ci" || keys[1]["role"] != "reader" || strings.Contains(list.Text, "crn_") {
			t.Errorf("%s", list.Text)
		}
		if by == ci && (keys[0]["current"] != false || keys[1]["current"] != true) || by == f.root && strings.Contains(list.Text, `"current": true`) {
			t.Errorf("%s", list.Text)
		}
		if one := f.must(by, 200, "GET", "/v1/users/"+f.a.memberID+"/keys/"+id, ""); one.JSON["name"] != "ci" || strings.Contains(one.Text, "crn_") {
			t.Errorf("%s", one.Text)
		}
	}
	for body, want := range map[string]int{
		`{"name":"ci"}`: 409, `{}`: 400, `[]`: 400, `{"name":""}`: 400, `{"name":"a\u202e"}`: 400, `{"name":7}`: 400, `{"name":"x","role":"king"}`: 400, `{"name":"x","role":7}`: 400, `{"name":"x","more":1}`: 400,
		`{"name":"x","expires_at":"yesterday"}`: 400, `{"name":"x","expires_at":"2020-01-01T00:00:00Z"}`: 400, `{"name":"x","expires_at":9}`: 400,
		`{"name":"x","role":"admin"}`: 403, `{"name":"null","role":null,"expires_at":null}`: 201, `{"name":"then","expires_at":"2126-01-01T00:00:00Z"}`: 201,
	} {
		f.status(f.a.member, want, "POST", "/v1/users/self/keys", body)
	}
	// What a narrower key may not: make a wider one, or end it.
	f.status(ci, 403, "POST", "/v1/users/self/keys", `{"name":"wider"}`)
	f.status(ci, 403, "POST", "/v1/users/self/keys", `{"name":"wider","role":"member"}`)
	next, successor := f.key(ci, "self", ci, `{"name":"next","role":"reader","expires_at":"60d"}`)
	first := f.must(ci, 200, "GET", "/v1/users/self/keys", "").objects(t, "keys")[0]["id"]
	f.status(ci, 403, "DELETE", fmt.Sprintf("/v1/users/self/keys/%v", first), "")
	f.status(successor, 204, "DELETE", "/v1/users/self/keys/"+id, "")
	f.status(ci, 401, "GET", "/v1/hosts", "")
	f.status(successor, 204, "DELETE", "/v1/users/self/keys/"+next, "")
	f.status(successor, 401, "GET", "/v1/hosts", "")

	// The key that the user was made with is one like others.
	_, other := f.key(f.a.admin, f.a.memberID, f.a.member, `{"name":"other"}`)
	f.status(other, 204, "DELETE", fmt.Sprintf("/v1/users/self/keys/%v", first), "")
	f.status(f.a.member, 401, "GET", "/v1/hosts", "")
	f.status(other, 200, "GET", "/v1/hosts", "")

	// Whoever may do more is managed by who may as much.
	_, near := f.key(f.root, "self", f.root, `{"name":"near","role":"admin"}`)
	f.status(near, 403, "DELETE", "/v1/users/1/keys/1", "")
	f.status(near, 403, "PUT", "/v1/users/1/role", `{"role":"admin"}`)
	u := f.must(f.root, 201, "POST", "/v1/users", `{"username":"u","role":"admin","project_id":"`+f.root.project+`"}`)
	by := caller{f.root.project, "u", u.JSON["api_key"].(string)}
	if u.JSON["role"] != "admin" || u.JSON["is_admin"] != true {
		t.Errorf("%s", u.Text)
	}
	f.status(by, 200, "GET", "/v1/users/1/keys", "")
	f.status(by, 403, "POST", "/v1/users/1/keys", `{"name":"x","role":"reader"}`)
	f.status(by, 403, "DELETE", "/v1/users/1/keys/1", "")
	f.status(by, 403, "PUT", "/v1/users/1/role", `{"role":"member"}`)
	f.status(by, 403, "PUT", "/v1/users/self/role", `{"role":"root"}`)
	f.status(by, 200, "PUT", "/v1/users/self/role", `{"role":"reader"}`)
	f.status(by, 403, "PUT", "/v1/users/self/role", `{"role":"admin"}`)
	f.status(f.root, 400, "POST", "/v1/users", `{"username":"v","role":"reader","is_admin":true,"project_id":"`+f.root.project+`"}`)
}

// TestKeysExpire: one that has expired is refused as a wrong one is.
func TestKeysExpire(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	at := time.Now().Add(1500 * time.Millisecond).UTC().Truncate(time.Second)
	if !at.After(time.Now()) {
		at = at.Add(time.Second)
	}
	_, short := f.key(f.root, "self", f.root, `{"name":"short","expires_at":"`+at.Format(time.RFC3339)+`"}`)
	if time.Until(at) > 300*time.Millisecond {
		f.status(short, 200, "GET", "/v1/hosts", "")
	}
	time.Sleep(time.Until(at) + 10*time.Millisecond)
	wrong := short
	wrong.key = "crn_000000000000000000000000000000"
	a, b := f.call(short, "GET", "/v1/hosts", ""), f.call(wrong, "GET", "/v1/hosts", "")
	if a.Status != 401 || a.Text != b.Text || a.Status != b.Status {
		t.Errorf("expired: %d %s, wrong: %d %s", a.Status, a.Text, b.Status, b.Text)
	}
	if keys := f.must(f.root, 200, "GET", "/v1/users/self/keys", "").objects(t, "keys"); len(keys) != 2 {
		t.Errorf("%v", keys)
	}
}

// TestKeysOutliveNothing: a key that expires makes none that lives longer.
func TestKeysOutliveNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, day := f.key(f.root, "self", f.root, `{"name":"day","expires_at":"24h"}`)
	for _, expires := range []string{"", `,"expires_at":"90d"`, `,"expires_at":"25h"`} {
		if r := f.call(day, "POST", "/v1/users/self/keys", `{"name":"longer"`+expires+`}`); r.Status != 403 || !strings.Contains(r.Text, "outlive") {
			t.Errorf("%s: %d %s", expires, r.Status, r.Text)
		}
	}
	f.must(day, 201, "POST", "/v1/users/self/keys", `{"name":"hour","expires_at":"1h"}`)
}

// TestKeysOfOthers: who made a key for somebody else gains nothing when its user may do more one day.
func TestKeysOfOthers(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	r := f.must(f.a.admin, 201, "POST", "/v1/users", `{"username":"new","project_id":"`+f.a.project+`"}`)
	id, first := r.id(t), caller{f.a.project, "new", r.JSON["api_key"].(string)}
	_, held := f.key(f.a.admin, id, first, `{"name":"held"}`)
	_, given := f.key(f.root, id, first, `{"name":"given"}`)
	f.status(held, 401, "PUT", "/v1/projects/"+f.a.project+"/variables", `{"x":1}`)
	f.must(f.root, 200, "PUT", "/v1/users/"+id+"/role", `{"role":"root"}`)
	for _, by := range []caller{first, held} {
		f.status(by, 200, "GET", "/v1/users", "")
		f.status(by, 404, "GET", "/v1/hosts/"+f.b.host, "")
		f.status(by, 403, "PUT", "/v1/users/"+f.a.memberID+"/role", `{"role":"root"}`)
	}
	f.status(given, 200, "GET", "/v1/hosts/"+f.b.host, "")
}

// TestLastRootKey: there always is a key by which somebody sees everything.
func TestLastRootKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	first := fmt.Sprint(f.must(f.root, 200, "GET", "/v1/users/self/keys", "").objects(t, "keys")[0]["id"])
	f.key(f.root, "self", f.root, `{"name":"narrow","role":"admin"}`)
	refused := func(method, path, body string) {
		t.Helper()
		if r := f.call(f.root, method, path, body); r.Status != 409 || !strings.Contains(r.Text, "last root user") {
			t.Errorf("%s %s: %d %s", method, path, r.Status, r.Text)
		}
	}
	refused("DELETE", "/v1/users/self/keys/"+first, "")
	refused("PUT", "/v1/users/self/role", `{"role":"admin"}`)
	// One who is root and has no key is no help.
	u := f.must(f.root, 201, "POST", "/v1/users", `{"username":"u","role":"root","project_id":"`+f.root.project+`"}`)
	keys := "/v1/users/" + u.id(t) + "/keys"
	f.must(f.root, 204, "DELETE", fmt.Sprintf("%s/%v", keys, f.must(f.root, 200, "GET", keys, "").objects(t, "keys")[0]["id"]), "")
	refused("DELETE", "/v1/users/self/keys/"+first, "")
	refused("PUT", "/v1/users/self/role", `{"role":"reader"}`)
	refused("DELETE", "/v1/users/1", "")
	_, second := f.key(f.root, u.id(t), caller{f.root.project, "u", ""}, `{"name":"k","expires_at":"1h"}`)
	f.must(f.root, 204, "DELETE", "/v1/users/self/keys/"+first, "")
	f.must(second, 200, "PUT", "/v1/users/1/role", `{"role":"admin"}`)
	if key, err := f.server.ResetKey(t.Context(), "bootstrap", ""); err != nil {
		t.Error(err)
	} else {
		f.root.key = key
		f.status(f.root, 200, "GET", "/v1/users/1", "")
		f.status(f.root, 401, "GET", "/v1/projects", "")
	}
}

// TestLostRoot: whoever has the database is root again when the only root's key is lost, or has expired, and the
// bootstrap user is root no more; those who have other keys of that user are not.
func TestLostRoot(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, held := f.key(f.root, "self", f.root, `{"name":"held"}`)
	u := f.must(f.root, 201, "POST", "/v1/users", `{"username":"u","role":"root","project_id":"`+f.root.project+`"}`)
	f.must(caller{f.root.project, "u", u.JSON["api_key"].(string)}, 200, "PUT", "/v1/users/1/role", `{"role":"reader"}`)
	if _, err := f.server.Bootstrap(t.Context()); err == nil || !strings.Contains(err.Error(), "--new-key makes it root") {
		t.Errorf("bootstrap finds one who is not root: %v", err)
	}
	f.status(held, 200, "GET", "/v1/users/self/role", "")
	b, err := f.server.ResetBootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.status(caller{b.ProjectID, b.Username, b.APIKey}, 200, "GET", "/v1/projects", "")
	f.status(held, 401, "GET", "/v1/users/self/role", "")
	f.status(f.root, 401, "GET", "/v1/users/self/role", "")
	again, err := f.server.ResetBootstrap(t.Context())
	if err != nil || again.ProjectID != b.ProjectID || again.APIKey == b.APIKey {
		t.Errorf("%+v %v", again, err)
	}
	f.status(caller{again.ProjectID, again.Username, again.APIKey}, 200, "GET", "/v1/projects", "")
}

// TestRolesAtOnce: of two who lower each other at once one stays root.
func TestRolesAtOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	u := f.must(f.root, 201, "POST", "/v1/users", `{"username":"u","role":"root","project_id":"`+f.root.project+`"}`)
	other := caller{f.root.project, "u", u.JSON["api_key"].(string)}
	for range 5 {
		var wg sync.WaitGroup
		for path, by := range map[string]caller{u.id(t): f.root, "1": other} {
			wg.Go(func() { f.call(by, "PUT", "/v1/users/"+path+"/role", `{"role":"admin"}`) })
		}
		wg.Wait()
		if n := f.count(t, "SELECT count(*) FROM users WHERE role = 'root'"); n != 1 {
			t.Fatalf("%d are root", n)
		}
		for _, by := range []caller{f.root, other} {
			f.call(by, "PUT", "/v1/users/1/role", `{"role":"root"}`)
			f.call(by, "PUT", "/v1/users/"+u.id(t)+"/role", `{"role":"root"}`)
		}
	}
}

// TestKeysInTheLog: that there are keys is told to who manages users, what they are to nobody.
func TestKeysInTheLog(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	after := f.cursor(f.a.admin)
	id, ci := f.key(f.a.member, "self", f.a.member, `{"name":"ci","role":"reader","expires_at":"2126-01-01T00:00:00Z"}`)
	f.must(f.a.admin, 200, "PUT", "/v1/users/"+f.a.memberID+"/role", `{"role":"reader"}`)
	f.must(f.a.admin, 204, "DELETE", "/v1/users/"+f.a.memberID+"/keys/"+id, "")
	if n := len(f.must(f.a.member, 200, "GET", "/v1/changes?after="+after, "").objects(t, "changes")); n != 0 {
		t.Errorf("a member sees %d changes of users", n)
	}
	var got []string
	for _, c := range f.must(f.a.admin, 200, "GET", "/v1/changes?after="+after, "").objects(t, "changes") {
		before, _ := json.Marshal(c["before"])
		then, _ := json.Marshal(c["after"])
		got = append(got, fmt.Sprint(c["user"], " ", c["action"], " ", c["kind"], " ", c["path"], " ", string(before), " ", string(then)))
	}
	key := `{"key":{"expires_at":"2126-01-01T00:00:00.000000","id":` + id + `,"name":"ci","role":"reader"}}`
	if len(got) != 3 || got[0] != "member update user member {} "+key || got[2] != "admin update user member "+key+" {}" || !strings.Contains(got[1], `"role":"member"`) || !strings.Contains(got[1], `"role":"reader"`) {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
	events := f.must(f.a.admin, 200, "GET", "/v1/history?kind=user&id="+f.a.memberID, "").Text
	for _, want := range []string{`"key": {`, `"after": "ci"`, `"before": "ci"`, `"before": "member"`} {
		if !strings.Contains(events, want) {
			t.Errorf("no %s in %s", want, events)
		}
	}
	sum := sha256.Sum256([]byte(ci.key))
	for _, secret := range []string{ci.key, hex.EncodeToString(sum[:])} {
		for _, path := range []string{"/v1/changes?limit=1000", "/v1/history?limit=1000", "/v1/diff?from=0"} {
			if text := f.must(f.root, 200, "GET", path, "").Text; strings.Contains(text, secret) {
				t.Errorf("%s shows %s", path, secret)
			}
		}
		if n := f.count(t, "SELECT count(*) FROM changes WHERE before LIKE '%"+secret+"%' OR after LIKE '%"+secret+"%'"); n != 0 {
			t.Errorf("the log has %s", secret)
		}
	}
}

// TestUndoRespectsRoles: undo gives nobody what they could not give.
func TestUndoRespectsRoles(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	undo := func(by caller, want int) {
		t.Helper()
		revision, _, _ := strings.Cut(f.cursor(f.root), "-")
		f.status(by, want, "POST", "/v1/undo", `{"revision":`+revision+`}`)
	}
	role := func(want string) {
		t.Helper()
		if got := f.must(f.root, 200, "GET", "/v1/users/"+f.a.memberID+"/role", "").JSON["role"]; got != want {
			t.Errorf("the role is %v, not %s", got, want)
		}
	}
	path := "/v1/users/" + f.a.memberID
	f.must(f.a.admin, 200, "PUT", path+"/role", `{"role":"reader"}`)
	undo(f.a.member, 403)
	undo(f.a.admin, 200)
	role("member")
	f.must(f.root, 200, "PUT", path+"/role", `{"role":"root"}`)
	undo(f.a.admin, 401)
	f.must(f.root, 200, "PUT", path+"/role", `{"role":"member"}`)
	undo(f.a.admin, 401) // it would make a root user
	undo(f.a.member, 401)
	role("member")
	undo(f.root, 200)
	role("root")
	f.must(f.root, 200, "PUT", path+"/role", `{"role":"member"}`)

	_, ci := f.key(f.a.member, "self", f.a.member, `{"name":"ci"}`)
	undo(f.a.admin, 200)
	f.status(ci, 401, "GET", "/v1/hosts", "")
	undo(f.a.admin, 200) // which key it was is not kept
	f.status(ci, 401, "GET", "/v1/hosts", "")

	f.must(f.root, 200, "PUT", "/v1/users/1/role", `{"role":"root"}`)
	f.must(f.root, 200, "PUT", path+"/role", `{"role":"reader"}`)
	f.must(f.a.admin, 204, "DELETE", path, "")
	undo(f.a.admin, 200)
	role("reader")
}

// TestKeysUsed: when a key was used is kept to the hour, without a write for each request.
func TestKeysUsed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	before := f.cursor(f.root)
	for range 3 {
		f.status(f.root, 200, "GET", "/v1/hosts", "")
	}
	if n := f.count(t, "SELECT count(*) FROM user_keys WHERE used_at IS NOT NULL"); n != 0 {
		t.Error("a request has written")
	}
	shown := f.must(f.root, 200, "GET", "/v1/users/self/keys", "").objects(t, "keys")[0]["used_at"]
	ctx, end := context.WithCancel(t.Context())
	wait := f.server.RecordUses(ctx)
	end()
	wait()
	if n := f.count(t, "SELECT count(*) FROM user_keys WHERE used_at % 3600 = 0"); n != 1 {
		t.Error("it is not kept")
	}
	if then := f.must(f.root, 200, "GET", "/v1/users/self/keys", "").objects(t, "keys")[0]["used_at"]; then != shown || !strings.HasSuffix(fmt.Sprint(then), ":00:00.000000") {
		t.Errorf("used at %v, then %v", shown, then)
	}
	if after := f.cursor(f.root); after != before {
		t.Errorf("it is in the change log: %s, then %s", before, after)
	}
}

// TestRotation: keys are made, switched to and deleted while clients work, and no request fails.
func TestRotation(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	const leastRequests, leastRotations = 100, 16
	over := time.Now().Add(time.Duration(enginetest.Size(2, 20)) * time.Second)
	var done atomic.Bool
	var current [8]caller
	var using [8]sync.RWMutex // a request is under way with the key
	var requests atomic.Int64
	var wg sync.WaitGroup
	defer wg.Wait()
	defer done.Store(true)
	for i := range current {
		current[i] = f.a.member
		wg.Go(func() {
			for n := 0; !done.Load(); n++ {
				using[i].RLock()
				who := current[i]
				method, path, body, want := "GET", "/v1/hosts/"+f.a.host, "", 200
				switch n % 4 {
				case 1:
					method, body = "PUT", fmt.Sprintf(`{"note":"%d %d"}`, i, n)
				case 3:
					path = "/v1/hosts?details=true"
				}
				req, err := http.NewRequestWithContext(t.Context(), method, f.url+path, strings.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				req.Header.Set("Content-Type", "application/json")
				who.sign(req)
				resp, err := plain.Do(req)
				using[i].RUnlock()
				if err != nil {
					t.Error(err)
					return
				}
				_ = resp.Body.Close()
				if resp.StatusCode != want {
					t.Errorf("client %d: %s %s: %d", i, method, path, resp.StatusCode)
					return
				}
				requests.Add(1)
			}
		})
	}
	old := make([]string, len(current))
	rotations := 0
	for ; !t.Failed() && (time.Now().Before(over) || rotations < leastRotations || requests.Load() < leastRequests); rotations++ {
		i := rotations % len(current)
		id, next := f.key(f.a.member, "self", f.a.member, fmt.Sprintf(`{"name":"%d","expires_at":"1h"}`, rotations))
		using[i].Lock() // the last request with the old key has its answer
		current[i] = next
		using[i].Unlock()
		if old[i] != "" {
			f.must(next, 204, "DELETE", "/v1/users/self/keys/"+old[i], "")
		}
		old[i] = id
	}
	t.Logf("%d requests, %d rotations", requests.Load(), rotations)
}
