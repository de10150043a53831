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

// dearFixture is a server with two more paths, whose requests look at everything, as much as a test wants them to: a listing
// and a search.
type dearFixture struct {
	*API
	t     *testing.T
	url   string
	begun chan string // of what has its place
	end   chan struct{}
}

func newDearFixture(t *testing.T) *dearFixture {
	t.Helper()
	s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "fleet.db"), store.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	caller := Caller{User: "root", Role: schema.Root, Project: "00000000-0000-0000-0000-000000000001"}
	a := New(s, Fixed(caller), slog.New(slog.NewTextHandler(io.Discard, nil)), DefaultLimits, "test")
	f := &dearFixture{API: a, t: t, begun: make(chan string), end: make(chan struct{})}
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
			if l.Quick {
				return store.ErrDear
			}
			return work(ctx, c)
		})
	})}
	routes["test-search"] = methods{read(func(c *call) error {
		s := searching{call: c}
		return s.read(func(ctx context.Context, _ *store.View) error {
			if s.release == nil {
				return store.ErrDear
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
func (f *dearFixture) get(ctx context.Context, path string) (status int, err error) {
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

// isFree waits until the share has all of its places again: a client that went away is noticed a little later.
func (f *dearFixture) isFree(after string) {
	f.t.Helper()
	for range 1000 {
		if f.budget.dear.TryAcquire(f.budget.dear.size) {
			f.budget.dear.Release(f.budget.dear.size)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	f.t.Fatalf("after %s the share has not got its places back", after)
}

// TestShareForExpensiveScans: while all places of those that look at everything are taken, others are answered, and their
// like wait; every place is given back, however the request ends.
//
//nolint:paralleltest // it adds routes
func TestShareForExpensiveScans(t *testing.T) {
	f := newDearFixture(t)
	places := int(f.budget.dear.size)
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
			soon, cancel := context.WithTimeout(t.Context(), patience/2) // who waits for a place waits for longer
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
			for range places + 1 { // one more than there would be place for if one was kept
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
