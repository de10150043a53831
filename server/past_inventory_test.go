package server_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/when"
	"github.com/craton-fleet/craton/inventory"
	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// TestPastInventory: after random operations by several people, the inventory as of any revision is the one that was
// made when it was the newest: the same bytes, or the same error, in both forms, for every role, and of a single host.
func TestPastInventory(t *testing.T) {
	t.Parallel()
	tenants := newTenants(t)
	r := &random{tenants.fixture, rand.New(rand.NewPCG(13, 1)), 0}
	r.fill(tenants.a.member)
	r.fill(tenants.b.member)
	clients := map[string]*craton.Client{}
	for name, who := range map[string]caller{"admin": tenants.a.admin, "member": tenants.a.member, "other": tenants.b.member} {
		c, err := craton.New(r.url, craton.WithLocalAuth(who.user, who.key, who.project))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.CloseIdleConnections)
		clients[name] = c
	}
	type made struct {
		revision, after, who string
		form                 inventory.Form
		host                 string // "": all
		text                 string
	}
	ask := func(m made, at string) string {
		o := inventory.DefaultOptions()
		o.Vars, o.Hostname, o.NetworkDevices = m.form, inventory.Qualified, true
		o.Groups = append(o.Groups, inventory.KindGroups, inventory.ParentGroups, inventory.ActiveGroups)
		o.At = when.At{Revision: at}
		if m.host != "" {
			text, err := inventory.Host(t.Context(), clients[m.who], o, m.host)
			return string(text) + fmt.Sprint(err)
		}
		fleet, err := inventory.Load(t.Context(), clients[m.who], o)
		if err != nil {
			return err.Error()
		}
		doc, err := inventory.Build(fleet, o)
		if err != nil {
			return err.Error()
		}
		var text strings.Builder
		if err := doc.Write(&text, false); err != nil {
			t.Fatal(err)
		}
		return text.String()
	}
	var all []made
	whole := 0
	for range enginetest.Size(3, 40) {
		after := r.rename(tenants)
		if after == "" {
			after = r.change(tenants)
		}
		revision := r.must(tenants.root, 200, "GET", "/v1/fleet", "").Header.Get("X-Craton-Revision")
		if len(all) > 0 && all[len(all)-1].revision == revision {
			continue // it was refused
		}
		for _, who := range slices.Sorted(maps.Keys(clients)) {
			m := made{revision, after, who, []inventory.Form{inventory.Merged, inventory.Layered}[r.IntN(2)], "", ""}
			if m.text = ask(m, ""); strings.HasPrefix(m.text, "{") {
				whole++
			}
			all = append(all, m)
			m.form, m.host = inventory.Merged, "c/r/h"
			m.text = ask(m, "")
			all = append(all, m)
		}
	}
	if whole == 0 {
		t.Errorf("only %d inventories were made", whole)
	}
	for _, was := range all {
		if got := ask(was, was.revision); got != was.text {
			t.Fatalf("%s %s %q as of %s, after %s:\n%s\nwas\n%s", was.who, was.form, was.host, was.revision, was.after, got, was.text)
		}
	}
}

// rename does what change leaves out, now and then: other names, and places that
// are deleted with all that is in them. It says what, or nothing.
func (r *random) rename(t *tenants) string {
	id := strconv.Itoa(1 + r.IntN(6))
	method, path, body := "PUT", "", ""
	switch r.IntN(10) {
	case 0, 1:
		path, body = []string{"hosts", "network-devices"}[r.IntN(2)]+"/"+id, fmt.Sprintf(`{"name":"other%d"}`, r.IntN(5))
	case 2:
		path, body = []string{"clouds", "regions", "cells"}[r.IntN(3)]+"/"+id, fmt.Sprintf(`{"name":"place%d"}`, r.IntN(5))
	case 3:
		method, path = "DELETE", "regions/"+strconv.Itoa(3+r.IntN(6))
	default:
		return ""
	}
	status := r.call(t.root, method, "/v1/"+path, body).Status
	if status >= 500 {
		r.t.Fatalf("%s %s %s: %d", method, path, body, status)
	}
	return fmt.Sprintf("%s %s %s (%d)", method, path, body, status)
}
