package modules

import (
	"database/sql"
	"path/filepath"
	"testing"
)

// TestTextsAndNumbers: what may not be a name, a text or a number is refused by every module, in check mode too, with
// the argument and the place in it.
func TestTextsAndNumbers(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.place(t)
	for _, l := range lives {
		name := "craton_" + l.name
		for text, why := range map[string]string{"a\u200bb": "name contains the character U+200B", "a\u202eb": "name contains the character U+202E", "a\tb": "name contains a control character", "a\x00": "name contains a NUL character", "cafe\u0301": `name is "cafe\u0301", not in Unicode's composed form (NFC), unlike "caf\u00e9", which looks the same; use that form`} {
			a.Fails(t, name, l.create.With(args{"name": text}), why)
		}
	}
	web := args{"name": "web9", "region": "dfw", "ip_address": "10.0.0.9", "device_type": "server"}
	for why, bad := range map[string]args{
		"device_type contains the character U+FEFF":            {"device_type": "\ufeffserver"},
		"device_type is empty":                                 {"device_type": ""},
		"labels: one is empty":                                 {"labels": []string{"a", ""}},
		`labels: "a\u2066" contains the character U+2066`:      {"labels": []string{"a\u2066"}},
		`the label is "e\u0301", not in Unicode's composed`:    {"labels": []string{"e\u0301"}},
		`the variable is "e\u0301", not in Unicode's composed`: {"variables": map[string]any{"e\u0301": 1}},
		"note contains a NUL character":                        {"note": "a\x00"},
		"variables.a[1] contains a NUL character":              {"variables": map[string]any{"a": []any{1, "\x00"}}},
		`variables."a\u200b" contains the character U+200B`:    {"variables": map[string]any{"a\u200b": 1}},
		`variables.a."\x00" contains a NUL character`:          {"variables": map[string]any{"a": map[string]any{"\x00": 1}}},
		"variables.a.b is 1e400, which is too large":           {"variables": `{"a": {"b": 1e400}}`},
		"variables.a is -1E-400, which is too close":           {"variables": `{"a": -1E-400}`},
	} {
		a.Fails(t, "craton_host", web.With(bad), why)
	}
	a.Fails(t, "craton_network", args{"name": "n", "region": "dfw", "cidr": "10.1.0.0/16", "gateway": "10.1.0.1", "netmask": "255.255.0.0\u200b"}, "netmask contains the character U+200B")
	a.Fails(t, "craton_network", args{"name": "n", "region": "dfw", "cidr": "10.1.0.0/16\x00", "gateway": "10.1.0.1", "netmask": "255.255.0.0"}, "cidr contains a NUL character")
	a.Fails(t, "craton_variables", args{"kind": "region", "name": "dfw", "variables": map[string]any{"e\u0301": 1}}, `the variable is "e\u0301", not in Unicode's composed`)
	a.Fails(t, "craton_variables", args{"kind": "region", "name": "dfw", "variables": `{"x": [1, {"y": 1e999}]}`}, "variables.x[1].y is 1e999")
	a.Fails(t, "craton_fleet", args{"fleet": `{"project": {"variables": {"x": [1e400]}}}`}, "project.variables.x[0]", "is 1e400, which is too large")
	a.Fails(t, "craton_user", args{"name": "u\u200b"}, "name contains the character U+200B")
	a.Fails(t, "craton_project", args{"name": "p\u200b"}, "name contains the character U+200B")
	a.OK(t, true, "craton_host", web.With(args{"note": "one\n\ttwo\u200b", "variables": map[string]any{"t": "\u202e", "big": "1e400"}}))
}

// TestBadNamesCanBeFixed: what is there already can be updated, renamed and deleted.
func TestBadNamesCanBeFixed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, done := openAPI(t, dir)
	t.Cleanup(done)
	a.place(t)
	const bad = "w\u200beb"
	web := args{"name": "web", "region": "dfw", "ip_address": "10.0.0.9", "device_type": "server", "labels": []string{"l"}, "variables": map[string]any{"v": 1, "ok": 1}}
	id := a.OK(t, true, "craton_host", web).Dict("host")["id"]
	db, err := sql.Open("sqlite", filepath.Join(dir, "fleet.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	spoil := func() {
		t.Helper()
		for _, query := range []string{
			"UPDATE devices SET name = '" + bad + "' WHERE name = 'web'", "UPDATE labels SET label = '" + bad + "' WHERE label = 'l'",
			"UPDATE variables SET key = '" + bad + "', value = '1e400' WHERE key = 'v'",
		} {
			if _, err := db.ExecContext(t.Context(), query); err != nil {
				t.Fatal(err)
			}
		}
	}
	spoil()
	a.OK(t, true, "craton_host", args{"name": bad, "region": "dfw", "note": "its name will be mended"})
	a.OK(t, true, "craton_variables", args{"kind": "host", "name": bad, "region": "dfw", "remove": []string{bad}})
	a.OK(t, true, "craton_host", args{"id": id, "name": "web", "labels": []string{"l"}, "labels_mode": "exact"})
	a.OK(t, false, "craton_host", args{"id": id, "name": "web", "labels": []string{"l"}, "labels_mode": "exact"})
	spoil()
	a.OK(t, true, "craton_host", args{"name": bad, "region": "dfw", "state": "absent"})
}
