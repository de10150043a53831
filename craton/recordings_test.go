package craton_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/craton"
)

// exchange is one request and its response as the original server gave it.
type exchange struct {
	Name    string
	Request struct {
		Method, Path string
		Body         json.RawMessage
		RawBody      *string `json:"raw_body"`
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    json.RawMessage
	}
}

func recordings(t *testing.T) []exchange {
	t.Helper()
	raw, err := os.ReadFile("testdata/craton-v1.json")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("<server>", "http://backend.invalid:7780", "<project>", projectID,
		"<other-project>", "0b9e0000-0000-4000-8000-000000000000").Replace(string(raw))
	var all []exchange
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// replay answers the one recorded request and refuses any other.
type replay struct {
	t  *testing.T
	ex exchange
}

func (p replay) RoundTrip(r *http.Request) (*http.Response, error) {
	p.t.Helper()
	want := p.ex.Request
	path, query, _ := strings.Cut(want.Path, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, err
	}
	if keys := values.Get("sort_keys"); keys != "" && p.ex.Response.Status == 200 {
		values.Set("sort_keys", keys+",id") // the client adds it (Q13)
	}
	got := request{r.Method, r.URL.Path, plainQuery(r.URL.Query()), ""}
	if diff := cmp.Diff(request{want.Method, path, plainQuery(values), ""}, got); diff != "" {
		p.t.Errorf("request (-want +got):\n%s", diff)
	}
	if want.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		if diff := cmp.Diff(numbers(p.t, want.Body), numbers(p.t, body)); diff != "" {
			p.t.Errorf("request body (-want +got):\n%s", diff)
		}
	}
	h := http.Header{}
	for k, v := range p.ex.Response.Headers {
		h.Set(k, v)
	}
	return &http.Response{StatusCode: p.ex.Response.Status, Header: h, Body: io.NopCloser(bytes.NewReader(p.ex.Response.Body)), Request: r, ContentLength: -1}, nil
}

// numbers decodes JSON, numbers as they are written.
func numbers(t *testing.T, raw []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return v
}

// TestRecordedFailures: every recorded failure is an *Error with the recorded status and message.
func TestRecordedFailures(t *testing.T) {
	t.Parallel()
	n := 0
	for _, ex := range recordings(t) {
		if ex.Response.Status < 300 || ex.Request.Path == "/v1/clouds/" { // the client refuses to send that one
			continue
		}
		n++
		t.Run(ex.Name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, "http://craton.example", craton.WithTransport(replay{t, ex}), craton.WithRetries(0))
			path, query, _ := strings.Cut(strings.TrimPrefix(ex.Request.Path, "/v1"), "?")
			q, err := url.ParseQuery(query)
			if err != nil {
				t.Fatal(err)
			}
			var body any
			if ex.Request.Body != nil {
				body = ex.Request.Body
			}
			_, err = c.Do(t.Context(), ex.Request.Method, path, q, body)
			var got *craton.Error
			if !errors.As(err, &got) {
				t.Fatalf("error %v", err)
			}
			var want struct{ Message string }
			if err := json.Unmarshal(ex.Response.Body, &want); err != nil {
				t.Fatal(err)
			}
			if got.Status != ex.Response.Status || got.Message != want.Message {
				t.Errorf("%d %q, want %d %q", got.Status, got.Message, ex.Response.Status, want.Message)
			}
			route := strings.HasPrefix(want.Message, "The requested URL")
			if is, should := craton.IsNotFound(err), got.Status == 404 && !route; is != should {
				t.Errorf("IsNotFound is %v for %v", is, err)
			}
			if is, should := craton.IsConflict(err), got.Status == 409; is != should {
				t.Errorf("IsConflict is %v for %v", is, err)
			}
			if is, should := craton.IsForbidden(err), strings.HasPrefix(ex.Name, "member:"); is != should {
				t.Errorf("IsForbidden is %v for %v", is, err)
			}
			if is, should := craton.IsUnauthenticated(err), strings.HasPrefix(ex.Name, "auth:"); is != should {
				t.Errorf("IsUnauthenticated is %v for %v", is, err)
			}
		})
	}
	if n < 40 {
		t.Errorf("only %d failures were replayed", n)
	}
}

// resourceCalls are the typed methods of a resource by what is recorded of it.
type resourceCalls struct {
	list   func(context.Context, *craton.Client, url.Values) (any, error)
	get    func(ctx context.Context, c *craton.Client, id string, own bool) (any, error)
	create func(context.Context, *craton.Client, []byte) (any, error)
	update func(ctx context.Context, c *craton.Client, id string, body []byte) (any, error)
	vars   func(c *craton.Client) any // *VariableStore
	labels func(c *craton.Client) *craton.LabelStore[int]
}

