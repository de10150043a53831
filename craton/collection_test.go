package craton_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/craton"
)

// kindOfPath are the kinds by the paths of their collections.
var kindOfPath = map[string]craton.Kind{
	"/projects": craton.KindProject, "/users": craton.KindUser, "/clouds": craton.KindCloud, "/regions": craton.KindRegion, "/cells": craton.KindCell,
	"/hosts": craton.KindHost, "/network-devices": craton.KindNetworkDevice, "/networks": craton.KindNetwork,
	"/network-interfaces": craton.KindNetworkInterface, "/devices": craton.KindDevice,
}

// TestCollections replays every recorded 200 and 201 through the untyped collections: they send what was recorded, and
// every value is as it came.
func TestCollections(t *testing.T) {
	t.Parallel()
	n := 0
	for _, ex := range recordings(t) {
		if ex.Response.Status != 200 && ex.Response.Status != 201 {
			continue
		}
		n++
		t.Run(ex.Name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, "http://craton.example", craton.WithTransport(replay{t, ex}), craton.WithRetries(0))
			got, err := replayUntyped(t.Context(), c, ex)
			if err != nil {
				t.Fatal(err)
			}
			want := numbers(t, ex.Response.Body)
			whole := want.(map[string]any)
			if whole["links"] != nil && whole["id"] == nil {
				delete(whole, "links")
				for _, list := range whole {
					want = list
				}
			}
			if d, ok := whole["devices"].(map[string]any); ok {
				for _, list := range []string{"hosts", "network-devices"} {
					for _, o := range d[list].([]any) {
						o.(map[string]any)["kind"] = strings.TrimSuffix(list, "s")
					}
				}
				want = append(append([]any{}, d["hosts"].([]any)...), d["network-devices"].([]any)...)
			}
			for _, key := range []string{"variables", "labels"} {
				if v, ok := whole[key]; ok && whole["id"] == nil {
					want = v
				}
			}
			if d := cmp.Diff(want, numbers(t, []byte(jsonOf(t, got)))); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
	if n < 90 {
		t.Errorf("only %d exchanges were replayed", n)
	}
}

func replayUntyped(ctx context.Context, c *craton.Client, ex exchange) (any, error) {
	path, query, _ := strings.Cut(strings.TrimPrefix(ex.Request.Path, "/v1"), "?")
	q, err := url.ParseQuery(query)
	if err != nil {
		return nil, err
	}
	parts := strings.Split(path[1:], "/")
	col := c.Collection(kindOfPath["/"+parts[0]])
	var body map[string]any
	if ex.Request.Method != http.MethodGet && !strings.HasSuffix(path, "labels") {
		body = map[string]any{}
		var raw map[string]json.RawMessage
		if err := json.Unmarshal(ex.Request.Body, &raw); err != nil {
			return nil, err
		}
		for key, value := range raw {
			body[key] = value
		}
	}
	switch own := q.Get("resolved-values") == "false"; {
	case len(parts) == 1 && body == nil:
		page, err := col.List(ctx, q)
		if err != nil {
			return nil, err
		}
		return append([]*craton.Object{}, page.Items...), nil
	case len(parts) == 1:
		return give(col.Create(ctx, body))
	case len(parts) == 2 && body != nil:
		return give(col.Update(ctx, parts[1], body))
	case len(parts) == 2 && own:
		return give(col.Get(ctx, parts[1]))
	case len(parts) == 2:
		return give(col.GetResolved(ctx, parts[1]))
	case parts[2] == "labels" && ex.Request.Method == http.MethodGet:
		return give(col.Labels(ctx, parts[1]))
	case parts[2] == "labels":
		var sent struct{ Labels []string }
		if err := strict(ex.Request.Body, &sent); err != nil {
			return nil, err
		}
		return give(col.AddLabels(ctx, parts[1], sent.Labels...))
	case body != nil:
		v := craton.Variables{}
		for key, value := range body {
			v[key] = value.(json.RawMessage)
		}
		return give(col.SetVariables(ctx, parts[1], v))
	case own || parts[0] != "hosts":
		return give(col.Variables(ctx, parts[1]))
	}
	return give(col.ResolvedVariables(ctx, parts[1]))
}

// TestCollectionExplains: what a bare 500 means is found out for untyped bodies too.
func TestCollectionExplains(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t, craton.WithRetries(0))
	taken := `{"id": 2, "name": "Taken", "username": "Taken", "cloud_id": 1, "region_id": 1, "device_id": 1, "project_id": "p"}`
	for path, kind := range kindOfPath {
		if kind == craton.KindDevice {
			continue
		}
		mux.HandleFunc("GET /v1"+path, listing(`{"`+strings.ReplaceAll(path[1:], "-", "_")+`": `, `{"id": 1, "name": "old", "network_id": 1}, `+taken, ""))
		mux.HandleFunc("GET /v1"+path+"/1", always(200, `{"id": 1, "name": "old", "cloud_id": 1, "region_id": 1, "device_id": 1, "project_id": "p"}`))
		mux.HandleFunc("GET /v1"+path+"/3", always(404, bodyNotFound))
		mux.HandleFunc("PUT /v1"+path+"/{id}", always(500, bodyUnknown))
		mux.HandleFunc("POST /v1"+path, always(500, bodyUnknown))
		mux.HandleFunc("DELETE /v1"+path+"/1", always(500, bodyUnknown))
	}
	mux.HandleFunc("GET /v1/devices", listing(`{"devices": {"hosts": `, `{"id": 5, "name": "guest"}`, `, "network-devices": []}`))
	ctx := t.Context()
	taking := map[string]any{"name": "taken", "username": "taken", "region_id": 1, "device_id": 1, "project_id": "p"}
	for path, kind := range kindOfPath {
		col := c.Collection(kind)
		if col.Path() != path {
			t.Errorf("%s has the path %s", kind, col.Path())
		}
		if !slices.Contains([]craton.Kind{craton.KindProject, craton.KindUser, craton.KindDevice}, kind) {
			if _, err := col.Update(ctx, "1", map[string]any{"name": "taken"}); !craton.IsConflict(err) {
				t.Errorf("%s: an update to a name that is taken: %v", kind, err)
			}
			if _, err := col.Update(ctx, "1", map[string]any{"name": "free"}); craton.StatusOf(err) != 500 {
				t.Errorf("%s: an update that fails: %v", kind, err)
			}
			if _, err := col.Update(ctx, "3", map[string]any{"name": "free"}); !craton.IsNotFound(err) {
				t.Errorf("%s: an update of what is not there: %v", kind, err)
			}
		}
		if slices.Contains([]craton.Kind{craton.KindUser, craton.KindNetworkDevice, craton.KindNetworkInterface}, kind) {
			if _, err := col.Create(ctx, maps.Clone(taking)); !craton.IsConflict(err) {
				t.Errorf("%s: a create of a name that is taken: %v", kind, err)
			}
		}
		if slices.Contains([]craton.Kind{craton.KindHost, craton.KindNetworkDevice, craton.KindNetwork}, kind) {
			if err := col.Delete(ctx, "1"); !craton.IsConflict(err) || !strings.Contains(err.Error(), "(guest)") && !strings.Contains(err.Error(), "on this network") {
				t.Errorf("%s: a delete of what is in use: %v", kind, err)
			}
		}
	}
}

