package moduletest

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"

	"github.com/craton-fleet/craton/internal/wording"
)

// Front is a proxy of a server, with the connection options for modules.
type Front struct {
	Lookup     Lookup
	Connection Args
	// Answer, if not nil, is called first; it reports whether it has responded.
	Answer func(w http.ResponseWriter, r *http.Request) bool

	Requests atomic.Int64
	Writes   atomic.Int64 // requests that are not GET
}

// Before serves what a handler answers, until done is called.
func (f *Front) Before(handler http.Handler) (url string, done func()) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.Requests.Add(1)
		if r.Method != http.MethodGet {
			f.Writes.Add(1)
		}
		if f.Answer == nil || !f.Answer(w, r) {
			handler.ServeHTTP(w, r)
		}
	}))
	return s.URL, s.Close
}

// Task runs a module against the server.
func (f *Front) Task(t T, name string, in Args) Output {
	t.Helper()
	out, _ := Run(t, f.Lookup, name, f.Connection.With(in), nil)
	return out
}

// OK requires success, and whether something changed; only then, and not in check mode, may something be written.
func (f *Front) OK(t T, changed bool, name string, in Args) Output {
	t.Helper()
	before := f.Writes.Load()
	out := f.Task(t, name, in)
	if out["failed"] != nil {
		t.Fatalf("%s %v failed: %s", name, in, out.Msg())
	}
	if out["changed"] != changed {
		t.Fatalf("%s %v: changed is %v", name, in, out["changed"])
	}
	if wrote := f.Writes.Load() != before; wrote != (changed && in["_ansible_check_mode"] == nil) {
		t.Fatalf("%s %v: requests that write: %v, changed: %v", name, in, wrote, changed)
	}
	return out
}

// Fails requires an error with all the words, as in wording.Has, before anything is written, also in check mode.
func (f *Front) Fails(t T, name string, in Args, words ...string) {
	t.Helper()
	for _, check := range []Args{Checking, {}} {
		before := f.Writes.Load()
		out := f.Task(t, name, in.With(check))
		if out["failed"] != true {
			t.Fatalf("%s %v did not fail: %v", name, in.With(check), out)
		}
		for _, word := range words {
			if !wording.Has(out.Msg(), word) {
				t.Fatalf("%s: the error %q lacks %q", name, out.Msg(), word)
			}
		}
		if f.Writes.Load() != before || out["changed"] != false {
			t.Fatalf("%s %v wrote something", name, in)
		}
	}
}

// Both runs a task in check mode, where nothing may be written, and normally. Both must report the same change and
// failure.
func (f *Front) Both(t T, name string, in Args) (predicted, real Output) {
	t.Helper()
	before := f.Writes.Load()
	predicted = f.Task(t, name, in.With(Checking))
	if f.Writes.Load() != before {
		t.Fatalf("%s %v: check mode has written", name, in)
	}
	real = f.Task(t, name, in.With(Diffing))
	if predicted["msg"] != real["msg"] || predicted["failed"] != real["failed"] || predicted["changed"] != real["changed"] {
		t.Fatalf("%s %v: check mode says %v %v, the real run %v %v", name, in, predicted["changed"], predicted["msg"], real["changed"], real["msg"])
	}
	if n := f.Writes.Load() - before; (n != 0) != (real["changed"] == true) {
		t.Fatalf("%s %v: %d requests that write, changed %v", name, in, n, real["changed"])
	}
	return predicted, real
}