func listOf[T, O any](of func(*craton.Client) *craton.Lister[T, O]) func(context.Context, *craton.Client, url.Values) (any, error) {
	return func(ctx context.Context, c *craton.Client, q url.Values) (any, error) {
		var o O
		fill(reflect.ValueOf(&o).Elem(), q)
		p, err := of(c).List(ctx, o)
		if err != nil {
			return nil, err
		}
		return p.Items, nil
	}
}

// fill sets the options that a query has.
func fill(v reflect.Value, q url.Values) {
	for i := range v.NumField() {
		f := v.Field(i)
		if v.Type().Field(i).Anonymous {
			fill(f, q)
			continue
		}
		name := v.Type().Field(i).Tag.Get("query")
		if !q.Has(name) {
			continue
		}
		text := q.Get(name)
		q.Del(name)
		if f.Kind() == reflect.Pointer {
			f.Set(reflect.New(f.Type().Elem()))
			f = f.Elem()
		}
		switch f.Kind() {
		case reflect.Bool:
			f.SetBool(text == "true")
		case reflect.Int:
			n, _ := strconv.Atoi(text)
			f.SetInt(int64(n))
		case reflect.String:
			f.SetString(text)
		default:
			f.Set(reflect.ValueOf(strings.Split(text, ",")))
		}
	}
}

func getOf[T any, K craton.ID](of func(*craton.Client) *craton.Reader[T, K]) func(context.Context, *craton.Client, string, bool) (any, error) {
	return func(ctx context.Context, c *craton.Client, id string, own bool) (any, error) {
		if own {
			return of(c).Get(ctx, key[K](id))
		}
		return of(c).GetResolved(ctx, key[K](id))
	}
}

func key[K craton.ID](id string) K {
	var k K
	switch p := any(&k).(type) {
	case *int:
		*p, _ = strconv.Atoi(id)
	case *string:
		*p = id
	}
	return k
}

