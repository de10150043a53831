package fleetfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/craton-fleet/craton/craton"
)

// original stands in for the original server, which cannot be run here: the routes that a fleet file needs, with the
// quirks of the v1 contract §10 that the engine answers to. Parameters and body keys that the original refuses
// are refused. It counts requests.
type original struct {
	mu       sync.Mutex
	next     int
	rows     map[string][]*row // by collection
	project  map[string]any    // the project's variables
	member   bool              // may not read projects
	requests []string          // "GET /clouds", ids as {id}
	// before, when set, may answer a request itself or do something first; it holds the lock.
	before func(method, path string, body map[string]any) (status int, message string)
}

type row struct {
	id        int
	fields    map[string]any
	variables map[string]any
	labels    []string
}

const (
	originalProject  = "5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c"
	undashedProject  = "5D1B7C0E6A0B4C529A550D6F5F1A2B3C"
	forbiddenMessage = "This action requires the 'admin' role"
)

// table is what the original accepts (v1 contract §2.4).
type table struct {
	key                      string
	create, required, update []string
	params                   []string
	unique                   func(r *row) any // the scope of its names
	conflict                 int              // status of a duplicate POST
	resolves, listsVars      bool
}

func words(s string) []string { return strings.Fields(s) }

func scoped(key string) func(*row) any { return func(r *row) any { return r.fields[key] } }

var originalTables = map[string]table{
	"clouds": {key: "clouds", create: words("name note variables"), required: words("name"), update: words("name note"),
		params: words("id name vars details"), unique: func(*row) any { return 0 }, conflict: 409, listsVars: true},
	"regions": {key: "regions", create: words("name note cloud_id variables"), required: words("name cloud_id"), update: words("name note"),
		params: words("id name cloud_id vars details resolved-values"), unique: scoped("cloud_id"), conflict: 409, resolves: true, listsVars: true},
	"cells": {key: "cells", create: words("name note cloud_id region_id variables"), required: words("name cloud_id region_id"), update: words("name note"),
		params: words("id name region_id cloud_id vars details resolved-values"), unique: scoped("region_id"), conflict: 409, resolves: true, listsVars: true},
	"networks": {key: "networks", create: words("name cidr gateway netmask ip_block_type nss cloud_id region_id cell_id variables"),
		required: words("name cidr gateway netmask cloud_id region_id"), update: words("name cidr gateway netmask ip_block_type nss"),
		params: words("id name region_id cell_id vars details resolved-values"), unique: scoped("region_id"), conflict: 409, listsVars: true},
	"hosts": {key: "hosts", create: words("name ip_address device_type cloud_id region_id cell_id parent_id active note labels variables"),
		required: words("name ip_address device_type cloud_id region_id"), update: words("name ip_address device_type active note parent_id"),
		params: words("id name region_id cloud_id cell_id device_type label ip_address vars details resolved-values"), unique: scoped("region_id"), conflict: 409, resolves: true, listsVars: true},
	"network-devices": {key: "network_devices", create: words("name ip_address device_type cloud_id region_id cell_id parent_id active model_name os_version vlans variables"),
		required: words("name ip_address device_type cloud_id region_id"), update: words("name ip_address device_type model_name os_version vlans parent_id"),
		params: words("id name region_id cell_id cloud_id ip_address device_type vars details resolved-values"), unique: scoped("region_id"), conflict: 500, resolves: true, listsVars: true},
	"network-interfaces": {key: "network_interfaces", create: words("name device_id interface_type ip_address network_id vlan_id vlan duplex link cdp security port speed variables"),
		required: words("name device_id interface_type ip_address"), update: words("name interface_type vlan duplex link cdp security port speed"),
		params: words("id device_id ip_address interface_type"), unique: scoped("device_id"), conflict: 500},
}

var nullable = map[string][]string{
	"clouds": words("note"), "regions": words("note"), "cells": words("note"), "networks": words("ip_block_type nss cell_id"),
	"hosts": words("note cell_id parent_id"), "network-devices": words("model_name os_version vlans cell_id parent_id"),
	"network-interfaces": words("network_id vlan_id vlan duplex link cdp security port speed"),
}

