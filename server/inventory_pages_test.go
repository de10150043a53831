package server_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/inventory"
	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// withoutFleet is a network on which no server has /v1/fleet, as the original has none.
type withoutFleet struct{ http.RoundTripper }

func (n withoutFleet) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != "/v1/fleet" {
		return n.RoundTripper.RoundTrip(r)
	}
	const body = `{"message": "The requested URL was not found on the server.", "status": 404}`
	return &http.Response{StatusCode: 404, Status: "404 Not Found", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}, nil
}

// TestInventoryByPages: an inventory that is read from one answer is the one that is read page by page: the same bytes
// or the same error, for random fleets, everybody, and every way to ask.
func TestInventoryByPages(t *testing.T) {
	t.Parallel()
	tenants := newTenants(t)
	for seed := range enginetest.Size(2, 10) {
		r := &random{tenants.fixture, rand.New(rand.NewPCG(uint64(seed), 5)), seed * 1000}
		r.fill(tenants.a.member)
		r.fill(tenants.b.member)
	}
	r := rand.New(rand.NewPCG(11, 5))
	pick := func(n int) bool { return r.IntN(n) == 0 }
	places := map[string][]string{}
	var root *craton.Client
	clients := map[string][2]*craton.Client{}
	for name, who := range map[string]caller{"root": tenants.root, "admin": tenants.a.admin, "member": tenants.a.member, "other": tenants.b.member} {
		var both [2]*craton.Client
		for i, network := range []http.RoundTripper{http.DefaultTransport.(*http.Transport).Clone(), withoutFleet{http.DefaultTransport.(*http.Transport).Clone()}} {
			c, err := craton.New(tenants.url, craton.WithLocalAuth(who.user, who.key, who.project), craton.WithTransport(network))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.CloseIdleConnections)
			both[i] = c
		}
		clients[name] = both
		if name == "root" {
			root = both[0]
		}
	}
	whole, err := inventory.Load(t.Context(), root, inventory.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	for setting, all := range map[string]map[int]*inventory.Place{"clouds": whole.Clouds, "regions": whole.Regions, "cells": whole.Cells} {
		for id, p := range all {
			places[setting] = append(places[setting], p.Name, fmt.Sprint(id))
		}
	}
	some := func(setting string) (words []string) {
		for range 1 + r.IntN(2) {
			words = append(words, places[setting][r.IntN(len(places[setting]))])
		}
		return words
	}
	alike, parts := 0, 0
	for range enginetest.Size(75, 3000) {
		o := inventory.DefaultOptions()
		o.Vars = []inventory.Form{inventory.Merged, inventory.Layered}[r.IntN(2)]
		o.Hostname, o.NetworkDevices, o.ActiveOnly = inventory.Qualified, pick(2), pick(4)
		if pick(2) {
			o.Groups = append(o.Groups, inventory.KindGroups, inventory.ParentGroups, inventory.ActiveGroups)
		}
		for setting, into := range map[string]*[]string{"clouds": &o.Clouds, "regions": &o.Regions, "cells": &o.Cells} {
			if pick(4) {
				*into = some(setting)
			}
		}
		if pick(10) {
			o.Labels = []string{"l1"}
		}
		if pick(10) {
			o.DeviceTypes = []string{"x"}
		}
		name := []string{"root", "admin", "member", "other"}[r.IntN(4)]
		var texts [2]string
		for i, c := range clients[name] {
			fleet, err := inventory.Load(t.Context(), c, o)
			if err != nil {
				texts[i] = err.Error()
				continue
			}
			if fleet.Snapshot != nil {
				if parts++; i == 1 {
					t.Fatal("there is no such path, and yet a fleet came from it")
				}
				known := fleet.Snapshot.Part
				known.Known = fleet.Snapshot.Tag
				if _, err := c.Fleet(t.Context(), known); !craton.IsUnchanged(err) {
					t.Fatalf("%+v: nothing has changed, and yet: %v", o, err)
				}
			}
			doc, err := inventory.Build(fleet, o)
			if err != nil {
				texts[i] = err.Error()
				continue
			}
			var text bytes.Buffer
			if err := doc.Write(&text, false); err != nil {
				t.Fatal(err)
			}
			texts[i] = text.String()
		}
		if texts[0] != texts[1] {
			t.Fatalf("%s, %+v, from one answer:\n%s\nby pages:\n%s", name, o, texts[0], texts[1])
		}
		if strings.HasPrefix(texts[0], "{") {
			alike++
		}
	}
	if alike < 25 || parts < 15 {
		t.Errorf("only %d inventories were made, and %d from one answer: the test shows less than it should", alike, parts)
	}
}