func strict(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

func createOf[T any, K craton.ID, C any](of func(*craton.Client) *craton.Writer[T, K, C]) func(context.Context, *craton.Client, []byte) (any, error) {
	return func(ctx context.Context, c *craton.Client, raw []byte) (any, error) {
		var body C
		if err := strict(raw, &body); err != nil {
			return nil, err
		}
		return of(c).Create(ctx, body)
	}
}

func updateOf[T, U any](of func(*craton.Client) *craton.Updater[T, int, U]) func(context.Context, *craton.Client, string, []byte) (any, error) {
	return func(ctx context.Context, c *craton.Client, id string, raw []byte) (any, error) {
		var body U
		if err := strict(raw, &body); err != nil {
			return nil, err
		}
		if f := reflect.ValueOf(&body).Elem().FieldByName("ParentID"); f.IsValid() && bytes.Contains(raw, []byte(`"parent_id": null`)) {
			f.Set(reflect.ValueOf(new(craton.NoParent))) // Go's decoder makes nil of null
		}
		return of(c).Update(ctx, key[int](id), body)
	}
}

var resources = map[string]resourceCalls{
	"clouds": {
		list:   listOf(func(c *craton.Client) *craton.Lister[craton.Cloud, craton.CloudListOptions] { return &c.Clouds.Lister }),
		get:    getOf(func(c *craton.Client) *craton.Reader[craton.Cloud, int] { return &c.Clouds.Reader }),
		create: createOf(func(c *craton.Client) *craton.Writer[craton.Cloud, int, craton.CloudCreate] { return &c.Clouds.Writer }),
		update: updateOf(func(c *craton.Client) *craton.Updater[craton.Cloud, int, craton.CloudUpdate] {
			return &c.Clouds.Updater
		}),
		vars: func(c *craton.Client) any { return &c.Clouds.VariableStore },
	},
	"regions": {
		list: listOf(func(c *craton.Client) *craton.Lister[craton.Region, craton.RegionListOptions] {
			return &c.Regions.Lister
		}),
		get: getOf(func(c *craton.Client) *craton.Reader[craton.Region, int] { return &c.Regions.Reader }),
		create: createOf(func(c *craton.Client) *craton.Writer[craton.Region, int, craton.RegionCreate] {
			return &c.Regions.Writer
		}),
		update: updateOf(func(c *craton.Client) *craton.Updater[craton.Region, int, craton.RegionUpdate] {
			return &c.Regions.Updater
		}),
		vars: func(c *craton.Client) any { return &c.Regions.VariableStore },
	},
	"cells": {
		list:   listOf(func(c *craton.Client) *craton.Lister[craton.Cell, craton.CellListOptions] { return &c.Cells.Lister }),
		get:    getOf(func(c *craton.Client) *craton.Reader[craton.Cell, int] { return &c.Cells.Reader }),
		create: createOf(func(c *craton.Client) *craton.Writer[craton.Cell, int, craton.CellCreate] { return &c.Cells.Writer }),
		update: updateOf(func(c *craton.Client) *craton.Updater[craton.Cell, int, craton.CellUpdate] { return &c.Cells.Updater }),
		vars:   func(c *craton.Client) any { return &c.Cells.VariableStore },
	},
	"hosts": {
		list:   listOf(func(c *craton.Client) *craton.Lister[craton.Host, craton.HostListOptions] { return &c.Hosts.Lister }),
		get:    getOf(func(c *craton.Client) *craton.Reader[craton.Host, int] { return &c.Hosts.Reader }),
		create: createOf(func(c *craton.Client) *craton.Writer[craton.Host, int, craton.HostCreate] { return &c.Hosts.Writer }),
		update: updateOf(func(c *craton.Client) *craton.Updater[craton.Host, int, craton.HostUpdate] { return &c.Hosts.Updater }),
		vars:   func(c *craton.Client) any { return &c.Hosts.VariableStore },
		labels: func(c *craton.Client) *craton.LabelStore[int] { return &c.Hosts.LabelStore },
	},
	"network-devices": {
		list: listOf(func(c *craton.Client) *craton.Lister[craton.NetworkDevice, craton.NetworkDeviceListOptions] {
			return &c.NetworkDevices.Lister
		}),
		get: getOf(func(c *craton.Client) *craton.Reader[craton.NetworkDevice, int] { return &c.NetworkDevices.Reader }),
		create: createOf(func(c *craton.Client) *craton.Writer[craton.NetworkDevice, int, craton.NetworkDeviceCreate] {
			return &c.NetworkDevices.Writer
		}),
		update: updateOf(func(c *craton.Client) *craton.Updater[craton.NetworkDevice, int, craton.NetworkDeviceUpdate] {
			return &c.NetworkDevices.Updater
		}),
		vars:   func(c *craton.Client) any { return &c.NetworkDevices.VariableStore },
		labels: func(c *craton.Client) *craton.LabelStore[int] { return &c.NetworkDevices.LabelStore },
	},
	"devices": {
		list: listOf(func(c *craton.Client) *craton.Lister[craton.AnyDevice, craton.DeviceListOptions] {
			return &c.Devices.Lister
		}),
	},
	"networks": {
		list: listOf(func(c *craton.Client) *craton.Lister[craton.Network, craton.NetworkListOptions] {
			return &c.Networks.Lister
		}),
		get: getOf(func(c *craton.Client) *craton.Reader[craton.Network, int] { return &c.Networks.Reader }),
		create: createOf(func(c *craton.Client) *craton.Writer[craton.Network, int, craton.NetworkCreate] {
			return &c.Networks.Writer
		}),
		update: updateOf(func(c *craton.Client) *craton.Updater[craton.Network, int, craton.NetworkUpdate] {
			return &c.Networks.Updater
		}),
	},
	"network-interfaces": {
		list: listOf(func(c *craton.Client) *craton.Lister[craton.NetworkInterface, craton.NetworkInterfaceListOptions] {
			return &c.NetworkInterfaces.Lister
		}),
		get: getOf(func(c *craton.Client) *craton.Reader[craton.NetworkInterface, int] {
			return &c.NetworkInterfaces.Reader
		}),
		create: createOf(func(c *craton.Client) *craton.Writer[craton.NetworkInterface, int, craton.NetworkInterfaceCreate] {
			return &c.NetworkInterfaces.Writer
		}),
		update: updateOf(func(c *craton.Client) *craton.Updater[craton.NetworkInterface, int, craton.NetworkInterfaceUpdate] {
			return &c.NetworkInterfaces.Updater
		}),
	},
	"projects": {
		list: listOf(func(c *craton.Client) *craton.Lister[craton.Project, craton.ProjectListOptions] {
			return &c.Projects.Lister
		}),
		get: getOf(func(c *craton.Client) *craton.Reader[craton.Project, string] { return &c.Projects.Reader }),
		create: createOf(func(c *craton.Client) *craton.Writer[craton.Project, string, craton.ProjectCreate] {
			return &c.Projects.Writer
		}),
		vars: func(c *craton.Client) any { return &c.Projects.VariableStore },
	},
	"users": {
		list:   listOf(func(c *craton.Client) *craton.Lister[craton.User, craton.UserListOptions] { return &c.Users.Lister }),
		get:    getOf(func(c *craton.Client) *craton.Reader[craton.User, int] { return &c.Users.Reader }),
		create: createOf(func(c *craton.Client) *craton.Writer[craton.User, int, craton.UserCreate] { return &c.Users.Writer }),
	},
}

// TestRecordedSuccesses replays every recorded 200 and 201 through the typed methods: they send what was recorded,
// decode the response, and the typed object encodes to the same values again.
func TestRecordedSuccesses(t *testing.T) {
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
			got, err := replayTyped(t, c, ex)
			if err != nil {
				t.Fatal(err)
			}
			want := numbers(t, ex.Response.Body).(map[string]any)
			var objects any = want
			for _, key := range []string{"clouds", "regions", "cells", "hosts", "network_devices", "networks", "network_interfaces", "projects", "users"} {
				if list, ok := want[key]; ok && want["links"] != nil {
					objects = list
				}
			}
			if d, ok := want["devices"].(map[string]any); ok {
				objects = append(append([]any{}, d["hosts"].([]any)...), d["network-devices"].([]any)...)
			}
			for _, key := range []string{"variables", "labels"} {
				if v, ok := want[key]; ok && len(want) == 1 {
					objects = v
					if _, isVariables := v.(map[string]any); isVariables { // every value as it is, nulls and zeros too
						if diff := cmp.Diff(v, numbers(t, []byte(jsonOf(t, got)))); diff != "" {
							t.Errorf("variables (-want +got):\n%s", diff)
						}
						return
					}
				}
			}
			if diff := cmp.Diff(bare(objects), bare(numbers(t, []byte(jsonOf(t, got))))); diff != "" {
				t.Errorf("decoded and encoded (-want +got):\n%s", diff)
			}
		})
	}
	if n < 90 {
		t.Errorf("only %d exchanges were replayed", n)
	}
}

