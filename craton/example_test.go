package craton_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/craton-fleet/craton/craton"
)

func Example_connect() {
	c, err := craton.New("https://craton.example:7780",
		craton.WithLocalAuth("deploy", "the API key", "5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c"),
		craton.WithTLS(craton.TLS{}), // the system's certificates
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.URL())
	// Output: https://craton.example:7780/v1
}

// List everything there is, level by level.
func Example_listEverything() {
	ctx, c := context.Background(), exampleClient()
	for cloud, err := range c.Clouds.All(ctx, craton.CloudListOptions{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("cloud", cloud.Name)
		for region, err := range c.Regions.All(ctx, craton.RegionListOptions{CloudID: cloud.ID}) {
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println("  region", region.Name)
			for host, err := range c.Hosts.All(ctx, craton.HostListOptions{RegionID: region.ID}) {
				if err != nil {
					log.Fatal(err)
				}
				fmt.Println("    host", host.Name, host.IPAddress)
			}
		}
	}
	// Output:
	// cloud east
	//   region dfw
	//     host web-01 10.20.0.11
	//     host web-02 10.20.0.12
}

// Page by hand: each page says where the next begins.
func Example_manualPaging() {
	ctx, c := context.Background(), exampleClient()
	options := craton.HostListOptions{Paging: craton.Paging{Limit: craton.MinLimit, SortKeys: []string{"name"}}}
	for {
		page, err := c.Hosts.List(ctx, options)
		if err != nil {
			log.Fatal(err)
		}
		for _, host := range page.Items {
			fmt.Println(host.Name)
		}
		if page.Marker == "" {
			break
		}
		options.Marker = page.Marker
	}
	// Output:
	// web-01
	// web-02
}

// Create a cloud, a region in it, a cell in that, and a host in the cell.
func Example_create() {
	ctx, c := context.Background(), exampleClient()
	cloud, err := c.Clouds.Create(ctx, craton.CloudCreate{
		Name:      "eu-prod",
		Variables: craton.Vars(map[string]any{"ntp": "ntp1.example.net", "mtu": 9000}),
	})
	if err != nil {
		log.Fatal(err)
	}
	region, err := c.Regions.Create(ctx, craton.RegionCreate{Name: "ams", CloudID: cloud.ID})
	if err != nil {
		log.Fatal(err)
	}
	cell, err := c.Cells.Create(ctx, craton.CellCreate{Name: "row-a", CloudID: cloud.ID, RegionID: region.ID})
	if err != nil {
		log.Fatal(err)
	}
	host, err := c.Hosts.Create(ctx, craton.HostCreate{
		Name:       "web-01",
		IPAddress:  "10.30.0.11",
		DeviceType: "server",
		CloudID:    cloud.ID,
		RegionID:   region.ID,
		CellID:     cell.ID,
		Labels:     []string{"web", "canary"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s is in cell %s of region %s of cloud %s\n", host.Name, cell.Name, region.Name, cloud.Name)
	// Output: web-01 is in cell row-a of region ams of cloud eu-prod
}

// Read, set and delete variables.
func Example_variables() {
	ctx, c := context.Background(), exampleClient()
	const host = 11

	own, err := c.Hosts.SetVariables(ctx, host, craton.Vars(map[string]any{"role": "frontend", "serial": 12345678901234567}))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("own:", own.Keys())

	seen, err := c.Hosts.ResolvedVariables(ctx, host)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("with what it inherits:", seen.Keys())
	var mtu int
	if _, err := seen.Get("mtu", &mtu); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("mtu is %d, serial is %s\n", mtu, seen["serial"])

	if err := c.Hosts.DeleteVariables(ctx, host, "serial", "never-there"); err != nil {
		log.Fatal(err)
	}
	if own, err = c.Hosts.Variables(ctx, host); err != nil {
		log.Fatal(err)
	}
	fmt.Println("own:", own.Keys())
	// Output:
	// own: [role serial]
	// with what it inherits: [mtu role serial]
	// mtu is 9000, serial is 12345678901234567
	// own: [role]
}

// Tell what does not exist from what exists already.
func Example_errors() {
	ctx, c := context.Background(), exampleClient()

	_, err := c.Hosts.Get(ctx, 999)
	fmt.Println(craton.IsNotFound(err), err)

	_, err = c.Clouds.Create(ctx, craton.CloudCreate{Name: "east"})
	fmt.Println(craton.IsConflict(err), err)
	// Output:
	// true GET /v1/hosts/999: 404 Not Found: Not Found
	// true POST /v1/clouds: 409 Conflict: A cloud with the given name already exists.
}

func Example_labels() {
	ctx, c := context.Background(), exampleClient()
	const host = 11

	labels, err := c.Hosts.AddLabels(ctx, host, "web", "canary")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(labels)
	if err := c.Hosts.RemoveLabels(ctx, host, "canary"); err != nil {
		log.Fatal(err)
	}
	labels, err = c.Hosts.SetLabels(ctx, host, "db", "rack-7")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(labels)
	// Output:
	// [canary web]
	// [db rack-7]
}

// Only the fields that are set change; a host is detached from its parent with NoParent.
func Example_update() {
	ctx, c := context.Background(), exampleClient()
	host, err := c.Hosts.Update(ctx, 11, craton.HostUpdate{Note: new("reimaged"), ParentID: new(craton.NoParent)})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(host.Name, host.Note)
	// Output: web-01 reimaged
}

// exampleClient returns a client of a small fleet in memory: enough of the API for the examples.
func exampleClient() *craton.Client {
	f := &exampleFleet{
		objects: map[string][]map[string]any{
			"clouds":  {{"id": 1, "name": "east"}},
			"regions": {{"id": 2, "name": "dfw", "cloud_id": 1}},
			"hosts": {
				{"id": 11, "name": "web-01", "ip_address": "10.20.0.11", "region_id": 2, "parent_id": 31},
				{"id": 12, "name": "web-02", "ip_address": "10.20.0.12", "region_id": 2},
			},
		},
		variables: map[string]json.RawMessage{},
	}
	c, err := craton.New("http://craton.example", craton.WithTransport(f))
	if err != nil {
		log.Fatal(err)
	}
	return c
}

// exampleFleet is the server of the examples.
type exampleFleet struct {
	mu        sync.Mutex
	objects   map[string][]map[string]any
	variables map[string]json.RawMessage // of the host
	labels    []string                   // of the host
}

// RoundTrip makes the fleet a transport.
func (f *exampleFleet) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/"), "/")
	switch {
	case len(parts) == 3 && parts[2] == "variables":
		f.serveVariables(w, r)
	case len(parts) == 3 && parts[2] == "labels":
		f.serveLabels(w, r)
	case r.Method == http.MethodPost:
		f.create(w, r, parts[0])
	case len(parts) == 2:
		f.one(w, r, parts[0], parts[1])
	default:
		f.list(w, r, parts[0])
	}
	return w.Result(), nil
}

func (f *exampleFleet) write(w http.ResponseWriter, status int, body any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (f *exampleFleet) fail(w http.ResponseWriter, status int, message string) {
	f.write(w, status, map[string]any{"status": status, "message": message})
}

func (f *exampleFleet) list(w http.ResponseWriter, r *http.Request, kind string) {
	q := r.URL.Query()
	found := []map[string]any{}
	for _, o := range f.objects[kind] {
		matches := !q.Has("marker") // the fleet fits on one page
		for _, key := range []string{"cloud_id", "region_id"} {
			matches = matches && (!q.Has(key) || q.Get(key) == fmt.Sprint(o[key]))
		}
		if matches {
			found = append(found, o)
		}
	}
	link := func(rel string) map[string]string {
		return map[string]string{"rel": rel, "href": "http://backend" + r.URL.Path + "?" + q.Encode()}
	}
	self := link("self")
	q.Del("marker")
	links := []map[string]string{link("first"), link("prev"), self}
	if len(found) > 0 {
		q.Set("marker", fmt.Sprint(found[len(found)-1]["id"]))
		links = append(links, link("next"))
	}
	f.write(w, 200, map[string]any{kind: found, "links": links})
}

func (f *exampleFleet) create(w http.ResponseWriter, r *http.Request, kind string) {
	o := map[string]any{}
	_ = json.NewDecoder(r.Body).Decode(&o)
	for _, other := range f.objects[kind] {
		if kind == "clouds" && other["name"] == o["name"] {
			f.fail(w, 409, "A cloud with the given name already exists.")
			return
		}
	}
	o["id"] = 100 + len(f.objects[kind])
	f.objects[kind] = append(f.objects[kind], o)
	f.write(w, 201, o)
}

func (f *exampleFleet) one(w http.ResponseWriter, r *http.Request, kind, id string) {
	for _, o := range f.objects[kind] {
		if strconv.Itoa(o["id"].(int)) == id {
			if r.Method == http.MethodPut {
				_ = json.NewDecoder(r.Body).Decode(&o)
			}
			f.write(w, 200, map[string]any{"id": o["id"], "name": o["name"], "note": o["note"]})
			return
		}
	}
	f.fail(w, 404, "Not Found")
}

func (f *exampleFleet) serveVariables(w http.ResponseWriter, r *http.Request) {
	out := map[string]json.RawMessage{}
	switch r.Method {
	case http.MethodPut:
		_ = json.NewDecoder(r.Body).Decode(&f.variables)
	case http.MethodDelete:
		var keys []string
		_ = json.NewDecoder(r.Body).Decode(&keys)
		for _, k := range keys {
			delete(f.variables, k)
		}
		w.WriteHeader(204)
		return
	default:
		if r.URL.Query().Get("resolved-values") != "false" {
			out["mtu"] = json.RawMessage("9000") // the cloud's
		}
	}
	for k, v := range f.variables {
		out[k] = v
	}
	f.write(w, 200, map[string]any{"variables": out})
}

func (f *exampleFleet) serveLabels(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Labels []string `json:"labels"`
	}
	if r.Method != http.MethodGet {
		_ = json.NewDecoder(r.Body).Decode(&body)
	}
	if r.Method == http.MethodDelete {
		f.labels = slices.DeleteFunc(f.labels, func(l string) bool { return slices.Contains(body.Labels, l) })
		w.WriteHeader(204)
		return
	}
	f.labels = append(f.labels, body.Labels...)
	f.write(w, 200, map[string]any{"labels": f.labels})
}
