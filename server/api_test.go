package server_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/server"
	"github.com/craton-fleet/craton/server/internal/enginetest"
)

const errorsHead = "The request included the following errors:\n- "

// fleet makes cloud, region and cell 1, switch 1, host 2 under it with a
// label and variables, network 1 and interface 1 of host 2 on it.
func (f *fixture) fleet() {
	f.t.Helper()
	f.place("c", "r", "l")
	f.must(f.root, 201, "POST", "/v1/network-devices", `{"name":"sw","ip_address":"10.0.0.1","device_type":"switch","cloud_id":1,"region_id":1}`)
	f.must(f.root, 201, "POST", "/v1/hosts", `{"name":"h","ip_address":"10.0.0.2","device_type":"server","cloud_id":1,"region_id":1,"cell_id":1,"parent_id":1,"labels":["b","a","b"],"variables":{"k":1}}`)
	f.must(f.root, 201, "POST", "/v1/networks", `{"name":"n","cidr":"c","gateway":"g","netmask":"m","cloud_id":1,"region_id":1}`)
	f.must(f.root, 201, "POST", "/v1/network-interfaces", `{"name":"i","device_id":2,"network_id":1,"interface_type":"x","ip_address":"10.0.0.2","speed":1000}`)
}

// TestRefusals checks status and message of what must be refused.
func TestRefusals(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.fleet()
	long := strings.Repeat("x", 256)
	host := func(more string) string {
		return `{"name":"x","ip_address":"10.0.0.9","device_type":"x","cloud_id":1,"region_id":1` + more + `}`
	}
	for _, tc := range []struct {
		method, path, body string
		status             int
		message            string // the beginning of it
	}{
		// Query (contract §2.1.2, §3.1).
		{"GET", "/v1/hosts?limit=abc", "", 400, errorsHead + "'abc' is not an integer (parameter 'limit')"},
		{"GET", "/v1/hosts?limit=", "", 400, errorsHead + "'' is not an integer (parameter 'limit')"},
		{"GET", "/v1/hosts?limit=10.5", "", 400, errorsHead + "'10.5' is not an integer"},
		{"GET", "/v1/hosts?limit=99999999999999999999", "", 400, errorsHead + "99999999999999999999 is greater than the maximum of 100"},
		{"GET", "/v1/hosts?a=1&b=2&limit=9", "", 400, errorsHead + "9 is less than the minimum of 10\n- Additional properties are not allowed ('a', 'b' were unexpected)"},
		{"GET", "/v1/hosts?sort_key=id", "", 400, errorsHead + "Additional properties are not allowed ('sort_key' was unexpected)"},
		{"GET", "/v1/clouds/1?foo=1", "", 400, errorsHead + "Additional properties are not allowed ('foo' was unexpected)\n- {'foo': '1'} has too many properties"},
		{"GET", "/v1/hosts/2/labels?foo=1", "", 400, errorsHead + "Additional"},
		{"GET", "/v1/clouds/1?resolved-values=true", "", 400, errorsHead + "Additional"},
		{"GET", "/v1/networks?cloud_id=1", "", 400, errorsHead + "Additional"},
		{"GET", "/v1/network-interfaces?details=true", "", 400, errorsHead + "Additional"},
		{"GET", "/v1/networks?network_type=x", "", 400, "Networks have no network_type"},
		{"GET", "/v1/hosts?sort_keys=name,%20id", "", 400, `"" is an invalid sort key`},
		{"GET", "/v1/hosts?sort_keys=", "", 400, `"" is an invalid sort key`},
		{"GET", "/v1/hosts?sort_keys=variables", "", 400, `"variables" is an invalid sort key`},
		{"GET", "/v1/hosts?sort_keys=Name", "", 400, `"Name" is an invalid sort key`},
		{"GET", "/v1/network-devices?sort_keys=model_name", "", 400, `"model_name" is an invalid sort key`},
		{"GET", "/v1/users?sort_keys=key_hash", "", 400, `"key_hash" is an invalid sort key`},
		{"GET", "/v1/projects?sort_keys=seq", "", 400, `"seq" is an invalid sort key`},
		{"GET", "/v1/hosts?marker=abc", "", 400, `Marker "abc" does not exist`},
		{"GET", "/v1/hosts?marker=1", "", 400, `Marker "1" does not exist`}, // a network device
		{"GET", "/v1/hosts?marker=", "", 400, `Marker "" does not exist`},
		{"GET", "/v1/projects?marker=abc", "", 400, `Marker "abc" does not exist`},
		{"GET", "/v1/hosts?vars=", "", 400, "the vars filter needs"},
		{"GET", "/v1/hosts?vars=a:1,", "", 400, "the vars filter needs"},
		{"GET", "/v1/hosts?vars=$.a:1", "", 400, "The query contains an invalid JSON Path expression."},
		{"GET", "/v1/hosts?vars=a:x", "", 400, "An invalid JSON value was specified."},
		{"GET", "/v1/devices?descendants=true&parent_id=99", "", 404, "Not Found"},
		{"GET", "/v1/users?id=99", "", 404, "Not Found"},
		// Ids (contract §2.1.6).
		{"GET", "/v1/hosts/2abc", "", 404, "Not Found"}, {"GET", "/v1/hosts/02", "", 404, "Not Found"}, {"GET", "/v1/hosts/+2", "", 404, "Not Found"},
		{"GET", "/v1/hosts/1", "", 404, "Not Found"}, // a network device
		{"GET", "/v1/network-devices/2", "", 404, "Not Found"}, {"GET", "/v1/network-devices/2/variables", "", 404, "Not Found"}, {"GET", "/v1/hosts/1/labels", "", 404, "Not Found"},
		{"GET", "/v1/projects/abc", "", 404, "Not Found"}, {"GET", "/v1/projects/abc/variables", "", 404, "Not Found"},
		{"PUT", "/v1/hosts/99/variables", `{}`, 404, "Not Found"}, {"DELETE", "/v1/hosts/99/variables", `[]`, 404, "Not Found"}, {"PUT", "/v1/hosts/99/labels", `{"labels":[]}`, 404, "Not Found"},
		// Routes (contract §2.2).
		{"GET", "/v1", "", 404, "The requested URL was not found"}, {"GET", "/", "", 404, "The requested URL"}, {"GET", "/v1/hosts/2/", "", 404, "The requested URL"},
		{"GET", "/v1/hosts/2/nothing", "", 404, "The requested URL"}, {"GET", "/v1/network-interfaces/1/variables", "", 404, "The requested URL"}, {"GET", "/v1/users/1/variables", "", 404, "The requested URL"}, {"GET", "/v1/clouds/1/labels", "", 404, "The requested URL"},
		{"PUT", "/v1/projects/1", `{}`, 405, "The method is not allowed"}, {"POST", "/v1/devices", `{}`, 405, "The method"}, {"POST", "/v1/hosts/2/variables", `{}`, 405, "The method"}, {"PUT", "/v1/users/1", `{}`, 405, "The method"},
		// Bodies (contract §2.1.4, §4).
		{"POST", "/v1/clouds", "", 400, errorsHead + "None is not of type 'object'"},
		{"POST", "/v1/clouds", "[]", 400, errorsHead + "[] is not of type 'object'"},
		{"PUT", "/v1/clouds/1", `"x"`, 400, errorsHead + "'x' is not of type 'object'"}, {"PUT", "/v1/clouds/1", `5`, 400, errorsHead + "5 is not of type 'object'"},
		{"POST", "/v1/clouds", `{"b":1,"a":2,"name":"x"}`, 400, errorsHead + "Additional properties are not allowed ('b', 'a' were unexpected)"},
		{"POST", "/v1/clouds", `{"name":"` + long + `"}`, 400, errorsHead + "the name has 256 characters, at most 255 are possible"},
		{"POST", "/v1/clouds", `{"name":"a\u0000b"}`, 400, errorsHead + "the name contains a NUL character"},
		{"POST", "/v1/clouds", `{"name":"\ud800"}`, 400, errorsHead + "the name is not UTF-8, or contains half a surrogate pair"},
		{"POST", "/v1/clouds", `{"name":"x","regions":[{}]}`, 400, errorsHead + "regions cannot be created along with it"},
		{"POST", "/v1/clouds", `{"name":"x","variables":{"":1,"\na":2}}`, 400, errorsHead + `'', '\na' do not match any of the regexes: '^.+'`},
		{"POST", "/v1/clouds", `{"name":"x","variables":{"` + long + `":1}}`, 400, errorsHead + "the variable's key has 256 characters"},
		{"POST", "/v1/clouds", `{"name":"x","variables":{"a":NaN}}`, 400, "The body cannot be stored: NaN and Infinity are not JSON values (variables.a)."},
		{"POST", "/v1/clouds", `{"name":"x","variables":` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + `}`, 400, "The body cannot be stored: JSON is nested more than 512 levels deep"},
		{"POST", "/v1/hosts", host(`,"active":1`), 400, errorsHead + "1 is not of type 'boolean'"},
		{"POST", "/v1/hosts", host(`,"cell_id":1.0`), 400, errorsHead + "1.0 is not of type 'integer'"}, {"POST", "/v1/hosts", host(`,"cell_id":true`), 400, errorsHead + "True is not of type 'integer'"},
		{"POST", "/v1/hosts", host(`,"parent_id":null`), 400, errorsHead + "None is not of type 'integer'"}, {"POST", "/v1/hosts", host(`,"cell_id":99`), 400, "cell_id 99: there is no such cell"},
		{"POST", "/v1/hosts", host(`,"labels":["a",5]`), 400, errorsHead + "5 is not of type 'string'"}, {"POST", "/v1/hosts", host(`,"labels":"a"`), 400, errorsHead + "'a' is not of type 'array'"},
		{"POST", "/v1/hosts", host(`,"links":[{"href":"x"}]`), 400, errorsHead + "'rel' is a required property"}, {"POST", "/v1/hosts", host(`,"model_name":"x"`), 400, errorsHead + "Additional"},
		{"POST", "/v1/network-devices", host(`,"labels":["a"]`), 400, errorsHead + "Additional"}, {"POST", "/v1/network-devices", host(`,"note":"a"`), 400, errorsHead + "Additional"},
		{"PUT", "/v1/network-devices/1", `{"active":true}`, 400, errorsHead + "Additional"}, {"PUT", "/v1/hosts/2", `{"labels":[]}`, 400, errorsHead + "Additional"},
		{"PUT", "/v1/hosts/2", `{"parent_id":"1"}`, 400, errorsHead + "'1' is not valid under any of the given schemas"}, {"PUT", "/v1/hosts/2", `{"note":null}`, 400, errorsHead + "None is not of type 'string'"},
		{"PUT", "/v1/hosts/2", `{"parent_id":99}`, 400, "parent_id 99: there is no such device"},
		{"PUT", "/v1/network-devices/1", `{"parent_id":2}`, 400, "A device cannot have a descendant as its parent. The parent_id for 'sw' cannot be set to the id '2'."},
		{"PUT", "/v1/hosts/2/labels", `{}`, 400, errorsHead + "'labels' is a required property"}, {"DELETE", "/v1/hosts/2/labels", `{}`, 400, errorsHead + "'labels' is a required property"}, {"PUT", "/v1/hosts/2/labels", "", 400, errorsHead + "None is not of type 'object'"},
		{"PUT", "/v1/hosts/2/labels", `{"labels":["` + long + `"]}`, 400, errorsHead + "the text in labels has 256"},
		{"DELETE", "/v1/hosts/2/variables", "", 400, errorsHead + "None is not of type 'array'"}, {"DELETE", "/v1/hosts/2/variables", `[1]`, 400, errorsHead + "1 is not of type 'string'"}, {"PUT", "/v1/hosts/2/variables", `5`, 400, errorsHead + "5 is not of type 'object'"},
		{"POST", "/v1/projects", `{"name":"x","id":"y"}`, 400, errorsHead + "Additional"}, {"POST", "/v1/users", `{"username":"x","project_id":"nope"}`, 400, errorsHead + "project_id: 'nope' is not a valid UUID"},
		{"POST", "/v1/users", `{"username":"x","project_id":"00000000-0000-4000-8000-000000000000"}`, 404, "Not Found"},
		// Addresses (contract §2.4.4).
		{"POST", "/v1/hosts", `{"name":"x","ip_address":"","device_type":"x","cloud_id":1,"region_id":1}`, 400, errorsHead + "ip_address: '' is not an IPv4 or IPv6 address"},
		{"PUT", "/v1/hosts/2", `{"ip_address":"10.0.0.0/24"}`, 400, errorsHead + "ip_address: '10.0.0.0/24' is not"}, {"PUT", "/v1/hosts/2", `{"ip_address":"010.0.0.1"}`, 400, errorsHead + "ip_address"}, {"PUT", "/v1/hosts/2", `{"ip_address":"fe80::1%eth0"}`, 400, errorsHead + "ip_address"},
		{"POST", "/v1/network-interfaces", `{"name":"j","device_id":2,"interface_type":"x","ip_address":"x"}`, 400, errorsHead + "ip_address"},
		// Duplicates (contract §2.1.7, §6.2).
		{"POST", "/v1/hosts", host(``)[:9] + `sw` + host(``)[10:], 409, "A device with the given name already exists."},
		{"POST", "/v1/network-devices", host(``)[:9] + `h` + host(``)[10:], 409, "A device with the given name already exists."},
		{"POST", "/v1/network-interfaces", `{"name":"i","device_id":2,"interface_type":"x","ip_address":"10.0.0.2"}`, 409, "A network interface with the given name already exists on this device."},
		{"POST", "/v1/users", `{"username":"bootstrap","project_id":"` + f.root.project + `"}`, 409, "A user with the given username already exists in the project."},
		{"PUT", "/v1/hosts/2", `{"name":"sw"}`, 409, "A device with the given name already exists."},
		// Deletes (contract §6.3).
		{"DELETE", "/v1/network-devices/1", "", 409, `The network device "sw" (id 1) cannot be deleted: host "h" (id 2) has it as its parent`},
		{"DELETE", "/v1/networks/1", "", 409, `The network "n" (id 1) cannot be deleted: network interface "i" (id 1) is on it`},
	} {
		r := f.call(f.root, tc.method, tc.path, tc.body)
		if r.Status != tc.status || !strings.HasPrefix(r.message(), tc.message) || len(r.JSON) != 2 {
			t.Errorf("%s %s %.200s\n got %d %s\nwant %d %s", tc.method, tc.path, tc.body, r.Status, r.Text, tc.status, tc.message)
		}
	}
}

