package craton_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/craton-fleet/craton/craton"
)

// listings returns a List and an All of every resource.
func listings(c *craton.Client) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"clouds":             both(&c.Clouds.Lister, craton.CloudListOptions{}),
		"regions":            both(&c.Regions.Lister, craton.RegionListOptions{}),
		"cells":              both(&c.Cells.Lister, craton.CellListOptions{}),
		"hosts":              both(&c.Hosts.Lister, craton.HostListOptions{}),
		"network_devices":    both(&c.NetworkDevices.Lister, craton.NetworkDeviceListOptions{}),
		"networks":           both(&c.Networks.Lister, craton.NetworkListOptions{}),
		"network_interfaces": both(&c.NetworkInterfaces.Lister, craton.NetworkInterfaceListOptions{}),
		"projects":           both(&c.Projects.Lister, craton.ProjectListOptions{}),
		"users":              both(&c.Users.Lister, craton.UserListOptions{}),
		"devices":            both(&c.Devices.Lister, craton.DeviceListOptions{}),
	}
}

// both returns the error of List and of All, which must be the same.
func both[T, O any](l *craton.Lister[T, O], o O) func(context.Context) error {
	return func(ctx context.Context) error {
		_, one := l.List(ctx, o)
		var all error
		for _, all = range l.All(ctx, o) {
		}
		if fmt.Sprint(one) != fmt.Sprint(all) {
			return fmt.Errorf("List says %w, All %w", one, all)
		}
		return one
	}
}

// TestWrongRows: a row of another shape, or none at all, is an error that names the listing and the row, in every
// listing.
func TestWrongRows(t *testing.T) {
	t.Parallel()
	_, sample := newServer(t)
	for key := range listings(sample) {
		good, list := `{"id": 1}`, key
		body := func(rows string) string { return `{"` + key + `": ` + rows + `, "links": LINKS}` }
		switch key {
		case "projects":
			good = `{"id": "5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c"}`
		case "devices":
			list = "network-devices"
			body = func(rows string) string {
				return `{"devices": {"hosts": [], "network-devices": ` + rows + `}, "links": LINKS}`
			}
		}
		row := func(text string) string { return fmt.Sprintf("row 2 of its list %q %s", list, text) }
		member := func(text string) string { return fmt.Sprintf("its member %q is %s, not a list", list, text) }
		for rows, want := range map[string]string{
			`[` + good + `, null]`:           row("is null, not an object"),
			`[` + good + `, 7]`:              row("is a number, not an object"),
			`[` + good + `, "x"]`:            row("is a string, not an object"),
			`[` + good + `, true]`:           row("is a boolean, not an object"),
			`[` + good + `, [` + good + `]]`: row("is a list, not an object"),
			`[` + good + `, {"name": "x"}]`:  row("has no id"),
			`[` + good + `, {"id": null}]`:   row(`has an invalid id: "null"`),
			`[` + good + `, {"id": {}}]`:     row(`has an invalid id: "{}"`),
			`[` + good + `, {"id": 1.5}]`:    row(`has an invalid id: "1.5"`),
			`[` + good + `, {"id": ""}]`:     row(`has an invalid id: "\"\""`),
			`null`:                           member("null"),
			`{}`:                             member("an object"),
			`"x"`:                            member("a string"),
		} {
			t.Run(key+" "+rows, func(t *testing.T) {
				t.Parallel()
				mux, c := newServer(t, craton.WithRetries(1))
				mux.HandleFunc("GET /v1/", func(w http.ResponseWriter, r *http.Request) {
					reply(w, 200, strings.Replace(body(rows), "LINKS", links(r, "", "1"), 1))
				})
				err := listings(c)[key](t.Context())
				var wrong *craton.ResponseError
				if path := "/" + strings.ReplaceAll(key, "_", "-"); !errors.As(err, &wrong) || wrong.Path != path || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %s", err, want)
				}
			})
		}
	}
}

// TestNullBodies: null in the place of an object, of its id, or of what the response is about, is an error of every
// read.
func TestNullBodies(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`null`: "it is null, not an object",
		`[]`:   "it is a list, not an object",
		`"x"`:  "it is a string, not an object",
		`{"id": null, "variables": null, "labels": null}`: " is null",
		`{}`: "it has no member",
	} {
		mux, c := newServer(t, craton.WithRetries(0))
		mux.HandleFunc("GET /v1/", always(200, body))
		for what, err := range map[string]error{
			"cloud":              second(c.Clouds.Get(t.Context(), 1)),
			"host":               second(c.Hosts.GetResolved(t.Context(), 1)),
			"project":            second(c.Projects.Get(t.Context(), "5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c")),
			"variables":          second(c.Cells.Variables(t.Context(), 1)),
			"resolved variables": second(c.Hosts.ResolvedVariables(t.Context(), 1)),
			"labels":             second(c.Hosts.Labels(t.Context(), 1)),
		} {
			var wrong *craton.ResponseError
			if !errors.As(err, &wrong) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s of %s: %v", what, body, err)
			}
		}
	}
}

// TestBrokenPagesAreRetried: a page that breaks a rule comes once more, and what is right then counts.
func TestBrokenPagesAreRetried(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(string) string{
		"no next":       func(b string) string { return strings.Replace(b, `"rel": "next"`, `"rel": "nest"`, 1) },
		"no first":      func(b string) string { return strings.Replace(b, `"rel": "first"`, `"rel": "fist"`, 1) },
		"a row is lost": func(b string) string { return strings.Replace(b, `{"id": 15, "name": "h15"},`, "", 1) },
		"the last row":  func(b string) string { return strings.Replace(b, `,{"id": 25, "name": "h25"}`, "", 1) },
		"html":          func(string) string { return "<html>" },
	} {
		mux, c := newServer(t)
		var left atomic.Int32
		left.Store(1)
		serve := fleet(25, "")
		mux.HandleFunc("GET /v1/hosts", func(w http.ResponseWriter, r *http.Request) {
			rec := &spoiler{ResponseWriter: w, spoil: func(b string) string {
				spoiled := spoil(b)
				if spoiled != b && left.Add(-1) < 0 {
					return b
				}
				return spoiled
			}}
			serve(rec, r)
		})
		got, err := hostIDs(t.Context(), c, craton.HostListOptions{Paging: craton.Paging{Limit: 10}})
		if err != nil || len(got) != 25 || left.Load() >= 1 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// spoiler changes a body.
type spoiler struct {
	http.ResponseWriter
	spoil func(string) string
}

func (s *spoiler) Write(b []byte) (int, error) {
	_, err := s.ResponseWriter.Write([]byte(s.spoil(string(b))))
	return len(b), err
}

func (s *spoiler) WriteString(text string) (int, error) { return s.Write([]byte(text)) }
