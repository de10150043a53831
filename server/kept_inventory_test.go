package server_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/inventory"
	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// keeper lists inventories through a cache, and counts what is asked for it.
type keeper struct {
	*testing.T
	url, dir string
	away     atomic.Bool // nobody answers
	mu       sync.Mutex
	asked    map[string]int // how many requests, by method and the first word of the path
}

// newKeeper makes one for a server.
func newKeeper(t *testing.T, server string) *keeper {
	t.Helper()
	to, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	k := &keeper{T: t, dir: filepath.Join(t.TempDir(), "kept"), asked: map[string]int{}}
	proxy := httputil.NewSingleHostReverseProxy(to)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if k.away.Load() {
			panic(http.ErrAbortHandler)
		}
		k.mu.Lock()
		k.asked[r.Method+" "+strings.Split(r.URL.Path, "/")[2]]++
		k.mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	k.url = s.URL
	return k
}

// list is an inventory as the settings say, or its error. There is nothing to say of it.
func (k *keeper) list(who caller, set map[string]string) string {
	k.Helper()
	text, note := k.noted(who, set)
	if note != "" {
		k.Error(note)
	}
	return text
}

// noted is list with what there is to say of it.
func (k *keeper) noted(who caller, set map[string]string) (text, note string) {
	k.Helper()
	env := map[string]string{
		"CRATON_URL": k.url, "OS_USERNAME": who.user, "OS_PASSWORD": who.key, "OS_PROJECT_ID": who.project, "CRATON_INVENTORY_CACHE_DIR": k.dir, "CRATON_CONFIG": os.DevNull, "CRATON_RETRIES": "1",
	}
	for name, value := range set {
		env["CRATON_INVENTORY_"+strings.ToUpper(name)] = value
	}
	v, err := settings.LoadEnv(nil, func(name string) (string, bool) { text, is := env[name]; return text, is }, settings.Connection, settings.Inventory)
	if err != nil {
		k.Fatal(err)
	}
	var b strings.Builder
	if note, err = inventory.List(k.Context(), v, &b); err != nil {
		return err.Error(), note
	}
	return b.String(), note
}

// same lists an inventory as it is kept, as often at once as is said, and as it is read, and compares.
func (k *keeper) same(who caller, set map[string]string, atOnce int, after string) (made bool) {
	k.Helper()
	got := make([]string, atOnce)
	var wait sync.WaitGroup
	for i := range got {
		wait.Go(func() { got[i] = k.list(who, set) })
	}
	wait.Wait()
	read := maps.Clone(set)
	read["cache"] = "off"
	was := k.asked
	k.asked = map[string]int{}
	want := k.list(who, read)
	k.asked = was
	for _, text := range got {
		if text != want {
			k.Fatalf("%s %v after %s:\n%s\nwant\n%s", who.user, set, after, text, want)
		}
	}
	return strings.HasPrefix(want, "{")
}

// TestKeptInventory: after any write the inventory that is kept is, byte for byte, the one that a full read gives, for
// every role, in every form and with any filter.
func TestKeptInventory(t *testing.T) {
	t.Parallel()
	tenants := newTenants(t)
	r := &random{tenants.fixture, rand.New(rand.NewPCG(14, 3)), 0}
	r.fill(tenants.a.member)
	r.fill(tenants.b.member)
	k := newKeeper(t, r.url)
	who := []caller{tenants.root, tenants.a.admin, tenants.a.member, tenants.b.member}
	all := "cloud,region,cell,label,type,active,kind,parent"
	ways := []map[string]string{
		{"hostname": "qualified"},
		{"hostname": "qualified", "vars": "layered", "network_devices": "true", "groups": all},
		{"hostname": "qualified", "facts": "none", "labels": "l1,l2"},
		{"hostname": "qualified", "vars": "layered", "regions": "1,2", "exclude_variables": "b*"},
		{"hostname": "qualified", "cells": "1", "groups": all},
		{"hostname": "qualified", "device_types": "x,t1", "active_only": "true", "network_devices": "true"},
		{"hostname": "qualified", "vars_filter": "a:1"},
		{"hostname": "qualified", "at": "12", "network_devices": "true"},
		{"hostname": "qualified", "network_devices": "true", "max_age": "1h", "stale_if_error": "1h"},
	}
	made, put, kept := 0, 0, 0
	for n := range enginetest.Size(25, 600) {
		after := r.rename(tenants)
		if after == "" {
			after = r.change(tenants)
		}
		for range 4 {
			clear(k.asked)
			atOnce := 1
			if n%5 == 0 {
				atOnce = 2
			}
			if !k.same(who[r.IntN(len(who))], ways[r.IntN(len(ways))], atOnce, after) {
				continue
			}
			made++
			switch {
			case k.asked["GET fleet"]+k.asked["GET clouds"] > 0: // all of it was read
			case k.asked["GET changes"] > 0:
				put++
			default:
				kept++
			}
		}
	}
	t.Logf("%d inventories were made, of these %d put together and %d as they were", made, put, kept)
	if made < 40 || put < 3 || kept < 6 {
		t.Errorf("%d inventories were made, of these %d put together and %d as they were: the test shows less than it should", made, put, kept)
	}
}