// TestAccepted checks oddities that must work.
func TestAccepted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.fleet()
	for _, tc := range []struct {
		method, path, body string
		status             int
		want               string // somewhere in the body
	}{
		{"POST", "/v1/clouds", `{"name":"e","regions":[]}`, 201, `"regions": []`},
		{"PUT", "/v1/clouds/1", ``, 200, `"updated_at": null`}, {"PUT", "/v1/clouds/1", `[]`, 200, `"updated_at": null`}, {"PUT", "/v1/clouds/1", `null`, 200, `"updated_at": null`}, {"PUT", "/v1/clouds/1", `{"name":"c"}`, 200, `"updated_at": null`},
		{"PUT", "/v1/network-devices/1", `{"model_name":"m","vlans":"1"}`, 200, `"updated_at": null`},
		{"PUT", "/v1/clouds/1/variables", `{}`, 200, `"variables": {}`}, {"DELETE", "/v1/clouds/1/variables", `[]`, 204, ``},
		{"GET", "/v1/clouds/1", ``, 200, `"updated_at": null`},
		{"PUT", "/v1/hosts/1", `{"note":"a switch"}`, 200, `"note": "a switch"`}, // any device (contract §2.4.4)
		{"POST", "/v1/hosts", `{"name":"x","ip_address":"::FFFF","device_type":"x","cloud_id":1,"region_id":1,"links":[{"href":"u","rel":"x"}]}`, 201, "\"links\": [\n    {\n      \"href\": \"u\",\n      \"rel\": \"x\"\n    },\n    {"},
		{"POST", "/v1/network-devices", `{"name":"y","ip_address":"::1","device_type":"x","cloud_id":1,"region_id":1,"network_id":77,"access_secret_id":5}`, 201, `"network_id": 77`},
		{"GET", "/v1/network-devices/4", ``, 200, `"vlans": null`},
		{"POST", "/v1/users", `{"username":"u","project_id":"{` + f.root.project + `}","api_key":"mine","roles":["r"]}`, 201, "\"roles\": [\n    \"r\"\n  ]"},
		{"PUT", "/v1/network-interfaces/1", `{"speed":2000}`, 200, `"speed": 2000,`}, {"GET", "/v1/network-interfaces/1", ``, 200, `"speed": "2000",`}, {"PUT", "/v1/network-interfaces/1", `{"link":"up"}`, 200, `"speed": "2000",`},
		{"GET", "/v1/hosts?ip_address=0:0::ffff", ``, 200, `"name": "x"`}, {"GET", "/v1/hosts?ip_address=nonsense", ``, 200, `"hosts": []`},
		{"GET", "/v1/hosts?name=h&name=x&details=1", ``, 200, `"labels": [`}, {"GET", "/v1/hosts?details=off", ``, 200, `details=True`}, {"GET", "/v1/hosts?details=No", ``, 200, `details=False`},
		{"GET", "/v1/cells?region_id=abc", ``, 200, `"cells": []`}, {"GET", "/v1/hosts?region_id=99999999999999999999", ``, 200, `"hosts": []`}, {"GET", "/v1/hosts?label=%00", ``, 200, `"hosts": []`},
		{"GET", "/v1/hosts?sort_keys=hostname%20id&sort_dir=desc&limit=0010", ``, 200, `sort_dir=desc&sort_keys=hostname%2Cid&limit=10`},
		{"GET", "/v1/clouds?id=0&name=", ``, 200, `"rel": "first"`}, {"GET", "/v1/clouds?id=1&name=c&limit=10&details=true", ``, 200, `"links": []`}, {"GET", "/v1/clouds?id=1&name=nope", ``, 404, `Not Found`},
		{"GET", "/v1/users?id=1", ``, 200, `users?id=1&sort_keys`}, {"GET", "/v1/projects?name=boot%25&details=true", ``, 200, `"name": "bootstrap"`}, {"GET", "/v1/projects?name=zzz%25", ``, 200, `"projects": []`},
		{"GET", "//v1/clouds", ``, 200, `"clouds"`}, {"GET", "/v1/devices?active=true&descendants=true", ``, 200, `"name": "sw"`}, {"GET", "/v1/devices?details=true&resolved-values=false", ``, 200, `"labels": []`},
		{"GET", "/v1/projects/" + strings.ToUpper(f.root.project), ``, 200, `"name": "bootstrap"`}, {"DELETE", "/v1/projects/nonsense", ``, 204, ``}, {"DELETE", "/v1/hosts/2abc", ``, 204, ``}, {"GET", "/v1/hosts/2", ``, 200, `"name": "h"`},
	} {
		r := f.call(f.root, tc.method, tc.path, tc.body)
		if r.Status != tc.status || !strings.Contains(r.Text, tc.want) {
			t.Errorf("%s %s %s\n got %d %s\nwant %d %s", tc.method, tc.path, tc.body, r.Status, r.Text, tc.status, tc.want)
		}
	}
	// The body counts only with a JSON content type (contract §10 Q17).
	req, err := http.NewRequest("PUT", f.url+"/v1/clouds/1", strings.NewReader(`{"name":"changed"}`))
	if err != nil {
		t.Fatal(err)
	}
	f.root.sign(req)
	if resp, body := do(t, req); resp.StatusCode != 200 || !bytes.Contains(body, []byte(`"name": "c"`)) {
		t.Errorf("PUT without a content type: %d %s", resp.StatusCode, body)
	}
}

