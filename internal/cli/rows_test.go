package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/wording"
)

// TestInvalidRows: what is no object in a listing is an error of every command that reads the listing, and names it.
func TestInvalidRows(t *testing.T) {
	t.Parallel()
	fleet := filepath.Join(t.TempDir(), "fleet.yml")
	if err := os.WriteFile(fleet, []byte("clouds: [{name: east}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for rows, want := range map[string]string{
		"null":                      "row 1 ... \"clouds\" ... null",
		`{"id": 1, "name": "a"}, 7`: "row 2 ... \"clouds\" ... number",
		`{"name": "a"}`:             "row 1 ... \"clouds\" ... no id",
	} {
		f := original(t, answers{"GET /clouds": page("clouds", rows, 100, "1"), "GET /hosts": page("hosts", "", 100, ""), "GET /regions": page("regions", "", 100, ""),
			"GET /cells": page("cells", "", 100, ""), "GET /projects": page("projects", "", 100, ""), "GET /users": page("users", "", 100, ""),
			"GET /clouds/1": failed(404, "Not Found"), "GET /clouds/east": failed(404, "Not Found"), "GET /network-devices": page("network_devices", "", 100, "")})
		for _, line := range []string{"cloud-list", "cloud-list --all", "--format json cloud-list", "cloud-show east", "apply " + fleet, "apply --check " + fleet} {
			got := f.run(t, strings.NewReader(""), split(line)...)
			if got.Exit != 1 || got.Stdout != "" || !wording.Has(got.Stderr, want) || !strings.Contains(got.Stderr, "GET /clouds") {
				t.Errorf("%s of %s: exit %d\n%s%s", line, rows, got.Exit, got.Stdout, got.Stderr)
			}
		}
	}
}

// TestRowsWithoutName: an object without a name is an error of list commands, and not shown as None.
func TestRowsWithoutName(t *testing.T) {
	t.Parallel()
	for _, row := range []string{`{"id": 3, "name": null}`, `{"id": 3}`, `{"id": 3, "name": 7}`} {
		f := original(t, answers{"GET /clouds": page("clouds", row, 100, "3")})
		for _, line := range []string{"cloud-list", "cloud-list --all", "--format json cloud-list", "cloud-list --fields id"} {
			got := f.run(t, strings.NewReader(""), split(line)...)
			if got.Exit != 1 || got.Stdout != "" || !wording.Has(got.Stderr, `GET /clouds: ... not a Craton v1 response: ... row 1 ... "clouds" ... id 3 ... no name`) {
				t.Errorf("%s of %s: exit %d\n%s%s", line, row, got.Exit, got.Stdout, got.Stderr)
			}
		}
	}
}

// TestNotFinite: a number that JSON does not have is told with the object and the variable that hold it.
func TestNotFinite(t *testing.T) {
	t.Parallel()
	for _, number := range []string{"NaN", "Infinity", "-Infinity"} {
		f := original(t, answers{"GET /clouds": page("clouds", `{"id": 1, "name": "west"}, {"id": 3, "name": "east", "variables": {"a": [1, `+number+`]}}`, 100, "3"),
			"GET /clouds/3": answer{200, `{"id": 3, "name": "east", "variables": {"a": [1, ` + number + `]}}`}})
		for line, want := range map[string]string{
			"cloud-list --detail": `its clouds[1].variables.a[1] is ` + number,
			"cloud-show 3":        `its variables.a[1] is ` + number,
		} {
			got := f.run(t, strings.NewReader(""), split(line)...)
			if got.Exit != 1 || got.Stdout != "" || !strings.Contains(got.Stderr, want) || !strings.Contains(got.Stderr, `(of the object with the id 3, "east")`) {
				t.Errorf("%s: exit %d\n%s%s", line, got.Exit, got.Stdout, got.Stderr)
			}
		}
	}
}
