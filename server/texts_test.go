package server_test

import (
	"strings"
	"testing"

	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// TestTexts: one rule for texts and numbers, at every field of every kind that a POST or PUT takes.
func TestTexts(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.fleet()
	posts := map[string]string{ // in each a name or the like, and what else may hold text
		"/v1/clouds":             `{"name":"NAME","note":"NOTE"}`,
		"/v1/regions":            `{"name":"NAME","note":"NOTE","cloud_id":1}`,
		"/v1/cells":              `{"name":"NAME","note":"NOTE","cloud_id":1,"region_id":1}`,
		"/v1/hosts":              `{"name":"NAME","note":"NOTE","device_type":"NAME","ip_address":"10.0.0.9","labels":["NAME"],"cloud_id":1,"region_id":1}`,
		"/v1/network-devices":    `{"name":"NAME","device_type":"NAME","ip_address":"10.0.0.9","cloud_id":1,"region_id":1,"model_name":"WORD","os_version":"WORD","vlans":"WORD"}`,
		"/v1/networks":           `{"name":"NAME","cidr":"NAME","gateway":"NAME","netmask":"NAME","cloud_id":1,"region_id":1,"ip_block_type":"WORD","nss":"WORD"}`,
		"/v1/network-interfaces": `{"name":"NAME","interface_type":"NAME","device_id":1,"ip_address":"10.0.0.9","cdp":"WORD","duplex":"WORD","link":"WORD","security":"WORD","vlan":"WORD"}`,
		"/v1/projects":           `{"name":"NAME"}`,
		"/v1/users":              `{"username":"NAME","project_id":"` + f.root.project + `","api_key":"WORD"}`,
	}
	puts := map[string]string{
		"/v1/clouds/1":             `{"name":"NAME","note":"NOTE"}`,
		"/v1/regions/1":            `{"name":"NAME","note":"NOTE"}`,
		"/v1/cells/1":              `{"name":"NAME","note":"NOTE"}`,
		"/v1/hosts/2":              `{"name":"NAME","note":"NOTE","device_type":"NAME"}`,
		"/v1/network-devices/1":    `{"name":"NAME","device_type":"NAME","model_name":"WORD","os_version":"WORD","vlans":"WORD"}`,
		"/v1/networks/1":           `{"name":"NAME","cidr":"NAME","gateway":"NAME","netmask":"NAME","ip_block_type":"WORD","nss":"WORD"}`,
		"/v1/network-interfaces/1": `{"name":"NAME","interface_type":"NAME","cdp":"WORD","duplex":"WORD","link":"WORD","security":"WORD","vlan":"WORD"}`,
		"/v1/hosts/2/labels":       `{"labels":["good","NAME"]}`,
		"/v1/hosts/2/variables":    `{"NAME":1}`,
	}
	const nul, half, zero, turned, control, empty = `a\u0000b`, `a\ud800b`, `a\u200bb`, `a\u202eb`, `a\u0007b`, ``
	why := map[string]string{
		nul: "contains a NUL character", half: "is not UTF-8, or contains half a surrogate pair", zero: "contains the character U+200B", turned: "contains the character U+202E",
		control: "contains a control character", empty: "is empty; give a value",
	}
	refused := map[string][]string{"NAME": {nul, half, zero, turned, control, empty}, "WORD": {nul, half, zero, turned, control}, "NOTE": {nul, half}}
	for method, bodies := range map[string]map[string]string{"POST": posts, "PUT": puts} {
		for path, body := range bodies {
			for what, texts := range refused {
				parts := strings.Split(body, what)
				for i := range len(parts) - 1 { // each field by itself
					fill := strings.NewReplacer("NAME", "fine", "WORD", "fine", "NOTE", "fine")
					before, after := fill.Replace(strings.Join(parts[:i+1], what)), fill.Replace(strings.Join(parts[i+1:], what))
					field := before[strings.LastIndexByte(before[:len(before)-1], '"')+1:] // " of the value that follows
					for _, text := range texts {
						want := why[text]
						if strings.HasSuffix(path, "variables") && text == empty {
							want = "'' does not match any of the regexes: '^.+'"
						}
						r := f.call(f.root, method, path, before+text+after)
						if r.Status != 400 || !strings.HasPrefix(r.message(), errorsHead) || !strings.Contains(r.message(), want) {
							t.Errorf("%s %s %s: %d %s, want 400 %s of %q", method, path, before+text+after, r.Status, r.Text, want, field)
						}
					}
				}
			}
		}
	}
	// Notes have lines, and anything else that can be shown escaped.
	const form = `is "Zu\u0308rich", not in Unicode's composed form (NFC), unlike "Z\u00fcrich", which looks the same; use that form`
	for request, body := range map[string]string{
		"POST /v1/clouds": `{"name":"Zu\u0308rich"}`, "PUT /v1/hosts/1/variables": `{"Zu\u0308rich":1}`, "PUT /v1/hosts/1/labels": `{"labels":["Zu\u0308rich"]}`,
		"POST /v1/regions": `{"name":"zrh","cloud_id":1,"variables":{"Zu\u0308rich":1}}`,
	} {
		method, path, _ := strings.Cut(request, " ")
		if got := f.call(f.root, method, path, body); got.Status != 400 || !strings.Contains(got.message(), form) {
			t.Errorf("%s: %d %s", request, got.Status, got.Text)
		}
	}
	f.must(f.root, 201, "POST", "/v1/clouds", `{"name":"Zürich ☁ 東京","note":"one\ntwo\u202e\u200b"}`)
	f.must(f.root, 200, "PUT", "/v1/network-devices/1", `{"model_name":"","os_version":"","vlans":""}`)
}

// TestVariablesThatNoProgramKeeps: what a variable holds is refused by its place, wherever variables are written.
func TestVariablesThatNoProgramKeeps(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.fleet()
	for value, want := range map[string]string{
		`"a\u0000"`:                "the variable x contains a NUL character",
		`{"a":["b","c\u0000"]}`:    "the variable x.a[1] contains a NUL character",
		`{"a":[{"c\u0000":1}]}`:    `the variable x.a[0]."c\x00" contains a NUL character`,
		`["\udc00"]`:               "the variable x[0] is not UTF-8, or contains half a surrogate pair",
		`{"\ud800":1}`:             `the variable x."\xed\xa0\x80" is not UTF-8`,
		`1e400`:                    "the variable x is 1e400, which is too large",
		`[[-1E+400]]`:              "the variable x[0][0] is -1E+400, which is too large",
		`{"a.b":{"c":1e-400}}`:     `the variable x."a.b".c is 1e-400, which is too close to zero`,
		`0.` + zeros(400) + `1`:    "which is too close to zero",
		`1` + zeros(400) + `.0`:    "which is too large",
		`-1e99999999999999999999`:  "which is too large",
		`1e-99999999999999999999`:  "which is too close to zero",
		`[1` + zeros(4300) + `]`:   "an integer with 4301 digits: Python, and therefore Ansible, reads at most 4300; write it in quotes",
		`{"a":[1,NaN]}`:            "The body cannot be stored: NaN and Infinity are not JSON values (PATHx.a[1]).",
		`{"a":{"b":[-Infinity]}}`:  "The body cannot be stored: NaN and Infinity are not JSON values (PATHx.a.b[0]).",
		`{"a":{"b c":[Infinity]}}`: `The body cannot be stored: NaN and Infinity are not JSON values (PATHx.a."b c"[0]).`,
	} {
		r := f.call(f.root, "PUT", "/v1/hosts/2/variables", `{"ok":1,"x":`+value+`}`)
		if want := strings.Replace(want, "PATH", "", 1); r.Status != 400 || !strings.Contains(r.message(), want) {
			t.Errorf("PUT %.60s: %d %s, want %s", value, r.Status, r.Text, want)
		}
		r = f.call(f.root, "POST", "/v1/clouds", `{"name":"c2","variables":{"ok":1,"x":`+value+`}}`)
		if want := strings.Replace(want, "PATH", "variables.", 1); r.Status != 400 || !strings.Contains(r.message(), want) {
			t.Errorf("POST %.60s: %d %s, want %s", value, r.Status, r.Text, want)
		}
	}
	for _, value := range []string{`0e999`, `-0.0e-999`, `1e308`, `5e-324`, `0.1234567890123456789012345`, `1` + zeros(400), `-1` + zeros(4299), `"\u202e\n"`, `{"":{" ":1}}`, `1.7976931348623157e308`} {
		f.must(f.root, 200, "PUT", "/v1/hosts/2/variables", `{"x":`+value+`}`)
	}
}

func zeros(n int) string { return strings.Repeat("0", n) }

// TestOldTextsCanBeFixed: what older releases stored, or a restored file brought, can be read, updated and taken away.
func TestOldTextsCanBeFixed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.fleet()
	const bad = "b\u200bad"
	exec := func(query string, args ...any) {
		t.Helper()
		enginetest.Exec(t, f.database, query, args...)
	}
	f.must(f.root, 200, "PUT", "/v1/hosts/2/labels", `{"labels":["l1","l2","good"]}`)
	f.must(f.root, 200, "PUT", "/v1/hosts/2/variables", `{"v1":1,"v2":1}`)
	exec("UPDATE devices SET name = ?, device_type = '' WHERE id = 2", bad)
	exec("UPDATE labels SET label = '' WHERE label = 'l1'")
	exec("UPDATE labels SET label = ? WHERE label = 'l2'", bad)
	exec("UPDATE variables SET key = ?, value = '1e400' WHERE key = 'v1'", bad)
	exec(`UPDATE variables SET key = 'ok', value = '"\u0000"' WHERE key = 'v2'`)
	quoted := `"b\u200bad"`
	if got := f.must(f.root, 200, "GET", "/v1/hosts/2", "").Text; !strings.Contains(got, `"name": `+quoted) || !strings.Contains(got, quoted+`: 1e400`) {
		t.Errorf("%s", got)
	}
	f.must(f.root, 200, "GET", "/v1/hosts?details=true", "")
	f.must(f.root, 200, "PUT", "/v1/hosts/2", `{"note":"its name will be mended"}`)
	f.must(f.root, 200, "PUT", "/v1/hosts/2/variables", `{"other":1}`)
	f.must(f.root, 200, "PUT", "/v1/hosts/2/labels", `{"labels":["more"]}`)
	f.must(f.root, 204, "DELETE", "/v1/hosts/2/labels", `{"labels":["",`+quoted+`]}`)
	f.must(f.root, 204, "DELETE", "/v1/hosts/2/variables", `[`+quoted+`,"ok"]`)
	f.must(f.root, 200, "PUT", "/v1/hosts/2", `{"name":"good","device_type":"server"}`)
	if got := f.must(f.root, 200, "GET", "/v1/hosts/2/labels", "").Text; strings.Contains(got, "200b") || strings.Contains(got, `""`) {
		t.Errorf("%s", got)
	}
	if got := f.must(f.root, 200, "GET", "/v1/hosts/2/variables?resolved-values=false", "").Text; strings.Contains(got, "200b") || strings.Contains(got, "u0000") {
		t.Errorf("%s", got)
	}
	exec("UPDATE devices SET name = ? WHERE id = 2", bad)
	f.must(f.root, 204, "DELETE", "/v1/hosts/2", "")
}
