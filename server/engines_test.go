package server_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"

	"github.com/craton-fleet/craton/server"
	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// twins are a server on SQLite and one on another database, which are asked the same.
type twins struct {
	*testing.T
	each [2]*fixture
}

func newTwins(t *testing.T) *twins {
	t.Helper()
	enginetest.Only(t, enginetest.Postgres, enginetest.Bouncer)
	return &twins{t, [2]*fixture{
		newFixtureOn(t, enginetest.DatabaseOn(t, enginetest.SQLite), server.Limits{}),
		newFixtureOn(t, enginetest.Database(t), server.Limits{}),
	}}
}

var whenever = regexp.MustCompile(`"(created_at|updated_at)": "[^"]*"`)

// ask asks both, compares the answers, and returns that of SQLite.
func (w *twins) ask(method, path, body string) reply {
	w.Helper()
	var replies [2]reply
	var texts [2]string
	for i, f := range w.each {
		place := strings.NewReplacer("PROJECT", f.root.project)
		replies[i] = f.call(f.root, method, place.Replace(path), place.Replace(body))
		text := strings.NewReplacer(f.url, "URL", f.root.project, "PROJECT", url.QueryEscape(f.url), "URL").Replace(replies[i].Text)
		texts[i] = fmt.Sprint(replies[i].Status, " ", whenever.ReplaceAllString(text, `"$1": "..."`))
	}
	if d := cmp.Diff(texts[0], texts[1]); d != "" {
		w.Errorf("%s %s %.2000s (-SQLite +%s):\n%s", method, path, body, enginetest.Now(), d)
	}
	return replies[0]
}

// pick is one of some.
func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

// Texts and values that databases compare, fold, sort and read in ways of their own.
var (
	hostileTexts = []string{
		"a", "A", "b", "B", "Z", "z", "ä", "Ä", "a\u0308", "ß", "ss", "SS", "ſ", "ﬀ", "İ", "I", "i", "ı", "é", "e\u0301", "Ω", "Ω", "日本", "😀", "\uffee", "\U0010fffd",
		"0", "1", "01", "1.0", "1e0", "9", "10", "100", "-1", "-", "_", "%", "a%", "a_", `\`, `a\`, `\\`, "'", "''", `"`, "a b", "a-b", "a.b", "a/b", "null", "NULL", "true", "?", "$1", ":x", "{}", "[]",
		strings.Repeat("x", 255), strings.Repeat("é", 255), strings.Repeat("😀", 255),
	}
	hostileValues = []string{
		"0", "-0", "0.0", "1", "1.0", "1e0", "10e-1", "1.00000000000000000001", "-1", "2", "10", "0.1", "1e300", "-1e300", "1e-300", "9007199254740993", "9007199254740992", "18446744073709551616", "123456789012345678901234567890.5",
		`""`, `"1"`, `"1.0"`, `"a"`, `"A"`, `"ä"`, `"a\u0308"`, `"\u00e4"`, `"😀"`, `"\ud83d\ude00"`, `"a\/b"`, `"true"`, `"null"`, `"%"`, `"\\"`, `"\""`, `"\n"`,
		"true", "false", "null", "[]", "{}", "[1]", "[1.0]", `["1"]`, "[[1]]", "[null]", `[1,"a",true]`, `[{"x":1},{"x":2}]`, `{"x":1}`, `{"x":1.0}`, `{"x":"1"}`, `{"x":null}`, `{"x":{"y":[1,{"z":2}]}}`, `{"":1}`, `{"x.y":1}`, `{"X":1}`, `{"x":[]}`,
		`{"ä":"ä"}`, `[` + strings.Repeat("7,", 3000) + `8]`, `"` + strings.Repeat("long ", 20_000) + `"`,
	}
	frequentValues = []string{"1", "1.0", `"1"`, "true", "null", `"a"`, "{}", "[]", `{"x":1}`, "[1]", "[[1]]", `{"x":{"y":[1,{"z":2}]}}`, `[{"x":1},{"x":2}]`, "2", `"ä"`}
	hostileKeys    = []string{"a", "A", "ä", "x", "x-y", "x.y", "1", "with blank", "%", "_", `q"uote`, "null", strings.Repeat("k", 200)}
	hostilePaths   = []string{"", "", "", "", "", "", "", "", "", "", "", ".x", ".x", ".X", ".*", ".x.y", ".*.*", "[0]", "[1]", "[*]", ".x[*]", "[*].x", ".x.y[1].z", `."x.y"`, `.""`, `."ä"`, "[-1]", "[99999999999999999999]", ".x[0:1]", "..x"}
)

