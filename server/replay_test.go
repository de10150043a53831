package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/server"
)

// exchange is one recorded request to the original server and its response.
type exchange struct {
	Name    string
	Request struct {
		Method, Path, User string
		Headers            map[string]*string
		Body               json.RawMessage
		RawBody            *string `json:"raw_body"`
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    json.RawMessage
		Text    *string
	}
}

// In the recordings what differs from run to run has these names.
const (
	hereProject  = "<project>"
	otherProject = "<other-project>"
	hereServer   = "<server>"
	rootKey      = "<root-key>"
	memberKey    = "<member-key>"
)

// TestReplay sends the recorded requests in order to an empty database and demands the recorded responses: status,
// headers and every byte of the body, but for timestamps (whose form is checked) and what [server.Differences]
// declares. A declared difference that does not show is an error too.
func TestReplay(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("testdata", "recordings.json"))
	if err != nil {
		t.Fatal(err)
	}
	var exchanges []exchange
	if err := json.Unmarshal(raw, &exchanges); err != nil {
		t.Fatal(err)
	}
	if len(exchanges) != 157 {
		t.Fatalf("%d exchanges, want 157", len(exchanges))
	}
	declared := map[string]string{} // exchange -> id of the difference
	headers := map[string]bool{"Content-Type": true, "Content-Length": true, "Date": true, "Location": true, "Allow": true, "X-Openstack-Request-Id": true}
	for _, d := range server.Differences {
		for _, name := range d.Headers {
			headers[name] = true
		}
		for _, name := range d.Recorded {
			declared[name] = d.ID
		}
	}

	f := newFixture(t)
	names := map[string]string{hereProject: f.root.project, hereServer: f.url, rootKey: f.root.key}
	for _, x := range exchanges {
		who := f.root
		if x.Request.User == "member" {
			who = caller{project: f.root.project, user: "member", key: names[memberKey]}
		}
		req := x.request(t, f.url, who, names)
		resp, body := do(t, req)
		learn(t, x.Name, body, names)

		got := observed{Status: resp.StatusCode, Body: mask(string(body)), Header: map[string]string{}}
		want := observed{Status: x.Response.Status, Header: map[string]string{}}
		want.Body = mask(recordedBody(t, x, names))
		for k, v := range x.Response.Headers {
			want.Header[k] = expand(v, names)
		}
		for _, k := range []string{"Content-Type", "Location", "Allow"} {
			if v := resp.Header.Get(k); v != "" {
				got.Header[k] = v
			}
		}
		for k := range resp.Header {
			if !headers[k] {
				t.Errorf("%s: the header %s is no declared difference", x.Name, k)
			}
		}
		same := cmp.Diff(want, got) == ""
		id, differs := declared[x.Name]
		if !differs {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s %s (-recorded +ours):\n%s", x.Name, x.Request.Method, x.Request.Path, diff)
			}
			continue
		}
		delete(declared, x.Name)
		if same {
			t.Errorf("%s: the declared difference %s does not show any more", x.Name, id)
			continue
		}
		change := expected[id]
		if change == nil {
			t.Errorf("%s: no test knows what the difference %s looks like", x.Name, id)
			continue
		}
		change(x.Name, &want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s %s beyond the difference %s (-expected +ours):\n%s", x.Name, x.Request.Method, x.Request.Path, id, diff)
		}
	}
	for name, id := range declared {
		t.Errorf("the difference %s names an exchange that is not recorded: %s", id, name)
	}
}

// observed is what the replay compares.
type observed struct {
	Status int
	Header map[string]string
	Body   string
}

