package inventory

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/internal/wording"
)

// TestKeptOfTheOriginal: an inventory of a server without revisions is kept only where somebody says how old it may be,
// or relies on it otherwise; and it is read again when it is older.
func TestKeptOfTheOriginal(t *testing.T) {
	t.Parallel()
	f := fleetOf(20)
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	dir := filepath.Join(t.TempDir(), "kept")
	now := time.Now()
	list := func(set map[string]string) (text string, requests int) {
		t.Helper()
		env := map[string]string{"CRATON_URL": s.URL, "OS_USERNAME": "u", "OS_PASSWORD": "p", "OS_PROJECT_ID": project1, "CRATON_INVENTORY_CACHE_DIR": dir, "CRATON_CONFIG": os.DevNull}
		for name, value := range set {
			env["CRATON_INVENTORY_"+strings.ToUpper(name)] = value
		}
		v, err := settings.LoadEnv(nil, func(name string) (string, bool) { text, is := env[name]; return text, is }, settings.Connection, settings.Inventory)
		if err != nil {
			t.Fatal(err)
		}
		o, err := FromSettings(v)
		if err != nil {
			t.Fatal(err)
		}
		c := &connection{v: v}
		l, err := newLister(v, o, c.open)
		if err != nil {
			t.Fatal(err)
		}
		l.now = func() time.Time { return now }
		before := len(f.asked())
		listing, err := l.list(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer listing.Close()
		var b strings.Builder
		if err := listing.Write(&b); err != nil || listing.Note != "" {
			t.Fatal(err, listing.Note)
		}
		return b.String(), len(f.asked()) - before
	}
	first, all := list(nil)
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("kept without a word: %v", err)
	}
	aged := map[string]string{"max_age": "10m"}
	if text, n := list(aged); text != first || n != all {
		t.Errorf("the first with max_age: %d requests", n)
	}
	f.host(f.get("regions", 1), "another", nil, nil)
	now = now.Add(9 * time.Minute)
	if text, n := list(aged); text != first || n != 0 {
		t.Errorf("not too old: %d requests", n)
	}
	if text, _ := list(nil); text == first {
		t.Error("without max_age the old one is printed")
	}
	now = now.Add(2 * time.Minute)
	second, n := list(aged)
	if second == first || n == 0 {
		t.Errorf("too old: %d requests", n)
	}
	now = now.Add(-time.Hour)
	if _, n := list(aged); n == 0 {
		t.Error("one of the future is printed")
	}
}

// TestKeepingErrors: settings that cannot be, and a folder that nothing can be kept in.
func TestKeepingErrors(t *testing.T) {
	t.Parallel()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(t.TempDir(), link); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	for name, c := range map[string]struct {
		set  map[string]string
		want string
	}{
		"no part":         {map[string]string{"CRATON_INVENTORY_SHRINK_GUARD": "a third"}, `shrink_guard (environment CRATON_INVENTORY_SHRINK_GUARD) ... 30% ... "a third"`},
		"more than all":   {map[string]string{"CRATON_INVENTORY_SHRINK_GUARD": "130%"}, `not "130%"`},
		"a linked guard":  {map[string]string{"CRATON_INVENTORY_SHRINK_GUARD": "30", "CRATON_INVENTORY_CACHE_DIR": link}, "shrink_guard ... " + link},
		"a linked folder": {map[string]string{"CRATON_INVENTORY_CACHE_DIR": link}, "404"}, // it goes on without
	} {
		env := map[string]string{"CRATON_URL": s.URL, "OS_USERNAME": "u", "OS_PASSWORD": "p", "OS_PROJECT_ID": project1, "CRATON_CONFIG": os.DevNull}
		for name, value := range c.set {
			env[name] = value
		}
		v, err := settings.LoadEnv(nil, func(name string) (string, bool) { text, is := env[name]; return text, is }, settings.Connection, settings.Inventory)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = List(t.Context(), v, nil); err == nil || !wording.Has(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
