package inventory

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/inventory/internal/ansible"
)

func TestDecodePage(t *testing.T) {
	t.Parallel()
	body := `{
  "links": [{"href": "http://x/v1/network-devices", "rel": "first", "hosts": [1]}],
  "hosts": [
    {"id": 7, "name": "a\"\u00e9", "ip_address": "10.0.0.1", "device_type": "server", "active": true, "note": null,
     "cloud_id": 1, "region_id": 2, "cell_id": null, "parent_id": 31, "project_id": "5D1B7C0E6A0B4C529A550D6F5F1A2B3C",
     "links": [{"rel": "up", "href": "http://x/v1/network-devices/31"}], "labels": ["web", "a", "web"],
     "created_at": "2017-03-30T08:20:01.000000", "something": {"new": ["id", {"id": 9}]},
     "variables": {"b": {"x": [1, 2.50]}, "a": null, "\u0061b": "}{", "b": 12345678901234567890}},
    {"id": 8, "name": "b", "active": false, "parent_id": 7, "links": [{"rel": "up", "href": "http://x/v1/hosts/7"}], "variables": {}}
  ]
}`
	got, err := newDecoder().page(&craton.RawPage{Body: []byte(body)}, HostKind, true)
	if err != nil {
		t.Fatal(err)
	}
	want := []Device{
		{ID: 7, Name: `a"é`, IPAddress: "10.0.0.1", DeviceType: "server", Active: true, CloudID: 1, RegionID: 2, ParentID: 31,
			ParentKind: NetworkDeviceKind, ProjectID: project1, Labels: []string{"a", "web"}, Others: []string{""},
			Variables: Variables{{Name: "a", Value: "null"}, {Name: "ab", Value: `"}{"`}, {Name: "b", Value: "12345678901234567890"}}},
		{ID: 8, Name: "b", ParentID: 7, Others: []string{""}, Variables: Variables{}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	body = `{"network_devices": [{"id": 1, "model_name": "m", "os_version": "o", "vlans": "1,2", "labels": [], "variables": {}}], "links": []}`
	got, err = newDecoder().page(&craton.RawPage{Body: []byte(body)}, NetworkDeviceKind, true)
	if err != nil || cmp.Diff([]Device{{ID: 1, Kind: NetworkDeviceKind, Labels: []string{}, Others: []string{"m", "o", "1,2"}}}, got) != "" {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestScalar: a field that is no text is kept as JSON, and one of another type is told.
func TestScalar(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typ       schema.Type
		raw, want string
		ok        bool
	}{
		{schema.Integer, `-5`, "-5", true}, {schema.Integer, `0`, "0", true}, {schema.Integer, `null`, "", true}, {schema.Integer, `"5"`, `"5"`, false},
		{schema.Flag, `false`, "false", true}, {schema.Flag, `null`, "", true}, {schema.Flag, `0`, "0", false},
		{schema.Text, `"a\u00e9"`, "aé", true}, {schema.LongText, `null`, "", true}, {schema.Text, `5`, "", false},
	} {
		x := jsontext.NewScanner(c.raw)
		text, ok := scalar(x, c.typ)
		if ok = ok && !x.Misfit(); ok != c.ok || text != c.want {
			t.Errorf("%s: %q, %v", c.raw, text, ok)
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"links": []}`:              `it has no list "hosts"`,
		`{"hosts": {"id": 1}}`:       `it has no list "hosts"`,
		`{"hosts": [{"name": "a"}]}`: `it holds a host without an id`,
		`{"hosts": [null]}`:          `it holds a host without an id`,
		`{"hosts": [{"id": "x"}]}`:   `it holds a host without an id`,
		// What would be read as nothing is not passed over: a cell's variables would be missing, or a label.
		`{"hosts": [{"id":4,"cell_id":"1","variables":{}}]}`:                                  `cell_id of host 4 is of the wrong type`,
		`{"hosts": [{"id":4,"variables":{},"parent_id":1.0}]}`:                                `parent_id of host 4 is of the wrong type`,
		`{"hosts": [{"id":4,"active":"yes","variables":{}}]}`:                                 `active of host 4 is of the wrong type`,
		`{"hosts": [{"id":4,"ip_address":5,"variables":{}}]}`:                                 `ip_address of host 4 is of the wrong type`,
		`{"hosts": [{"id":4,"device_type":[],"variables":{}}]}`:                               `device_type of host 4 is of the wrong type`,
		`{"hosts": [{"id":4,"labels":["a",null],"variables":{}}]}`:                            `labels of host 4 is of the wrong type`,
		`{"hosts": [{"id":4,"labels":[5],"variables":{}}]}`:                                   `labels of host 4 is of the wrong type`,
		`{"hosts": [{"id":4,"labels":{"a":1},"variables":{}}]}`:                               `labels of host 4 is of the wrong type`,
		`{"hosts": [{"id": 4}]}`:                                                              `host 4 has no variables, although they were requested`,
		`{"hosts": [{"id":4,"name":"\ud800","variables":{}}]}`:                                `the name of host 4 is not UTF-8, or contains half a surrogate pair; enter it again`,
		"{\"hosts\": [{\"name\":\"a\xff\",\"id\":4,\"variables\":{}}]}":                       `the name of host 4 is not UTF-8, or contains half a surrogate pair; enter it again`,
		`{"hosts": [{"id":4,"labels":["a","\udc00"],"variables":{}}]}`:                        `a label of host 4 is not UTF-8, or contains half a surrogate pair; enter it again`,
		`{"hosts": [{"id":4,"name":"a","variables":{"\ud800":1}}]}`:                           `a key of the variables of host 4 is not UTF-8, or contains half a surrogate pair; enter it again`,
		`{"hosts": [{"id":3,"name":"\ud834\udd1e","variables":{}},{"id":4,"note":"\ud834"}]}`: `the note of host 4 is not UTF-8, or contains half a surrogate pair; enter it again`,
		`{"hosts": [{"id":4,"variables":[]}]}`:                                                `host 4 has no variables, although they were requested`,
	} {
		if _, err := newDecoder().page(&craton.RawPage{Body: []byte(body)}, HostKind, true); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}

// TestAnswersThatAreNotJSON: also where a single page is asked for, without the client's walk.
func TestAnswersThatAreNotJSON(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{``, `{"hosts": [{"id": 1, "name": "`, `{"hosts": [{"id`, `<html>`, `{"hosts": [{"variables": {"a": "\`} {
		f := believable()
		f.intercept = func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if q := r.URL.Query(); r.URL.Path != "/v1/hosts" || !q.Has("id") && q.Get("limit") != "10" {
				return false
			}
			_, _ = w.Write([]byte(bad))
			return true
		}
		o := DefaultOptions()
		o.Labels = []string{"nobody's"}
		if _, err := Load(context.Background(), f.client(), o); err == nil || !strings.Contains(err.Error(), "not JSON") {
			t.Errorf("%s: Load: %v", bad, err)
		}
		o.Labels, o.VarsFilter = nil, `mtu:9000`
		if _, err := Host(context.Background(), f.client(), o, "web-01.example.net"); err == nil || !strings.Contains(err.Error(), "not JSON") {
			t.Errorf("%s: Host: %v", bad, err)
		}
	}
}

// FuzzDecode: whatever valid JSON a server sends, decoding neither panics nor loses a device that encoding/json finds.
func FuzzDecode(f *testing.F) {
	f.Add(`{"hosts": [{"id": 1, "name": "a", "variables": {"a": [1, {"b": "\ud834"}]}}], "links": []}`)
	f.Add(`{"hosts": [{"id": 1e1, "labels": [1, null, {}], "active": "x", "links": {}}, 3, "x", [], {"id": 2}]}`)
	f.Add(`{"\u0068osts": [{"id": 3, "variables": {}}]}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, body string) {
		if !gjson.Valid(body) || !json.Valid([]byte(body)) {
			t.Skip()
		}
		for _, details := range []bool{true, false} {
			devices, err := newDecoder().page(&craton.RawPage{Body: []byte(body)}, HostKind, details)
			if err != nil {
				continue
			}
			var page struct {
				Hosts []struct {
					ID        int                        `json:"id"`
					Name      string                     `json:"name"`
					Variables map[string]json.RawMessage `json:"variables"`
				} `json:"hosts"`
			}
			if json.Unmarshal([]byte(body), &page) != nil {
				continue // other types than the contract's
			}
			if strings.Count(body, `hosts`) != 1 {
				continue // of two members encoding/json merges, ignoring case
			}
			if len(devices) != len(page.Hosts) {
				t.Fatalf("%d devices, not %d", len(devices), len(page.Hosts))
			}
			for _, d := range devices {
				for _, v := range d.Variables {
					if !json.Valid([]byte(v.Value)) || !json.Valid(ansible.AppendValue(nil, v.Value, ansible.Untrusted)) {
						t.Fatalf("%s is %q", v.Name, v.Value)
					}
				}
			}
		}
	})
}