// TestRegionsOfOneName: ?name= must find one (contract §2.4.2).
func TestRegionsOfOneName(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.place("c", "r", "l")
	f.place("d", "r", "l")
	r := f.call(f.root, "GET", "/v1/regions?name=r", "")
	if r.Status != 409 || !strings.Contains(r.message(), "More than one region has the name 'r'") {
		t.Errorf("%d %s", r.Status, r.Text)
	}
	f.status(f.root, 200, "GET", "/v1/regions?name=r&id=2", "")
}

// TestValuesComeBackExactly stores hard values and reads them by every way.
func TestValuesComeBackExactly(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.place("c", "r", "l")
	body := `{"big":123456789012345678901234567890,"dup":1,"dup":2,"exp":1e308,"float":1.0,"nest":{"z":[{"b":null,"a":[]}],"y":{}},"neg":-0,"null":null,"tpl":"{{ x }}","uni":"é😀\u2028/\u007f","é":1}`
	want := `{
    "big": 123456789012345678901234567890,
    "dup": 2,
    "exp": 1e308,
    "float": 1.0,
    "neg": -0,
    "nest": {
      "y": {},
      "z": [
        {
          "a": [],
          "b": null
        }
      ]
    },
    "null": null,
    "tpl": "{{ x }}",
    "uni": "\u00e9\ud83d\ude00\u2028/\u007f",
    "\u00e9": 1
  }`
	if got := f.must(f.root, 200, "PUT", "/v1/cells/1/variables", body).Text; got != "{\n  \"variables\": "+want+"\n}\n" {
		t.Errorf("PUT answers %s", got)
	}
	if got := f.must(f.root, 201, "POST", "/v1/clouds", `{"name":"x","variables":`+body+`}`).Text; !strings.Contains(got, `"variables": `+want+"\n}") {
		t.Errorf("POST answers %s", got)
	}
	f.must(f.root, 201, "POST", "/v1/hosts", `{"name":"h","ip_address":"::1","device_type":"x","cloud_id":1,"region_id":1,"cell_id":1}`)
	if got := f.must(f.root, 200, "GET", "/v1/hosts/1", "").Text; !strings.Contains(got, `"variables": `+want+"\n}") {
		t.Errorf("resolved: %s", got)
	}
	deeper := strings.ReplaceAll(want, "\n", "\n    ")
	if got := f.must(f.root, 200, "GET", "/v1/hosts?details=true", "").Text; !strings.Contains(got, `"variables": `+deeper+"\n    }") {
		t.Errorf("list: %s", got)
	}
	if got := f.must(f.root, 200, "GET", "/v1/devices?details=true", "").Text; !strings.Contains(got, `"variables": `+strings.ReplaceAll(deeper, "\n", "\n  ")) {
		t.Errorf("devices: %s", got)
	}
}