// refused makes w the error that we answer instead of an accidental 500.
func (w *observed) refused(status int, message string) {
	w.Status = status
	w.Body = fmt.Sprintf("{\n  \"message\": %s,\n  \"status\": %d\n}\n", quote(message), status)
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// expected turns a recorded response into ours, for each difference that the recordings show.
var expected = map[string]func(name string, w *observed){
	"put-missing": func(_ string, w *observed) { w.refused(404, "Not Found") },
	"put-duplicate": func(_ string, w *observed) {
		w.refused(409, "A cloud with the given name already exists.")
	},
	"foreign-key": func(name string, w *observed) {
		w.refused(400, map[string]string{
			"region: unknown cloud": "cloud_id 77: there is no such cloud in the project. Check the id, or create it first.",
			"host: unknown parent":  "parent_id 999: there is no such device in the project. Check the id, or create it first.",
		}[name])
	},
	"address-echo": func(_ string, w *observed) { w.replace("2001:DB8:0:0::1", "2001:db8::1") },
	"labels-in-lists": func(name string, w *observed) {
		sets := map[string][]string{"netdev: list details": {"[]", "[]"}, "host: list details own": {"[\n        \"web\"\n      ]", "[]", "[]", "[]"}}[name]
		w.Body = regexp.MustCompile(`(?m)^      "links": \[`).ReplaceAllStringFunc(w.Body, func(links string) string {
			set := sets[0]
			sets = sets[1:]
			return `      "labels": ` + set + ",\n" + links
		})
	},
	"prev-link": func(_ string, w *observed) {
		w.replace("limit=10&marker=3\",\n      \"rel\": \"prev\"", "limit=10\",\n      \"rel\": \"prev\"")
	},
	"api-keys": func(_ string, w *observed) {
		w.Body = regexp.MustCompile(`"api_key": "[^"]*"`).ReplaceAllString(w.Body, `"api_key": null`)
	},
	"delete-refused": func(_ string, w *observed) {
		w.refused(409, `The host "web-01" (id 3) cannot be deleted: host "vm-01" (id 5) has it as its parent; move, detach or delete that first.`)
	},
	"ansible-inventory": func(_ string, w *observed) {
		w.Status, w.Body = 200, recordedInventory
	},
}

func (w *observed) replace(old, new string) { w.Body = strings.ReplaceAll(w.Body, old, new) }

// request builds the recorded request for the server under test.
func (x exchange) request(t *testing.T, url string, who caller, names map[string]string) *http.Request {
	t.Helper()
	path, query, _ := strings.Cut(expand(x.Request.Path, names), "?")
	body := expand(string(x.Request.Body), names)
	if x.Request.RawBody != nil {
		body = *x.Request.RawBody
	}
	req, err := http.NewRequest(x.Request.Method, url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	// As the recorded client did, escape only what a URL cannot hold.
	req.URL.RawQuery = strings.NewReplacer(`"`, "%22", "[", "%5B", "]", "%5D").Replace(query)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	who.sign(req)
	for k, v := range x.Request.Headers {
		if v == nil {
			req.Header.Del(k)
		} else {
			req.Header.Set(k, *v)
		}
	}
	return req
}

// recordedBody is the recorded body as the original wrote it: the recording
// is parsed JSON, so it is written again in the original's form.
func recordedBody(t *testing.T, x exchange, names map[string]string) string {
	t.Helper()
	if len(x.Response.Body) == 0 {
		if x.Response.Text == nil {
			t.Fatalf("%s: no body recorded", x.Name)
		}
		return *x.Response.Text
	}
	d := json.NewDecoder(bytes.NewReader(x.Response.Body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return expand(pythonJSON(v), names)
}

// pythonJSON is json.dumps(v, indent=2, sort_keys=True) and a newline: an
// implementation that shares nothing with the server's.
func pythonJSON(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	var out strings.Builder
	for _, r := range b.String() {
		switch {
		case r < 0x7F:
			out.WriteRune(r)
		case r >= 0x10000:
			fmt.Fprintf(&out, `\u%04x\u%04x`, 0xD800+(r-0x10000)>>10, 0xDC00+(r-0x10000)&0x3FF)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.String()
}

func expand(s string, names map[string]string) string {
	for _, k := range slices.Sorted(func(yield func(string) bool) {
		for k := range names {
			if !yield(k) {
				return
			}
		}
	}) {
		s = strings.ReplaceAll(s, k, names[k])
	}
	return s
}

// learn takes what the server generated out of the two creates whose results later requests use.
func learn(t *testing.T, name string, body []byte, names map[string]string) {
	t.Helper()
	var v struct {
		ID     any
		APIKey string `json:"api_key"`
	}
	switch name {
	case "user: create":
		if err := json.Unmarshal(body, &v); err != nil || !isUUID.MatchString(v.APIKey) {
			t.Fatalf("%s: no API key in %s", name, body)
		}
		names[memberKey] = v.APIKey
	case "project: create":
		if err := json.Unmarshal(body, &v); err != nil || !isUUID.MatchString(fmt.Sprint(v.ID)) {
			t.Fatalf("%s: no id in %s", name, body)
		}
		names[otherProject] = fmt.Sprint(v.ID)
	}
}

var (
	isUUID    = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	timestamp = regexp.MustCompile(`"(created_at|updated_at)": "\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.(\d{6})"`)
)

// mask replaces timestamps by their form: "whole" seconds or with "micros". Those of a GET are whole; a POST's
// created_at and a changing PUT's updated_at are not. One recorded or generated moment in a million is whole by chance;
// the test would then fail once.
func mask(body string) string {
	return timestamp.ReplaceAllStringFunc(body, func(s string) string {
		m := timestamp.FindStringSubmatch(s)
		form := "micros"
		if m[2] == "000000" {
			form = "whole"
		}
		return fmt.Sprintf(`"%s": "<%s>"`, m[1], form)
	})
}
