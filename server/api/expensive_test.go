package api

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/server/internal/varquery"
	"github.com/craton-fleet/craton/server/store"
)

// expensiveFixture is a server with two more paths, for a listing and a search that read everything. The parameter how=
// sets how a request ends.
type expensiveFixture struct {
	*API
	t     *testing.T
	url   string
	begun chan string // receives from each request that has its place
	end   chan struct{}
}

func newExpensiveFixture(t *testing.T) *expensiveFixture {
	t.Helper()
	s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "fleet.db"), store.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	caller := Caller{User: "root", Role: schema.Root, Project: "00000000-0000-0000-0000-000000000001"}
	a := New(s, Fixed(caller), slog.New(slog.NewTextHandler(io.Discard, nil)), DefaultLimits, "test")
	f := &expensiveFixture{API: a, t: t, begun: make(chan string), end: make(chan struct{})}
	work := func(ctx context.Context, c *call) error {
		switch how := c.r.URL.Query().Get("how"); how {
		case "wait":
			f.begun <- how
			select {
			case <-f.end:
			case <-ctx.Done():
				return ctx.Err()
			}
		case "fail":
			return errors.New("it fails")
		case "panic":
			panic("it panics")
		}
		c.buf = append(c.buf, "{}\n"...)
		return nil
	}
	routes["test-listing"] = methods{read(func(c *call) error {
		return c.listing(store.List{Vars: []varquery.Term{{}}}, func(ctx context.Context, _ *store.View, l store.List) error {
			if l.Cheap {
				return store.ErrExpensive
			}
			return work(ctx, c)
		})
	})}
	routes["test-search"] = methods{read(func(c *call) error {
		s := searching{call: c}
		return s.read(func(ctx context.Context, _ *store.View) error {
			if s.release == nil {
				return store.ErrExpensive
			}
			return work(ctx, c)
		})
	})}
	h := httptest.NewServer(a)
	f.url = h.URL
	t.Cleanup(func() {
		h.Close()
		delete(routes, "test-listing")
		delete(routes, "test-search")
	})
	return f
}

// get requests a path.
func (f *expensiveFixture) get(ctx context.Context, path string) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url+"/v1/"+path, nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close() //nolint:errcheck // read
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// isFree waits until the share has all of its places again: it takes a moment to notice that a client disconnected.
func (f *expensiveFixture) isFree(after string) {
	f.t.Helper()
	for range 1000 {
		if f.budget.expensive.TryAcquire(f.budget.expensive.size) {
			f.budget.expensive.Release(f.budget.expensive.size)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	f.t.Fatalf("after %s the share does not have all of its places again", after)
}

// TestShareForExpensiveScans: while all places for requests that read everything are taken, other requests are served,
// and further ones of that kind wait. Each place is released, however the request ends.
//
//nolint:paralleltest // it adds routes
func TestShareForExpensiveScans(t *testing.T) {
	f := newExpensiveFixture(t)
	places := int(f.budget.expensive.size)
	for _, path := range []string{"test-listing", "test-search"} {
		ended := make(chan int, places+1)
		wait := func(ctx context.Context) {
			status, _ := f.get(ctx, path+"?how=wait")
			ended <- status
		}
		for range places {
			go wait(t.Context())
			<-f.begun
		}
		for _, other := range []string{"clouds", "hosts?vars=a:1", "hosts?where=name%3Dx", "fleet", "capabilities"} {
			soon, cancel := context.WithTimeout(t.Context(), budgetTimeout/2) // a request that waits for a place waits longer
			if status, err := f.get(soon, other); status != http.StatusOK {
				t.Errorf("%s beside %s: %d %v", other, path, status, err)
			}
			cancel()
		}
		for _, like := range []string{"test-listing?how=do", "fleet?text=x"} {
			soon, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			if status, err := f.get(soon, like); err == nil {
				t.Errorf("%s did not wait for %s: %d", like, path, status)
			}
			cancel()
		}
		close(f.end)
		for range places {
			if status := <-ended; status != http.StatusOK {
				t.Errorf("%s: %d", path, status)
			}
		}
		f.isFree("success of " + path)
		f.end = make(chan struct{})

		for how, want := range map[string]int{"do": http.StatusOK, "fail": http.StatusInternalServerError, "panic": http.StatusInternalServerError} {
			for range places + 1 { // one more than there are places, in case one is not released
				if status, err := f.get(t.Context(), path+"?how="+how); status != want {
					t.Errorf("%s, which is to %s: %d %v", path, how, status, err)
				}
			}
			f.isFree(path + ", which is to " + how)
		}

		gone, leave := context.WithCancel(t.Context())
		for range places {
			go wait(gone)
			<-f.begun
		}
		queued, giveUp := context.WithTimeout(t.Context(), 300*time.Millisecond)
		if _, err := f.get(queued, path+"?how=do"); err == nil {
			t.Errorf("%s did not wait", path)
		}
		giveUp()
		leave()
		for range places {
			<-ended
		}
		f.isFree("clients of " + path + " that went away")
	}
	if status, err := f.get(t.Context(), "fleet?text=x"); status != http.StatusOK {
		t.Errorf("a search: %d %v", status, err)
	}
	f.isFree("a search")
}