// TestCascades checks that containers go whole or not at all (contract §6.3).
func TestCascades(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, path string }{{"cell", "/v1/cells/1"}, {"region", "/v1/regions/1"}, {"cloud", "/v1/clouds/1"}} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.place("c", "r", "l")
			other := f.must(f.root, 201, "POST", "/v1/clouds", `{"name":"other","variables":{"k":1}}`).id(t)
			region := f.must(f.root, 201, "POST", "/v1/regions", `{"name":"other","cloud_id":`+other+`}`).id(t)
			host := func(name, place, more string) string {
				return f.must(f.root, 201, "POST", "/v1/hosts", `{"name":"`+name+`","ip_address":"::1","device_type":"x","labels":["a"],"variables":{"k":1},`+place+more+`}`).id(t)
			}
			in := `"cloud_id":1,"region_id":1,"cell_id":1`
			out := `"cloud_id":` + other + `,"region_id":` + region
			parent := host("parent", in, "")
			host("child", in, `,"parent_id":`+parent) // inside: goes with its parent
			child := host("outside", out, `,"parent_id":`+parent)
			network := f.must(f.root, 201, "POST", "/v1/networks", `{"name":"n","cidr":"c","gateway":"g","netmask":"m","variables":{"k":1},`+in+`}`).id(t)
			port := func(device, name string) string {
				return f.must(f.root, 201, "POST", "/v1/network-interfaces", `{"name":"`+name+`","device_id":`+device+`,"network_id":`+network+`,"interface_type":"x","ip_address":"::1","variables":{"k":1}}`).id(t)
			}
			port(parent, "inner")
			outer := port(child, "outer")

			r := f.must(f.root, 409, "DELETE", tc.path, "")
			if !strings.Contains(r.message(), `host "outside" (id `+child+`) has a parent in it`) {
				t.Errorf("message %q", r.message())
			}
			f.must(f.root, 200, "PUT", "/v1/hosts/"+child, `{"parent_id":null}`)
			r = f.must(f.root, 409, "DELETE", tc.path, "")
			if !strings.Contains(r.message(), `network interface "outer" (id `+outer+`) is on a network in it`) {
				t.Errorf("message %q", r.message())
			}
			f.must(f.root, 204, "DELETE", "/v1/network-interfaces/"+outer, "")
			if n := len(f.must(f.root, 200, "GET", "/v1/hosts", "").objects(t, "hosts")); n != 3 {
				t.Errorf("%d hosts after refused deletes, want 3", n)
			}
			f.must(f.root, 204, "DELETE", tc.path, "")
			f.must(f.root, 404, "GET", tc.path, "")
			var left []string
			for _, h := range f.must(f.root, 200, "GET", "/v1/hosts?details=true", "").objects(t, "hosts") {
				left = append(left, h["name"].(string))
			}
			if diff := cmp.Diff([]string{"outside"}, left); diff != "" {
				t.Errorf("hosts left (-want +got):\n%s", diff)
			}
			checkFile(t, f.database)
			// The variables of the other cloud and of the host outside.
			if n := f.count(t, "SELECT count(*) FROM variables"); n != 2 {
				t.Errorf("%d variables left, want 2", n)
			}
			if n := f.count(t, "SELECT count(*) FROM labels"); n != 1 {
				t.Errorf("%d labels left, want 1", n)
			}
			// An id is never given twice.
			if id := host("next", out, ""); id != "4" {
				t.Errorf("the next host has id %s, want 4", id)
			}
		})
	}
}

