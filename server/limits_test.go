package server_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/server"
	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// refused checks that a request is answered with 400 and a message that has all of some words.
func (f *fixture) refused(method, path, body string, words ...string) {
	f.t.Helper()
	r := f.call(f.root, method, path, body)
	for _, word := range words {
		if r.Status != 400 || !strings.Contains(r.message(), word) {
			f.t.Errorf("%s %.80s: %d %.300s; want 400 and %q", method, path, r.Status, r.Text, word)
		}
	}
	if r.Status == 500 || len(words) == 0 && r.Status != 400 {
		f.t.Errorf("%s %.80s: %d %.300s; want 400", method, path, r.Status, r.Text)
	}
}

// TestBodyLimits checks that bodies beyond the limits are refused with the
// limit, the size and the setting, whether or not their length is announced.
func TestBodyLimits(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.place("c", "r", "l")
	big := `{"name":"x","note":"` + strings.Repeat("x", 17<<20) + `"}`
	f.refused("POST", "/v1/clouds", big, "17825814 bytes", "at most 1048576", "max_body")
	exact := `{"v":"` + strings.Repeat("x", 1<<20-1000) + `"}`
	f.must(f.root, 200, "PUT", "/v1/clouds/1/variables", exact+strings.Repeat(" ", 1<<20-len(exact)))
	f.refused("PUT", "/v1/clouds/1/variables", exact+strings.Repeat(" ", 1<<20-len(exact)+1), "1048577 bytes")
	req, err := http.NewRequestWithContext(t.Context(), "PUT", f.url+"/v1/clouds/1/variables", io.MultiReader(strings.NewReader(exact), strings.NewReader(strings.Repeat(" ", 2000))))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	f.root.sign(req)
	if resp, body := do(t, req); resp.StatusCode != 400 || !strings.Contains(string(body), "more than 1048576 bytes") {
		t.Errorf("chunked: %d %s", resp.StatusCode, body)
	}
	req, _ = http.NewRequestWithContext(t.Context(), "PUT", f.url+"/v1/clouds/1/variables", io.MultiReader(strings.NewReader(exact)))
	req.Header.Set("Content-Type", "application/json")
	f.root.sign(req)
	if resp, body := do(t, req); resp.StatusCode != 200 {
		t.Errorf("chunked within the limit: %d %.200s", resp.StatusCode, body)
	}
	many := strings.Repeat("1,", 100_001)
	f.refused("PUT", "/v1/clouds/1/variables", `{"v":[`+many+`1]}`, "more than 100000 values")
	f.refused("POST", "/v1/clouds", `{"name":[`+strings.Repeat("[1],", 40_000)+`1]}`, "is not of type 'string'", "...")
	f.refused("POST", "/v1/clouds", `{"name":"x","note":"`+strings.Repeat("é", 33_000)+`"}`, "note", "66000 bytes", "65535")
	f.must(f.root, 200, "PUT", "/v1/clouds/1", `{"note":"`+strings.Repeat("x", 65535)+`"}`)
	var names []string
	for i := range 40_000 {
		names = append(names, fmt.Sprintf(`"k%d":1`, i))
	}
	f.refused("POST", "/v1/clouds", "{"+strings.Join(names, ",")+"}", "'k0', ", "and 39950 more")
	f.refused("PUT", "/v1/clouds/1/variables", "{"+strings.Join(names, ",")+"}", "40000 variables", "at most 10000")
	labels := `["` + strings.Join(strings.Split(strings.Repeat("x", 300), ""), `","`) + `"]`
	f.refused("PUT", "/v1/hosts/1/labels", `{"labels":`+labels+`}`, "300 labels", "at most 256")
	// The client came to read the answer each time; nothing is left behind.
	f.must(f.root, 200, "GET", "/v1/clouds/1/variables", "")
}