// TestCollectionHints: the reasons of a create's 404 and 409 are found in untyped bodies.
func TestCollectionHints(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t, craton.WithRetries(0))
	mux.HandleFunc("POST /v1/hosts", func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Labels []string }
		_ = json.NewDecoder(r.Body).Decode(&body)
		if body.Labels != nil {
			reply(w, 409, `{"message": "taken", "status": 409}`)
			return
		}
		reply(w, 404, bodyNotFound)
	})
	mux.HandleFunc("GET /v1/devices", always(404, bodyNotFound))
	col := c.Collection(craton.KindHost)
	if _, err := col.Create(t.Context(), map[string]any{"name": "x", "labels": []string{"a", "A"}}); err == nil || !strings.Contains(err.Error(), "differ in case only") {
		t.Errorf("two labels: %v", err)
	}
	if _, err := col.Create(t.Context(), map[string]any{"name": "x", "parent_id": 9}); err == nil || !strings.Contains(err.Error(), "its parent 9 belongs to another project") {
		t.Errorf("a parent elsewhere: %v", err)
	}
}

// TestCollectionLists: parameters that misbehave are compared here (Q14), and others are known.
func TestCollectionLists(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t)
	rec := &recorder{}
	mux.HandleFunc("GET /v1/regions", rec.wrap(listing(`{"regions": `, `{"id": 1, "name": "a", "x": 1.0}, {"id": 2, "name": "b"}`, "")))
	var got []string
	for o, err := range c.Collection(craton.KindRegion).All(t.Context(), url.Values{"name": {"a"}, "cloud_id": {"4"}}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, o.ID()+" "+string((*o)["x"]))
	}
	if d := cmp.Diff([]string{"1 1.0"}, got); d != "" {
		t.Error(d)
	}
	if seen := rec.all(); len(seen) == 0 || seen[0].Query != "cloud_id=4&limit=100" {
		t.Errorf("requests %v", seen)
	}
	for param, takes := range map[string]bool{"name": true, "cloud_id": true, "resolved-values": true, "limit": true, "region_id": false, "Name": false, "": false} {
		if c.Collection(craton.KindRegion).Takes(param) != takes {
			t.Errorf("regions take %q: %v", param, !takes)
		}
	}
	if c.Collection("rack") != nil {
		t.Error("there is no kind rack")
	}
	mux.HandleFunc("GET /v1/cells", listing(`{"cells": `, `{"id": 1, "name": 5}`, ""))
	if _, err := c.Collection(craton.KindCell).List(t.Context(), nil); !errors.As(err, new(*craton.ResponseError)) {
		t.Errorf("a name that is none: %v", err)
	}
}