func TestDeleteProject(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	f.must(f.root, 204, "DELETE", "/v1/projects/"+f.a.project, "")
	f.status(f.a.member, 401, "GET", "/v1/hosts", "")
	f.status(f.b.member, 200, "GET", "/v1/hosts/"+f.b.host, "")
	checkFile(t, f.database)
	if n := f.count(t, "SELECT count(*) FROM variables"); n != 2 {
		t.Errorf("%d variables left, want the other project's 2", n)
	}
}

// TestMethods checks HEAD, OPTIONS and Allow (contract §0.3).
func TestMethods(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.fleet()
	r := f.must(f.root, 200, "HEAD", "/v1/hosts/2", "")
	get := f.must(f.root, 200, "GET", "/v1/hosts/2", "")
	if r.Text != "" || r.Header.Get("Content-Length") != fmt.Sprint(len(get.Text)) || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("HEAD: %q %v", r.Text, r.Header)
	}
	f.status(f.root, 400, "HEAD", "/v1/hosts?foo=1", "")
	f.status(f.root, 404, "HEAD", "/v1/hosts/99", "")
	for path, allow := range map[string]string{
		"/v1/hosts": "HEAD, GET, POST, OPTIONS", "/v1/hosts/2": "HEAD, GET, PUT, DELETE, OPTIONS", "/v1/hosts/2/labels": "HEAD, GET, PUT, DELETE, OPTIONS",
		"/v1/devices": "HEAD, GET, OPTIONS", "/v1/users/1": "HEAD, GET, DELETE, OPTIONS",
	} {
		r := f.must(f.root, 200, "OPTIONS", path, "")
		if r.Text != "" || r.Header.Get("Allow") != allow || r.Header.Get("Content-Type") != "text/html" {
			t.Errorf("OPTIONS %s: %q %v", path, r.Text, r.Header)
		}
		if r := f.must(f.root, 405, "PATCH", path, ""); r.Header.Get("Allow") != allow {
			t.Errorf("PATCH %s: %v", path, r.Header)
		}
	}
	f.status(caller{}, 401, "OPTIONS", "/v1/hosts", "")
	f.status(caller{}, 401, "GET", "/v1/nothing", "") // before routing
}