// TestVariablesLimits checks that the variables of one object stay within
// the limits, also where many small writes bring them, by every door.
func TestVariablesLimits(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.place("c", "r", "l")
	host := f.must(f.root, 201, "POST", "/v1/hosts", `{"name":"h","ip_address":"10.0.0.1","device_type":"s","cloud_id":1,"region_id":1}`).id(t)
	paths := []string{"/v1/clouds/1", "/v1/regions/1", "/v1/cells/1", "/v1/hosts/" + host, "/v1/projects/" + f.root.project}
	for _, path := range paths {
		put := func(key string, n int) reply {
			return f.call(f.root, "PUT", path+"/variables", `{"`+key+`":"`+strings.Repeat("x", n)+`"}`)
		}
		for i := range 2 {
			if r := put(fmt.Sprint("k", i), 500_000); r.Status != 200 {
				t.Fatalf("%s: %d %.200s", path, r.Status, r.Text)
			}
		}
		if r := put("k2", 100_000); r.Status != 400 || !strings.Contains(r.message(), "would take 1100012 bytes together, at most 1048576") || !strings.Contains(r.message(), "max_variables") {
			t.Errorf("%s: %d %.300s", path, r.Status, r.Text)
		}
		if r := put("k0", 400_000); r.Status != 200 { // a smaller value in place of a larger one
			t.Errorf("%s: %d %.200s", path, r.Status, r.Text)
		}
		set := f.must(f.root, 200, "GET", path+"/variables", "").JSON["variables"].(map[string]any)
		if len(set["k0"].(string)) != 400_000 || set["k2"] != nil {
			t.Errorf("%s: a refused write left something", path)
		}
	}
	// As stored: what is not ASCII takes six bytes.
	f.refused("POST", "/v1/clouds", `{"name":"e","variables":{"v":"`+strings.Repeat("é", 200_000)+`"}}`, "1200003 bytes")
	// As answers write it: one line for each value, indented.
	deep := strings.Repeat("[", 400) + strings.Repeat("1,", 40_000) + "1" + strings.Repeat("]", 400)
	f.refused("POST", "/v1/clouds", `{"name":"d","variables":{"v":`+deep+`}}`, "nested too deep")
	f.refused("PUT", "/v1/cells/1/variables", `{"v":`+deep+`}`, "nested too deep", `cell "l"`)
	// Keys.
	for i := range 3 {
		var b strings.Builder
		for n := range 4000 {
			fmt.Fprintf(&b, `"k%d-%d":0,`, i, n)
		}
		r := f.call(f.root, "PUT", "/v1/clouds/1/variables", "{"+b.String()+`"z":1}`)
		if want := 200 + i/2*200; r.Status != want {
			t.Errorf("%d keys: %d %.200s, want %d", (i+1)*4000, r.Status, r.Text, want)
		}
	}
	// Labels.
	for i := range 3 {
		var b strings.Builder
		for n := range 100 {
			fmt.Fprintf(&b, `"l%d-%d",`, i, n)
		}
		r := f.call(f.root, "PUT", "/v1/hosts/"+host+"/labels", `{"labels":[`+b.String()+`"z"]}`)
		if want := 200 + i/2*200; r.Status != want || want == 400 && !strings.Contains(r.message(), `host "h" would have 301 labels`) {
			t.Errorf("%d labels: %d %.200s, want %d", (i+1)*100, r.Status, r.Text, want)
		}
	}
}

// TestLimitsAreSettings checks that other limits hold.
func TestLimitsAreSettings(t *testing.T) {
	t.Parallel()
	f := newFixtureWith(t, server.Limits{Body: 3 << 20, Variables: 2 << 20})
	f.place("c", "r", "l")
	f.must(f.root, 200, "PUT", "/v1/clouds/1/variables", `{"v":"`+strings.Repeat("x", 2_000_000)+`"}`)
	f.refused("PUT", "/v1/clouds/1/variables", `{"w":"`+strings.Repeat("x", 200_000)+`"}`, "at most 2097152")
	f.refused("PUT", "/v1/clouds/1/variables", `{"w":"`+strings.Repeat("x", 4<<20)+`"}`, "at most 3145728")
}

// TestEmbeddedLimits checks that the file of one process cannot get what a server would not serve.
func TestEmbeddedLimits(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	h, err := f.server.Embedded(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]string{
		`{"name":"x","variables":{"v":"` + strings.Repeat("x", 1<<20) + `"}}`:        "max_body",
		`{"name":"x","variables":{"v":"` + strings.Repeat(`\u0001`, 174_000) + `"}}`: "",
		`{"name":"y","variables":{"v":"` + strings.Repeat("\x7f", 200_000) + `"}}`:   "max_variables",
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/v1/clouds", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		h.ServeHTTP(w, r)
		if want == "" && w.Code != 201 || want != "" && (w.Code != 400 || !strings.Contains(w.Body.String(), want)) {
			t.Errorf("%d %.300s, want %q", w.Code, w.Body, want)
		}
	}
}

