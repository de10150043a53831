package server_test

import (
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
	"testing"

	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/inventory"
	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// keeper lists inventories through a cache, and counts what is asked for it.
type keeper struct {
	*testing.T
	url, dir string
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
		k.mu.Lock()
		k.asked[r.Method+" "+strings.Split(r.URL.Path, "/")[2]]++
		k.mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	k.url = s.URL
	return k
}

// list is an inventory as the settings say, or its error.
func (k *keeper) list(who caller, set map[string]string) string {
	k.Helper()
	env := map[string]string{
		"CRATON_URL": k.url, "OS_USERNAME": who.user, "OS_PASSWORD": who.key, "OS_PROJECT_ID": who.project, "CRATON_INVENTORY_CACHE_DIR": k.dir, "CRATON_CONFIG": os.DevNull,
	}
	for name, value := range set {
		env["CRATON_INVENTORY_"+strings.ToUpper(name)] = value
	}
	v, err := settings.LoadEnv(nil, func(name string) (string, bool) { text, is := env[name]; return text, is }, settings.Connection, settings.Inventory)
	if err != nil {
		k.Fatal(err)
	}
	var text strings.Builder
	note, err := inventory.List(k.Context(), v, &text)
	if note != "" {
		k.Error(note)
	}
	if err != nil {
		return err.Error()
	}
	return text.String()
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

// TestKeptInventory: after any write the inventory that is kept is, byte for byte, the one that a full read gives, for every role, in
// every form and with any filter.
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
	for n := range enginetest.Size(40, 600) {
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
	if made < 50 || put < 5 || kept < 10 {
		t.Errorf("%d inventories were made, of these %d put together and %d as they were: the test shows less than it should", made, put, kept)
	}
}

// TestKeptInventoryAsksOnce: an inventory that is the present one takes one request, and one of which some hosts have changed
// a few, not those of the whole fleet.
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