// TestKeptInventoryAsksOnce: an inventory that is the present one takes one request, and one of which some hosts have
// changed a few, not those of the whole fleet.
func TestKeptInventoryAsksOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.place("east", "dfw", "c1")
	for i := range 60 {
		f.must(f.root, 201, "POST", "/v1/hosts", fmt.Sprintf(`{"name":"h%02d","ip_address":"10.0.0.%d","device_type":"s","cloud_id":1,"region_id":1,"variables":{"n":%d}}`, i, i, i))
	}
	k := newKeeper(t, f.url)
	take := func() (asked []string) {
		k.mu.Lock()
		defer k.mu.Unlock()
		for _, what := range slices.Sorted(maps.Keys(k.asked)) {
			asked = append(asked, fmt.Sprintf("%d %s", k.asked[what], what))
		}
		clear(k.asked)
		return asked
	}
	first := k.list(f.root, nil)
	take() // all of the fleet
	if second := k.list(f.root, nil); second != first || !slices.Equal(take(), []string{"1 HEAD fleet"}) {
		t.Errorf("unchanged: %d bytes, then %d", len(first), len(second))
	}
	for _, id := range []string{"7", "9", "60"} {
		f.must(f.root, 200, "PUT", "/v1/hosts/"+id+"/variables", `{"n":"new"}`)
	}
	third := k.list(f.root, nil)
	if asked := take(); strings.Count(third, `"n":"new"`) != 3 || !slices.Equal(asked, []string{"1 GET changes", "3 GET hosts", "1 GET projects", "2 HEAD fleet"}) {
		t.Errorf("three hosts changed: %v\n%s", asked, third)
	}
	if k.list(f.root, nil); !slices.Equal(take(), []string{"1 HEAD fleet"}) {
		t.Error("what was put together is not kept")
	}
	if k.list(f.root, map[string]string{"cache": "refresh"}) != third || !slices.Equal(take(), []string{"1 GET fleet"}) {
		t.Error("cache refresh does not read the fleet")
	}
}