// TestLocalAuth checks the spellings of a project's id and what is refused (contract §1.2).
func TestLocalAuth(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	p := f.root.project
	for _, project := range []string{strings.ToUpper(p), strings.ReplaceAll(p, "-", ""), "{" + p + "}", "urn:uuid:" + p} {
		who := f.root
		who.project = project
		r := f.must(who, 201, "POST", "/v1/clouds", `{"name":"`+project+`"}`)
		if r.JSON["project_id"] != p {
			t.Errorf("project_id %v, want the canonical form", r.JSON["project_id"])
		}
	}
	for _, who := range []caller{{p, "Bootstrap", f.root.key}, {p, "bootstrap", strings.ToUpper(f.root.key)}, {p, "bootstrap", ""}, {p, "", ""}, {"00000000-0000-4000-8000-000000000000", "bootstrap", f.root.key}} {
		if r := f.must(who, 401, "GET", "/v1/clouds", ""); r.message() != "The request could not be authenticated." {
			t.Errorf("%+v: %s", who, r.Text)
		}
	}
	if r := f.must(caller{}, 401, "GET", "/v1/clouds", ""); r.message() != "Project ID ('') is not a valid UUID" {
		t.Errorf("empty project: %s", r.Text)
	}
	// A new key ends the old one.
	key, err := f.server.ResetKey(t.Context(), "bootstrap", strings.ToUpper(p))
	if err != nil {
		t.Fatal(err)
	}
	f.status(f.root, 401, "GET", "/v1/clouds", "")
	f.status(caller{p, "bootstrap", key}, 200, "GET", "/v1/clouds", "")
	if _, err := f.server.ResetKey(t.Context(), "nobody", ""); err == nil || !strings.Contains(err.Error(), `no user "nobody"`) {
		t.Errorf("new key of nobody: %v", err)
	}
	b, err := f.server.Bootstrap(t.Context())
	if want := (server.Bootstrap{ProjectID: p, Username: "bootstrap"}); err != nil || b != want {
		t.Errorf("bootstrap again: %+v, %v", b, err)
	}
	if n := f.count(t, `SELECT count(*) FROM users WHERE key_hash LIKE '%`+key+`%'`); n != 0 {
		t.Error("the key is stored in clear")
	}
}