// TestQueryLimits checks that no query makes the database refuse a statement: whatever is too much is 400 and says so.
func TestQueryLimits(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.place("c", "r", "l")
	f.must(f.root, 201, "POST", "/v1/hosts", `{"name":"h","ip_address":"10.0.0.1","device_type":"s","cloud_id":1,"region_id":1,"note":"n","variables":{"a":{"b":[[1]]}}}`)
	terms := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, ",k%d:1", i)
		}
		return b.String()[1:]
	}
	for _, list := range []string{"hosts", "clouds", "regions", "cells", "network-devices", "networks", "projects"} {
		f.must(f.root, 200, "GET", "/v1/"+list+"?vars="+terms(100), "")
		for _, n := range []int{101, 999, 3000} {
			f.refused("GET", "/v1/"+list+"?vars="+terms(n), "", "more than 100 terms")
		}
		f.refused("GET", "/v1/"+list+"?vars="+terms(20_000), "", "The URL has", "at most 32768")
	}
	long := strings.Repeat("9", 30_000)
	for _, tc := range []struct {
		query string
		want  int
	}{
		{"hosts?vars=a" + strings.Repeat(".b", 15_000) + ":1", 200},
		{"hosts?vars=a" + strings.Repeat("[0]", 10_000) + ":1", 200},
		{"hosts?vars=a" + strings.Repeat(".*", 10_000) + ":1", 200},
		{"hosts?vars=a:" + strings.Repeat("[", 15_000) + strings.Repeat("]", 15_000), 400},
		{"hosts?vars=a:" + strings.Repeat(`{"b":`, 500) + "1" + strings.Repeat("}", 500), 200},
		{"hosts?vars=a:" + strings.Repeat(`{"b":`, 600) + "1" + strings.Repeat("}", 600), 400},
		{"hosts?vars=" + strings.Repeat("a:1,", 7000) + "a:1", 200}, // the last of one path counts
		{"hosts?sort_keys=" + strings.Repeat("name,", 6000) + "name", 200},
		{"hosts?sort_keys=" + strings.Repeat("note,", 6000) + "note&marker=1", 200},
		{"hosts?sort_keys=" + strings.Repeat("note,active,cell_id,parent_id,", 1000) + "id&marker=1&sort_dir=desc", 200},
		{"devices?sort_keys=" + strings.Repeat("note,", 6000) + "note&marker=1", 200},
		{"projects?name=" + strings.Repeat("%25", 10_000), 200},
		{"projects?name=" + strings.Repeat("%25a", 8_000), 200},
		{"hosts?name=" + strings.Repeat("x", 32_000), 200},
		{"hosts?label=" + strings.Repeat("x", 32_000), 200},
		{"hosts?" + strings.Repeat("label=x&", 4000), 200},
		{"hosts?id=" + long, 200}, {"hosts?region_id=-" + long, 200}, {"cells?region_id=" + long, 200},
		{"hosts?limit=" + long, 400}, {"hosts?limit=-" + long, 400}, {"hosts?marker=" + long, 400},
		{"projects?marker=" + long, 400}, {"devices?parent_id=" + long + "&descendants=true", 404},
		{"hosts/" + long, 404}, {"projects/" + long, 404}, {"hosts/" + long + "/variables", 404},
		{"hosts?name=" + strings.Repeat("x", 33_000), 400}, {"hosts/" + strings.Repeat("1", 33_000), 400},
		{"hosts?" + strings.Repeat("a", 31_000), 400},
	} {
		if r := f.call(f.root, "GET", "/v1/"+tc.query, ""); r.Status != tc.want {
			t.Errorf("%.90s...: %d %.200s, want %d", tc.query, r.Status, r.Text, tc.want)
		}
	}
}

// TestDeepChains checks that a chain of parents of any length is read.
func TestDeepChains(t *testing.T) {
	enginetest.Only(t, enginetest.SQLite, enginetest.Postgres) // long
	t.Parallel()
	f := newFixture(t)
	f.place("c", "r", "l")
	f.must(f.root, 200, "PUT", "/v1/clouds/1/variables", `{"cloud":true,"level":"cloud"}`)
	parent := "null"
	const depth = 1200
	for i := range depth {
		more := ""
		if parent != "null" {
			more = `,"parent_id":` + parent
		}
		parent = f.must(f.root, 201, "POST", "/v1/hosts", fmt.Sprintf(`{"name":"h%d","ip_address":"10.0.0.1","device_type":"s","cloud_id":1,"region_id":1,"variables":{"level":%d,"at%d":1}%s}`, i, i, i, more)).id(t)
	}
	r := f.must(f.root, 200, "GET", "/v1/hosts/"+parent+"/variables", "").JSON["variables"].(map[string]any)
	if len(r) != depth+2 || fmt.Sprint(r["level"]) != fmt.Sprint(depth-1) || r["cloud"] != true || r["at0"] == nil {
		t.Errorf("%d variables, level %v", len(r), r["level"])
	}
	last := f.must(f.root, 200, "GET", "/v1/hosts?details=true&sort_dir=desc&limit=10", "").objects(t, "hosts")
	for i, h := range last {
		if n := len(h["variables"].(map[string]any)); n != depth-i+2 {
			t.Errorf("host %d from the end has %d variables, want %d", i, n, depth-i+2)
		}
	}
}