// TestDamagedInventory: what is kept and was cut or altered is read again, in the document and in what is beside it.
func TestDamagedInventory(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.hosts(30)
	k := newKeeper(t, f.url)
	want := k.list(f.root, nil)
	files, err := filepath.Glob(filepath.Join(k.dir, "*.kept"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(whole); n += len(whole)/12 + 1 {
		altered := bytes.Clone(whole)
		altered[n] ^= 1
		for _, text := range [][]byte{whole[:n], altered} {
			if err := os.WriteFile(files[0], text, 0o600); err != nil {
				t.Fatal(err)
			}
			if got := k.list(f.root, nil); got != want {
				t.Fatalf("byte %d of %d:\n%s", n, len(whole), got)
			}
			if err := os.WriteFile(files[0], text, 0o600); err != nil {
				t.Fatal(err)
			}
			f.must(f.root, 200, "PUT", "/v1/hosts/3/variables", fmt.Sprintf(`{"n":%d}`, n))
			if got := k.list(f.root, nil); got != k.list(f.root, map[string]string{"cache": "off"}) {
				t.Fatalf("byte %d of %d, and a host has changed:\n%s", n, len(whole), got)
			}
			want = k.list(f.root, nil)
		}
	}
}

// hosts makes a place with so many hosts.
func (f *fixture) hosts(n int) {
	f.t.Helper()
	f.place("east", "dfw", "c1")
	for i := range n {
		f.must(f.root, 201, "POST", "/v1/hosts", fmt.Sprintf(`{"name":"h%02d","ip_address":"10.0.0.%d","device_type":"s","cloud_id":1,"region_id":1,"variables":{"stale":false,"craton_stale":{"stale":false}}}`, i, i))
	}
}

// TestStaleInventory: when the server is unavailable, the cached inventory is printed, if somebody said so and it is
// not too old; it says so itself, in each host, and nothing else of it changes.
func TestStaleInventory(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.hosts(3)
	k := newKeeper(t, f.url)
	for name, set := range map[string]map[string]string{
		"facts":     {"stale_if_error": "24h"},
		"own facts": {"stale_if_error": "24h", "facts": "zzz", "vars": "layered"},
	} {
		fresh := k.list(f.root, set)
		k.away.Store(true)
		text, note := k.noted(f.root, set)
		want := strings.ReplaceAll(fresh, `"region_id":1,"stale":false}`, `"region_id":1,"stale":true}`)
		if text != want || want == fresh {
			t.Errorf("%s:\n%s\nwant\n%s", name, text, want)
		}
		if !strings.HasPrefix(note, "WARNING: this inventory is ") || !strings.Contains(note, " old (") || !strings.Contains(note, "cannot reach the Craton API") {
			t.Errorf("%s: %q", name, note)
		}
		k.away.Store(false)
		if k.list(f.root, set) != fresh {
			t.Errorf("%s: the stale inventory is kept", name)
		}
	}
	bare := map[string]string{"facts": "none", "exclude_variables": "craton_stale", "stale_if_error": "24h"}
	fresh := k.list(f.root, bare)
	k.away.Store(true)
	if text, _ := k.noted(f.root, bare); strings.Count(fresh, `"craton_stale":false`) != 3 || text != strings.ReplaceAll(fresh, `"craton_stale":false`, `"craton_stale":true`) {
		t.Errorf("without facts:\n%s\nwas\n%s", text, fresh)
	}
	for name, set := range map[string]map[string]string{
		"not asked for":   {"facts": "none", "exclude_variables": "craton_stale"},
		"another filter":  {"stale_if_error": "24h", "regions": "dfw"},
		"nothing is kept": {"stale_if_error": "24h", "cache": "off"},
	} {
		if text, _ := k.noted(f.root, set); !strings.Contains(text, "cannot reach the Craton API") {
			t.Errorf("%s: %s", name, text)
		}
	}
	old := time.Now().Add(-25 * time.Hour)
	files, err := filepath.Glob(filepath.Join(k.dir, "*.kept"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if err := os.Chtimes(file, old, old); err != nil {
			t.Fatal(err)
		}
	}
	if text, _ := k.noted(f.root, bare); !strings.Contains(text, "is 25 hours old, and stale_if_error allows 24h") {
		t.Errorf("too old: %s", text)
	}
	k.away.Store(false)
	bad := f.root
	bad.key = "wrong"
	if text, note := k.noted(bad, bare); strings.HasPrefix(text, "{") || note != "" {
		t.Errorf("credentials that are refused: %s %s", note, text)
	}
}

// TestShrinkGuard: an inventory that has lost too much is refused until it is accepted.
func TestShrinkGuard(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.hosts(20)
	k := newKeeper(t, f.url)
	set := map[string]string{"shrink_guard": "30%"}
	before := k.list(f.root, set)
	gone := func(from, to int) {
		for id := from; id < to; id++ {
			f.must(f.root, 204, "DELETE", fmt.Sprintf("/v1/hosts/%d", id), "")
		}
	}
	gone(1, 7)
	if text := k.list(f.root, set); strings.Count(text, `"kind":"host"`) != 14 {
		t.Errorf("30 of 100 are gone: %s", text)
	}
	gone(7, 13)
	for range 2 {
		text := k.list(f.root, set)
		if !strings.HasPrefix(text, "the inventory has lost 6 of the 14 hosts that it had ") || !strings.Contains(text, "30% that shrink_guard allows: h06, h07, h08, h09, h10, h11; if that is intended, accept it: craton cache accept ") {
			t.Errorf("43 of 100 are gone: %s", text)
		}
	}
	if text := k.list(f.root, map[string]string{"shrink_guard": "30%", "cache": "refresh"}); !strings.HasPrefix(text, "the inventory has lost 6") {
		t.Errorf("read anew: %s", text)
	}
	if text := k.list(f.root, nil); !strings.HasPrefix(text, "{") {
		t.Errorf("without a guard: %s", text)
	}
	f2 := newKeeper(t, f.url)
	if f2.list(f.root, set); !strings.HasPrefix(before, "{") {
		t.Errorf("the first one: %s", before)
	}
	gone(13, 18)
	if text := f2.list(f.root, set); !strings.HasPrefix(text, "{") {
		t.Errorf("one of fewer than 10 hosts: %s", text)
	}
}