// hostile makes both a fleet of everything that databases might take in different ways, and returns its names.
func (w *twins) hostile(r *rand.Rand, hosts int) (names []string) {
	w.Helper()
	text := func(s string) string {
		t, err := json.Marshal(s)
		if err != nil {
			w.Fatal(err)
		}
		return string(t)
	}
	variables := func() string {
		var all []string
		for _, key := range hostileKeys {
			if r.IntN(3) == 0 {
				all = append(all, text(key)+":"+pick(r, pick(r, [][]string{hostileValues, frequentValues})))
			}
		}
		return "{" + strings.Join(all, ",") + "}"
	}
	maybe := func(name, value string) string {
		if r.IntN(2) == 0 {
			return ""
		}
		return `,"` + name + `":` + value
	}
	some := func() string { return text(pick(r, hostileTexts)) }
	number := func() string { return fmt.Sprint(1 + r.IntN(3)) }
	name := func() string { // an id is taken by what is refused, too, on one of the two
		for n := norm.NFC.String(pick(r, hostileTexts)); ; n += fmt.Sprint(r.IntN(10)) { // other forms are refused
			if n = string([]rune(n)[max(0, len([]rune(n))-255):]); !slices.Contains(names, n) {
				names = append(names, n)
				return text(n)
			}
		}
	}
	post := func(path, body string) string {
		w.Helper()
		made := w.ask("POST", path, body)
		if made.Status != 201 {
			w.Fatalf("POST %s %s: %d %s", path, body, made.Status, made.Text)
		}
		return made.id(w)
	}
	for n := range 3 {
		post("/v1/clouds", `{"name":`+name()+maybe("note", some())+`,"variables":`+variables()+`}`)
		post("/v1/regions", `{"name":`+name()+`,"cloud_id":1`+maybe("note", some())+`,"variables":`+variables()+`}`)
		at := fmt.Sprintf(`"cloud_id":1,"region_id":%d`, n+1)
		post("/v1/cells", `{"name":`+name()+`,`+at+maybe("note", some())+`,"variables":`+variables()+`}`)
		post("/v1/networks", `{"name":`+name()+`,"cidr":"10.0.0.0/8","gateway":"10.0.0.1","netmask":`+some()+`,`+at+maybe("cell_id", fmt.Sprint(n+1))+`,"variables":`+variables()+`}`)
	}
	w.ask("PUT", "/v1/projects/PROJECT/variables", variables())
	for n := range hosts {
		region := number()
		body := `{"name":` + name() + `,"ip_address":"` + pick(r, []string{"10.0.0.1", "10.0.0.2", "9.0.0.1", "::1", "::ffff:1.2.3.4", "2001:db8::a", "2001:DB8::A"}) +
			`","device_type":` + some() + `,"cloud_id":1,"region_id":` + region + maybe("cell_id", region) + maybe("active", pick(r, []string{"true", "false"})) + `,"variables":` + variables()
		if n > 0 {
			body += maybe("parent_id", fmt.Sprint(1+r.IntN(n)))
		}
		if r.IntN(3) == 0 {
			post("/v1/network-devices", body+maybe("vlans", some())+`}`)
		} else if id := post("/v1/hosts", body+maybe("note", some())+`}`); r.IntN(2) == 0 {
			w.ask("PUT", "/v1/hosts/"+id+"/labels", `{"labels":[`+some()+`,`+some()+`]}`)
		}
		if r.IntN(4) == 0 {
			post("/v1/network-interfaces", `{"name":`+name()+`,"interface_type":`+some()+`,"ip_address":"10.0.0.9","device_id":`+fmt.Sprint(1+r.IntN(n+1))+maybe("port", number())+maybe("speed", number())+maybe("vlan_id", number())+`}`)
		}
	}
	for _, f := range w.each { // they were not made in the same seconds
		for _, table := range []string{"clouds", "regions", "cells", "networks", "devices", "network_interfaces"} {
			enginetest.Exec(w, f.database, "UPDATE "+table+" SET created_at = 1500000000 + id / 7, updated_at = CASE WHEN id % 3 = 0 THEN NULL ELSE 1500000000 + id % 5 END")
		}
		enginetest.Exec(w, f.database, "UPDATE labels SET created_at = 1500000000 + device_id / 7")
	}
	return names
}

