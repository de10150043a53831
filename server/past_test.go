package server_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/craton-fleet/craton/server"
	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// atIn is what the links of a past answer have more than those of then.
var atIn = regexp.MustCompile(`&at=[0-9]+-[0-9a-f]+`)

// TestPastAnswers: what was answered at a revision is answered later with at=, byte for byte, by everybody.
func TestPastAnswers(t *testing.T) {
	t.Parallel()
	tenants := newTenants(t)
	r := &random{tenants.fixture, rand.New(rand.NewPCG(1, 7)), 0}
	r.fill(tenants.a.member)
	r.fill(tenants.b.member)
	var all []*reading
	for _, one := range r.readings(tenants) {
		if one.accept = ""; !strings.HasPrefix(one.path, "/v1/users") {
			all = append(all, one)
		}
	}
	type answer struct {
		*reading
		revision, after, body string
		status                int
	}
	var then []answer
	for range enginetest.Size(6, 100) {
		after := r.change(tenants)
		revision := r.must(tenants.root, 200, "GET", "/v1/fleet", "").Header.Get("X-Craton-Revision")
		for range 12 {
			one := all[r.IntN(len(all))]
			status, _, body := r.ask(one, false)
			then = append(then, answer{one, revision, after, body, status})
		}
	}
	found := 0
	for _, was := range then {
		separator := "?"
		if strings.Contains(was.path, "?") {
			separator = "&"
		}
		past := &reading{who: was.who, path: was.path + separator + "at=" + was.revision}
		status, tag, body := r.ask(past, false)
		if body = atIn.ReplaceAllString(body, ""); status != was.status || body != was.body {
			t.Fatalf("%s, after %s: %d, was %d\n%s\nwas\n%s", past, was.after, status, was.status, body, was.body)
		}
		if status != 200 {
			continue
		}
		found++
		past.tag = tag
		if status, again, _ := r.ask(past, true); status != 304 || again != tag {
			t.Fatalf("%s: %d with the tag %q of a past answer", past, status, tag)
		}
	}
	if found < len(then)/2 {
		t.Errorf("only %d of %d were answers", found, len(then))
	}
}

// TestPastPages walks a listing page by page while others write, and asks for moments in all the ways there are.
func TestPastPages(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	a := f.a
	place := `"cloud_id":` + a.cloud + `,"region_id":` + a.region
	for i := range 25 {
		f.must(a.member, 201, "POST", "/v1/hosts", fmt.Sprintf(`{"name":"p%d","ip_address":"10.0.1.%d","device_type":"x",%s}`, i, i, place))
	}
	before := f.must(a.member, 200, "GET", "/v1/hosts?limit=100", "")
	revision := before.Header.Get("X-Craton-Revision")
	number, _, _ := strings.Cut(revision, "-")
	time.Sleep(2 * time.Millisecond) // the next change is of another time
	now := time.Now().UTC().Format(time.RFC3339Nano)
	time.Sleep(2 * time.Millisecond)
	for _, h := range before.objects(t, "hosts")[3:9] {
		f.must(a.member, 204, "DELETE", fmt.Sprintf("/v1/hosts/%v", h["id"]), "")
	}
	for _, at := range []string{revision, number, now} {
		seen := 0
		for next := "/v1/hosts?limit=10&at=" + url.QueryEscape(at); next != ""; {
			page := f.must(a.member, 200, "GET", next, "")
			if got := page.Header.Get("X-Craton-Revision"); got != revision {
				t.Fatalf("%s is of revision %s, not %s", next, got, revision)
			}
			some := page.objects(t, "hosts")
			f.must(a.member, 201, "POST", "/v1/hosts", fmt.Sprintf(`{"name":"q%s%d","ip_address":"10.0.2.1","device_type":"x",%s}`, strings.ReplaceAll(at, ":", ""), seen, place))
			seen += len(some)
			if next = ""; len(some) > 0 {
				if next = page.link("next"); !strings.Contains(next, "&at="+revision) {
					t.Fatalf("the next page would be of another moment: %s", next)
				}
			}
		}
		if want := len(before.objects(t, "hosts")); seen != want {
			t.Errorf("at=%s has %d hosts, not %d", at, seen, want)
		}
	}
}