// bare takes from an object the columns that are unset: the typed objects do not tell null from "", 0 and false.
// Variables are left as they are. An interface's speed is a number or text (Q4).
func bare(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, o := range v {
			out[i] = bare(o)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for k, value := range v {
			switch {
			case k == "variables":
				out[k] = value
			case k == "speed" && value != nil:
				out[k] = fmt.Sprint(value)
			case value == nil || value == "" || value == false || value == json.Number("0"):
			default:
				out[k] = value
			}
		}
		return out
	}
	return v
}

func replayTyped(t *testing.T, c *craton.Client, ex exchange) (any, error) {
	t.Helper()
	ctx := t.Context()
	path, query, _ := strings.Cut(ex.Request.Path, "?")
	q, err := url.ParseQuery(query)
	if err != nil {
		return nil, err
	}
	parts := strings.Split(strings.TrimPrefix(path, "/v1/"), "/")
	r, ok := resources[parts[0]]
	if !ok {
		t.Fatalf("no calls for %s", path)
	}
	own := q.Get("resolved-values") == "false"
	switch {
	case len(parts) == 1 && ex.Request.Method == "GET":
		got, err := r.list(ctx, c, q)
		if len(q) > 0 {
			t.Errorf("no option for %v", q)
		}
		return got, err
	case len(parts) == 1:
		return r.create(ctx, c, ex.Request.Body)
	case len(parts) == 2 && ex.Request.Method == "GET":
		return r.get(ctx, c, parts[1], own)
	case len(parts) == 2:
		return r.update(ctx, c, parts[1], ex.Request.Body)
	case parts[2] == "labels" && ex.Request.Method == "GET":
		return r.labels(c).Labels(ctx, key[int](parts[1]))
	case parts[2] == "labels":
		var body struct{ Labels []string }
		if err := strict(ex.Request.Body, &body); err != nil {
			return nil, err
		}
		return r.labels(c).AddLabels(ctx, key[int](parts[1]), body.Labels...)
	}
	switch s := r.vars(c).(type) {
	case *craton.VariableStore[int]:
		return variables(ctx, s, key[int](parts[1]), ex, own)
	case *craton.VariableStore[string]:
		return variables(ctx, s, parts[1], ex, own)
	}
	t.Fatalf("no variables for %s", path)
	return nil, nil
}

func variables[K craton.ID](ctx context.Context, s *craton.VariableStore[K], id K, ex exchange, own bool) (any, error) {
	if ex.Request.Method == "PUT" {
		var v craton.Variables
		if err := strict(ex.Request.Body, &v); err != nil {
			return nil, err
		}
		return s.SetVariables(ctx, id, v)
	}
	if !own && strings.HasPrefix(ex.Request.Path, "/v1/hosts/") {
		return s.ResolvedVariables(ctx, id)
	}
	return s.Variables(ctx, id)
}