// TestEnginesAgree: the same fleet and the same questions have the same answers on both engines, byte for byte: sorts,
// filters, pages, and vars filters of every kind of path and value.
func TestEnginesAgree(t *testing.T) {
	t.Parallel()
	w := newTwins(t)
	seed := rand.Uint64()
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	names := w.hostile(r, 80)
	columns := []string{"id", "name", "note", "created_at", "updated_at", "project_id", "name", "id", "created_at", "updated_at", "cloud_id", "region_id", "cell_id", "parent_id", "ip_address", "device_type", "active", "hostname",
		"cidr", "gateway", "netmask", "ip_block_type", "nss", "interface_type", "device_id", "vlan_id", "vlan", "port", "speed", "link", "username", "is_admin", "type", "bogus"}
	found := map[string]int{}
	for range 400 {
		kind := pick(r, []string{"clouds", "regions", "cells", "hosts", "hosts", "hosts", "network-devices", "network-devices", "networks", "network-interfaces", "projects", "users", "devices"})
		q := url.Values{"limit": {fmt.Sprint(10 + r.IntN(20))}}
		what := "all"
		if r.IntN(2) == 0 {
			what = "sorted"
			var keys []string
			for range 1 + r.IntN(3) {
				keys = append(keys, columns[r.IntN(min(len(columns), 8+r.IntN(40)))])
			}
			q.Set("sort_keys", strings.Join(keys, ","))
		}
		if r.IntN(3) == 0 {
			q.Set("sort_dir", pick(r, []string{"asc", "desc"}))
		}
		filter := func(one int, name, value string) {
			if r.IntN(one) == 0 {
				q.Set(name, value)
				what = name
			}
		}
		filter(8, "name", pick(r, names))
		filter(8, "device_type", pick(r, hostileTexts))
		filter(8, "label", pick(r, hostileTexts))
		filter(8, "region_id", pick(r, []string{"1", "2", "3", "4", "0", "-1", "99999999999999999999", "x"}))
		filter(10, "ip_address", pick(r, []string{"10.0.0.1", "::1", "2001:db8::a", "2001:DB8::A", "1.2.3.4"}))
		filter(3, "resolved-values", pick(r, []string{"true", "false"}))
		if r.IntN(2) == 0 && kind != "users" && kind != "devices" && kind != "network-interfaces" {
			if what = "vars"; r.IntN(4) > 0 {
				q = url.Values{"limit": q["limit"], "resolved-values": {pick(r, []string{"true", "false"})}}
			}
			var terms []string
			for range 1 + r.IntN(5)/4 {
				key, _ := json.Marshal(pick(r, hostileKeys))
				terms = append(terms, string(key)+pick(r, hostilePaths)+":"+pick(r, pick(r, [][]string{hostileValues, frequentValues})))
			}
			q.Set("vars", strings.Join(terms, ","))
		}
		page := w.ask("GET", "/v1/"+kind+"?"+q.Encode(), "")
		objects, _ := page.JSON[strings.ReplaceAll(kind, "-", "_")].([]any)
		if page.Status == 200 && len(objects) > 0 {
			found[what]++
		}
		for n := 0; n < 20 && page.Status == 200 && page.link("next") != ""; n++ {
			next, err := url.Parse(page.link("next"))
			if err != nil || next.RawQuery == q.Encode() {
				break
			}
			if page = w.ask("GET", next.Path+"?"+strings.ReplaceAll(next.RawQuery, w.each[0].root.project, "PROJECT"), ""); page.link("next") == "" || len(page.Text) < 600 {
				break
			}
		}
	}
	for id := range 20 {
		w.ask("GET", fmt.Sprintf("/v1/hosts/%d?resolved-values=true", id+1), "")
		w.ask("GET", fmt.Sprintf("/v1/hosts/%d/variables", id+1), "")
	}
	t.Log("found something:", found)
	for _, what := range []string{"all", "sorted", "vars"} {
		if found[what] == 0 {
			t.Errorf("nothing was ever found by %s", what)
		}
	}
}