// TestHealthAndLog checks /healthz, the request ids, and that a log line has what it should and no secret.
func TestHealthAndLog(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	s, err := server.Open(t.Context(), enginetest.Database(t), server.Options{Create: true, Version: "1.2", Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s.Handler())
	defer h.Close()
	f := &fixture{t: t, url: h.URL, root: caller{b.ProjectID, b.Username, b.APIKey}}
	r := f.must(caller{}, 200, "GET", "/healthz", "")
	if r.Text != "{\"status\":\"ok\",\"version\":\"1.2\"}\n" {
		t.Errorf("healthz: %s", r.Text)
	}
	r = f.must(f.root, 200, "GET", "/v1/clouds?name=&vars=password:\"hunter2\"", "")
	id := r.Header.Get("x-openstack-request-id")
	if !regexp.MustCompile(`^req-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) {
		t.Errorf("request id %q", id)
	}
	for _, want := range []string{"method=GET", "path=/v1/clouds", "status=200", "duration=", "request_id=" + id, "user=bootstrap", "project=" + b.ProjectID} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("log lacks %s:\n%s", want, log.String())
		}
	}
	if strings.Contains(log.String(), b.APIKey) || strings.Contains(log.String(), "hunter2") {
		t.Errorf("log holds a secret:\n%s", log.String())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestEmbedded checks whose requests those of the embedded server are.
func TestEmbedded(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	database := enginetest.Database(t)
	if _, err := server.Open(ctx, database, server.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	s, err := server.Open(ctx, database, server.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	h, err := s.Embedded(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	send := func(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		h.ServeHTTP(w, r)
		return w
	}
	w := send(h, "GET", "/v1/projects", "")
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"name": "default"`) || w.Header().Get("x-openstack-request-id") == "" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := send(h, "POST", "/v1/clouds", `{"name":"c"}`); w.Code != 201 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	// Opened by a command that only reads, it is the same project.
	again, err := server.Open(ctx, database, server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if h, err = again.Embedded(ctx, ""); err != nil {
		t.Fatal(err)
	}
	if w := send(h, "GET", "/v1/clouds", ""); !strings.Contains(w.Body.String(), `"name": "c"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	b, err := s.Bootstrap(ctx)
	if err != nil || !b.Created || !regexp.MustCompile(`^crn_[0-9A-Za-z]{30}$`).MatchString(b.APIKey) {
		t.Fatalf("%+v, %v", b, err)
	}
	_, err = again.Embedded(ctx, "")
	if err == nil || !strings.Contains(err.Error(), "OS_PROJECT_ID") || !strings.Contains(err.Error(), b.ProjectID+"  bootstrap") || !strings.Contains(err.Error(), "  default") {
		t.Errorf("two projects: %v", err)
	}
	if h, err = again.Embedded(ctx, strings.ToUpper(b.ProjectID)); err != nil {
		t.Fatal(err)
	}
	if w := send(h, "POST", "/v1/clouds", `{"name":"d"}`); !strings.Contains(w.Body.String(), b.ProjectID) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, id := range []string{"nope", "00000000-0000-4000-8000-000000000000"} {
		if _, err := again.Embedded(ctx, id); err == nil || !strings.Contains(err.Error(), id) {
			t.Errorf("project %s: %v", id, err)
		}
	}
}

// TestConcurrentPaging walks a listing while others write to it.
func TestConcurrentPaging(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for i := range 35 {
		f.must(f.root, 201, "POST", "/v1/clouds", fmt.Sprintf(`{"name":"c%d"}`, i))
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 20 {
				f.must(f.root, 201, "POST", "/v1/clouds", fmt.Sprintf(`{"name":"w%d-%d"}`, w, i))
			}
		})
	}
	seen := map[string]int{}
	for url := "/v1/clouds?limit=10"; url != ""; {
		r := f.must(f.root, 200, "GET", url, "")
		for _, c := range r.objects(t, "clouds") {
			seen[c["name"].(string)]++
		}
		url = r.link("next")
	}
	wg.Wait()
	for i := range 35 {
		if n := seen[fmt.Sprintf("c%d", i)]; n != 1 {
			t.Errorf("cloud c%d was listed %d times", i, n)
		}
	}
}