// TestPastErrors: what cannot be shown is refused with the reason, and what is not known of a past state is named.
func TestPastErrors(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	a := f.a
	for path, want := range map[string]struct {
		status  int
		message string
	}{
		"hosts?at=99999":                   {400, "There is no revision 99999 yet"},
		"hosts?at=3-0123456789abcdef":      {410, "read all again"},
		"hosts?at=2026-11-20":              {400, "neither a time such as 2026-11-20T09:30:00Z nor a revision"},
		"hosts?at=yesterday":               {400, "neither a time such as"},
		"hosts?at=":                        {400, "neither a time such as"},
		"hosts?at=1999-01-01T00:00:00Z":    {410, "The change log begins at 20"},
		"hosts?at=2999-01-01T00:00:00Z":    {400, "is in the future"},
		"hosts?concealed=omit":             {400, "requires at"},
		"hosts?at=1&concealed=show":        {400, "must be \"omit\""},
		"hosts?at=1&sort_keys=x":           {400, "invalid sort key"},
		"hosts?at=1&bogus=x":               {400, "bogus"},
		"users?at=1":                       {400, "'at' was unexpected"},
		"changes?at=1":                     {400, "'at' was unexpected"},
		"hosts/" + a.host + "?at=0":        {404, "Not Found"},
		"hosts/" + a.host + "/labels?at=0": {404, "Not Found"},
	} {
		got := f.call(a.admin, "GET", "/v1/"+path, "")
		if got.Status != want.status || !strings.Contains(got.message(), want.message) {
			t.Errorf("%s: %d %s", path, got.Status, got.Text)
		}
	}
	for method, path := range map[string]string{"POST": "clouds?at=1", "PUT": "hosts/" + a.host + "?at=1", "DELETE": "hosts/" + a.host + "?concealed=omit"} {
		if got := f.call(a.admin, method, "/v1/"+path, `{"name":"past"}`); got.Status != 400 || !strings.Contains(got.message(), "past states are read-only") {
			t.Errorf("%s %s: %d %s", method, path, got.Status, got.Text)
		}
	}
	// Before the first write there was nothing, and that has a name too.
	if got := f.call(a.admin, "GET", "/v1/hosts?at=0", ""); got.Status != 200 || got.Header.Get("X-Craton-Revision") != "0" {
		t.Errorf("hosts?at=0: %d, revision %q", got.Status, got.Header.Get("X-Craton-Revision"))
	}
}

// concealing is a server whose log keeps only a hash of the values of a key.
func concealing(t *testing.T, key string) *fixture {
	t.Helper()
	return newFixtureAs(t, enginetest.Database(t), server.Options{Create: true, HashedKeys: []string{key}})
}

// TestPastNotRetained: a value of which the log keeps only a hash is named where it would be shown, or left out.
func TestPastNotRetained(t *testing.T) {
	t.Parallel()
	f := tenantsOf(concealing(t, "hidden"))
	a := f.a
	host := "/v1/hosts/" + a.host
	f.must(a.member, 200, "PUT", host+"/variables", `{"hidden":"one","open":1}`)
	at := "at=" + f.must(a.member, 200, "GET", host, "").Header.Get("X-Craton-Revision")
	f.must(a.member, 200, "PUT", host+"/variables", `{"hidden":"two"}`)
	for _, path := range []string{host + "?", host + "/variables?", "/v1/hosts?details=true&", "/v1/fleet?", "/v1/devices?details=true&", "/v1/ansible-inventory?region_id=" + a.region + "&"} {
		got := f.call(a.member, "GET", path+at, "")
		if got.Status != 409 || !strings.Contains(got.message(), "Of hidden") || strings.Contains(got.Text, "one") || strings.Contains(got.Text, "two") {
			t.Errorf("%s: %d %s", path, got.Status, got.Text)
		}
		got = f.call(a.member, "GET", path+at+"&concealed=omit", "")
		if got.Status != 200 || strings.Contains(got.Text, "hidden") || !strings.Contains(got.Text, "open") {
			t.Errorf("%s without what is not known: %d %s", path, got.Status, got.Text)
		}
		if got := f.call(f.b.member, "GET", "/v1/fleet?"+at, ""); got.Status != 200 {
			t.Errorf("another project's: %d %s", got.Status, got.Text)
		}
	}
	f.must(a.member, 200, "GET", "/v1/hosts?"+at, "")
	f.must(a.member, 200, "GET", host+"/labels?"+at, "")
}

// TestPastCrowd: more readers than there are connections wait for them, and those
// who go away in the middle of their answer take no connection along.
func TestPastCrowd(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	a := f.a
	place := `"cloud_id":` + a.cloud + `,"region_id":` + a.region
	for i := range 60 {
		f.must(a.member, 201, "POST", "/v1/hosts", fmt.Sprintf(`{"name":"p%d","ip_address":"10.0.1.%d","device_type":"x",%s}`, i, i, place))
	}
	at := f.must(a.member, 200, "GET", "/v1/hosts", "").Header.Get("X-Craton-Revision")
	f.must(a.member, 204, "DELETE", "/v1/hosts/"+a.host, "")
	const query = "/v1/hosts?details=true&limit=100&at="
	want := f.must(a.member, 200, "GET", query+at, "").Text
	var crowd sync.WaitGroup
	for i := range 96 {
		crowd.Go(func() {
			ctx := t.Context()
			if i%3 == 0 {
				gone, cancel := context.WithTimeout(ctx, time.Duration(i)*200*time.Microsecond)
				defer cancel()
				ctx = gone
			}
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url+query+at, nil)
			if err != nil {
				t.Error(err)
				return
			}
			a.member.sign(req)
			resp, err := plain.Do(req)
			if err != nil {
				if i%3 != 0 {
					t.Error(err)
				}
				return
			}
			defer resp.Body.Close()
			if body, err := io.ReadAll(resp.Body); i%3 != 0 && (err != nil || resp.StatusCode != 200 || string(body) != want) {
				t.Errorf("%d, error %v: %.200s", resp.StatusCode, err, body)
			}
		})
	}
	crowd.Wait()
	for range 20 {
		if got := f.must(a.member, 200, "GET", query+at, "").Text; got != want {
			t.Fatalf("%s\nwas\n%s", got, want)
		}
	}
}