func (s *original) client(t testing.TB) *craton.Client {
	t.Helper()
	return clientOf(t, s)
}

// clientOf returns a client whose requests are answered by a handler in this process.
func clientOf(t testing.TB, h http.Handler) *craton.Client {
	t.Helper()
	c, err := craton.New("http://embedded", craton.WithTransport(inProcess{h}), craton.WithRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type inProcess struct{ handler http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// writes returns the requests so far that were not reads; they are forgotten.
func (s *original) writes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := slices.DeleteFunc(slices.Clone(s.requests), func(r string) bool { return strings.HasPrefix(r, "GET ") })
	s.requests = nil
	return w
}

func (s *original) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rows == nil {
		s.rows = map[string][]*row{}
	}
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/"), "/")
	shown := slices.Clone(path)
	if len(shown) > 1 {
		shown[1] = "{id}"
	}
	s.requests = append(s.requests, r.Method+" /"+strings.Join(shown, "/"))
	var raw any
	if r.Body != nil {
		d := json.NewDecoder(r.Body)
		d.UseNumber()
		_ = d.Decode(&raw)
	}
	body, _ := raw.(map[string]any)
	status, answer := 0, any(nil)
	if s.before != nil {
		var message string
		if status, message = s.before(r.Method, r.URL.Path, body); status != 0 {
			answer = message
		}
	}
	if status == 0 {
		status, answer = s.answer(r, path, body)
	}
	if message, ok := answer.(string); ok {
		answer = map[string]any{"status": status, "message": message}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	var b bytes.Buffer
	_ = json.NewEncoder(&b).Encode(answer)
	_, _ = w.Write(b.Bytes())
}

const unknown = "An unknown exception occurred"

// remove deletes a row with all that it holds.
func (s *original) remove(table string, id int) bool {
	key := strings.TrimSuffix(strings.ReplaceAll(table, "-", "_"), "s") + "_id"
	if table == "hosts" || table == "network-devices" {
		key = "device_id"
		for _, devices := range []string{"hosts", "network-devices"} {
			if slices.ContainsFunc(s.rows[devices], func(r *row) bool { return fmt.Sprint(r.fields["parent_id"]) == fmt.Sprint(id) }) {
				return false
			}
		}
	}
	for of := range s.rows {
		s.rows[of] = slices.DeleteFunc(s.rows[of], func(r *row) bool {
			return of == table && r.id == id || of != table && fmt.Sprint(r.fields[key]) == fmt.Sprint(id)
		})
	}
	return true
}

func (s *original) answer(r *http.Request, path []string, body map[string]any) (int, any) {
	if path[0] == "projects" {
		switch {
		case s.member || len(path) == 1 && r.Method != http.MethodGet:
			return 401, forbiddenMessage
		case len(path) == 1:
			return 200, onePage(r, "projects", map[string]any{"id": originalProject, "name": "p"})
		case len(path) == 2:
			return 200, map[string]any{"id": originalProject, "name": "p", "variables": orEmpty(s.project)}
		case r.Method == http.MethodPut:
			if s.project == nil {
				s.project = map[string]any{}
			}
			for k, v := range body {
				s.project[k] = v
			}
		}
		return 200, map[string]any{"variables": orEmpty(s.project)}
	}
	if path[0] == "devices" {
		return s.list(r, path[0], table{params: words("region_id cloud_id cell_id parent_id active descendants details resolved-values"), resolves: true, listsVars: true})
	}
	t, ok := originalTables[path[0]]
	if !ok {
		return 404, "Not Found"
	}
	if len(path) == 1 {
		if r.Method == http.MethodPost {
			return s.post(path[0], t, body)
		}
		return s.list(r, path[0], t)
	}
	id, _ := strconv.Atoi(path[1])
	rows := s.rows[path[0]]
	i := slices.IndexFunc(rows, func(r *row) bool { return r.id == id })
	if i < 0 {
		if r.Method == http.MethodPut && len(path) == 2 {
			return 500, unknown // Q5
		}
		return 404, "Not Found"
	}
	it := rows[i]
	switch {
	case len(path) == 2 && r.Method == http.MethodGet:
		return 200, s.shown(path[0], it, true, r.URL.Query().Get("resolved-values") != "false")
	case len(path) == 2 && r.Method == http.MethodDelete:
		if !s.remove(path[0], id) {
			return 500, unknown // it is a parent (v1 contract §6.3)
		}
		return 204, nil
	case len(path) == 2 && r.Method == http.MethodPut:
		for k, v := range body {
			if !slices.Contains(t.update, k) || v == nil && k != "parent_id" {
				return 400, "The request included the following errors:\n- " + k
			}
			it.fields[k] = v
		}
		return 200, s.echo(path[0], it)
	case len(path) == 3 && path[2] == "variables" && path[0] != "network-interfaces":
		for k, v := range body {
			it.variables[k] = v
		}
		return 200, map[string]any{"variables": it.variables}
	case len(path) == 3 && path[2] == "labels" && (path[0] == "hosts" || path[0] == "network-devices"):
		for _, l := range anyStrings(body["labels"]) {
			if !slices.Contains(it.labels, l) {
				it.labels = append([]string{l}, it.labels...) // any order
			}
		}
		return 200, map[string]any{"labels": append([]string{}, it.labels...)}
	}
	return 405, "The method is not allowed for the requested URL."
}

func (s *original) post(collection string, t table, body map[string]any) (int, any) {
	it := &row{fields: map[string]any{}, variables: map[string]any{}}
	for k, v := range body {
		if !slices.Contains(t.create, k) || v == nil {
			return 400, "The request included the following errors:\n- Additional properties are not allowed ('" + k + "' was unexpected)"
		}
		switch k {
		case "variables":
			it.variables = v.(map[string]any)
		case "labels":
			it.labels = anyStrings(v)
		default:
			it.fields[k] = v
		}
	}
	for _, k := range t.required {
		if body[k] == nil {
			return 400, "The request included the following errors:\n- '" + k + "' is a required property"
		}
	}
	folded := map[string]bool{}
	for k := range it.variables {
		if folded[strings.ToLower(k)] {
			return 409, "A cloud with the given name already exists." // Q25
		}
		folded[strings.ToLower(k)] = true
	}
	for _, c := range s.family(collection) {
		for _, other := range s.rows[c] {
			if t.unique(other) == t.unique(it) && strings.EqualFold(other.fields["name"].(string), it.fields["name"].(string)) {
				if t.conflict == 500 {
					return 500, unknown // Q6
				}
				return 409, "An object with the given name already exists."
			}
		}
	}
	s.add(collection, it)
	return 201, s.echo(collection, it)
}

func (s *original) add(collection string, it *row) *row {
	s.next++
	it.id = s.next
	if slices.Contains([]string{"hosts", "network-devices"}, collection) && it.fields["active"] == nil {
		it.fields["active"] = true
	}
	s.rows[collection] = append(s.rows[collection], it)
	return it
}

// family returns the collections that share their names.
func (s *original) family(collection string) []string {
	if collection == "hosts" || collection == "network-devices" || collection == "devices" {
		return []string{"hosts", "network-devices"}
	}
	return []string{collection}
}

// echo returns the answer to a write: values as they were sent (Q2, Q3, Q4).
func (s *original) echo(collection string, it *row) map[string]any {
	out := map[string]any{"id": it.id, "project_id": undashedProject}
	for _, k := range nullable[collection] {
		out[k] = nil
	}
	for k, v := range it.fields {
		out[k] = v
	}
	return out
}

// shown returns a read: addresses normalised, speeds as text, labels never.
func (s *original) shown(collection string, it *row, variables, resolved bool) map[string]any {
	out := s.echo(collection, it)
	out["project_id"] = originalProject
	if ip, ok := out["ip_address"].(string); ok {
		if a, err := netip.ParseAddr(ip); err == nil {
			out["ip_address"] = a.String()
		}
	}
	if v, ok := out["speed"].(json.Number); ok {
		out["speed"] = v.String()
	}
	if variables {
		all := map[string]any{}
		if resolved && originalTables[collection].resolves {
			for k, v := range s.project {
				all[k] = v
			}
			for _, cloud := range s.rows["clouds"] {
				if fmt.Sprint(it.fields["cloud_id"]) == fmt.Sprint(cloud.id) {
					for k, v := range cloud.variables {
						all[k] = v
					}
				}
			}
		}
		for k, v := range it.variables {
			all[k] = v
		}
		out["variables"] = all
	}
	return out
}

func (s *original) list(r *http.Request, collection string, t table) (int, any) {
	q := r.URL.Query()
	limit, marker := 30, 0
	descending := q.Get("sort_dir") == "desc"
	for k := range q {
		switch {
		case k == "limit":
			limit, _ = strconv.Atoi(q.Get(k))
			if limit < 10 || limit > 100 {
				return 400, "limit"
			}
		case k == "marker":
			marker, _ = strconv.Atoi(q.Get(k))
		case k == "sort_dir":
		case !slices.Contains(t.params, k):
			return 400, "The request included the following errors:\n- Additional properties are not allowed ('" + k + "' was unexpected)"
		}
	}
	lists := map[string][]any{}
	count, last := 0, 0
	type item struct {
		collection string
		row        *row
	}
	var items []item
	for _, c := range s.family(collection) {
		if collection != "devices" && c != collection {
			continue
		}
		lists[c] = []any{}
		for _, it := range s.rows[c] {
			match := it.id > marker
			if descending {
				match = marker == 0 || it.id < marker
			}
			for k := range q {
				if strings.HasSuffix(k, "_id") || k == "name" {
					match = match && strings.EqualFold(fmt.Sprint(it.fields[k]), q.Get(k)) // Q25
				}
			}
			if match {
				items = append(items, item{c, it})
			}
		}
	}
	slices.SortFunc(items, func(a, b item) int { return a.row.id - b.row.id })
	if descending {
		slices.Reverse(items)
	}
	for _, it := range items {
		if count == limit {
			break
		}
		count, last = count+1, it.row.id
		lists[it.collection] = append(lists[it.collection], s.shown(it.collection, it.row, t.listsVars && q.Get("details") == "true", q.Get("resolved-values") != "false"))
	}
	if (collection == "clouds" || collection == "regions") && q.Get("name") != "" && count == 0 {
		return 404, "Not Found" // Q14
	}
	links := []any{}
	link := func(rel, marker string) {
		to := r.URL.Query()
		to.Set("limit", strconv.Itoa(limit))
		if to.Del("marker"); marker != "" {
			to.Set("marker", marker)
		}
		links = append(links, map[string]any{"rel": rel, "href": "http://elsewhere/v1/" + collection + "?" + to.Encode()})
	}
	link("first", "")
	link("self", q.Get("marker"))
	if count > 0 {
		link("next", strconv.Itoa(last))
	}
	if collection == "devices" {
		return 200, map[string]any{"devices": lists, "links": links}
	}
	return 200, map[string]any{t.key: lists[collection], "links": links}
}

// onePage returns a listing's only page, and behind it an empty one.
func onePage(r *http.Request, key string, objects ...any) map[string]any {
	marker := r.URL.Query().Get("marker")
	href := "http://elsewhere/v1/" + key + "?marker="
	links := []any{map[string]any{"rel": "first", "href": "http://elsewhere/v1/" + key}, map[string]any{"rel": "self", "href": href + marker}}
	if marker != "" {
		objects = []any{}
	}
	if n := len(objects); n > 0 {
		links = append(links, map[string]any{"rel": "next", "href": href + fmt.Sprint(objects[n-1].(map[string]any)["id"])})
	}
	return map[string]any{key: objects, "links": links}
}

func orEmpty(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

func anyStrings(v any) []string {
	var out []string
	list, _ := v.([]any)
	for _, x := range list {
		out = append(out, x.(string))
	}
	return out
}
