package cli_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/wording"
)

// TestIotronicBoardLife: a board from its registration to its end.
func TestIotronicBoardLife(t *testing.T) {
	t.Parallel()
	s, a := town(t)
	a.token = iotronictest.Manager.Token
	const place = " --latitude 38.1 --longitude 15.5 --altitude 10"
	made := a.must(t, "board-create --name pi-02 --code c-17 --type raspberry --mobile --fleet roofs -e rack=b8 -e 'nics=[1, 2]' -e serial=0123"+place)
	for _, want := range []string{
		"| name         | pi-02 ", "| code         | c-17 ", "| mobile       | True ", "| fleet        | 00000001-0000-4000-8000-000000000001 ",
		"| extra        | {'nics': [1, 2], 'rack': 'b8', 'serial': '0123'} ", "| location     | [{'altitude': '10', 'latitude': '38.1', 'longitude': '15.5',", "| status       | registered ",
	} {
		if !strings.Contains(made, want) {
			t.Errorf("no %q in\n%s", want, made)
		}
	}
	whole := a.run(t, `{"name": "pi-09", "code": "c-99", "fleet": "roofs", "extra": {"a": 1}, "location": [{"latitude": "38.1", "longitude": "15.5", "altitude": "10"}]}`,
		"--format json board-create --json - -e b=2")
	for _, want := range []string{`"name": "pi-09"`, `"fleet": "00000001-0000-4000-8000-000000000001"`, `"latitude": "38.1"`, `"a": 1`, `"b": 2`} {
		if !strings.Contains(whole.Stdout, want) {
			t.Errorf("from standard input: no %s in %s%s", want, whole.Stdout, whole.Stderr)
		}
	}
	a.must(t, "board-delete pi-09")
	for line, want := range map[string]string{
		"board-create --name pi-03 --code c-17" + place:                                              "POST /v1/boards: 409 Conflict: A board with code c-17 already exists.",
		"board-create --name Pi_03 --code c-18" + place:                                              "POST /v1/boards: 400 Bad Request: Cannot create board with invalid name Pi_03",
		"board-create --name pi-03 --code c-18 --fleet rofs" + place:                                 `no fleet ... "rofs" ... "roofs"`,
		"board-create --name pi-03 --json '{}'":                                                      "board ... --code, --latitude, --longitude, --altitude",
		`board-create --json '{"name": "pi-03", "code": "c-18", "location": [{}], "fleet": "rofs"}'`: `no fleet ... "rofs" ... "roofs"`,
		"board-create --name pi-03 --code c-18 -e rack" + place:                                      `argument -e/--extra: "rack" is not key=value`,
		"board-update pi-2 name=x":                                                                   `PATCH /v1/boards/pi-2: 404 Not Found: Board pi-2 could not be found ... "pi-02"`,
		"board-update pi-02 fleet=rofs":                                                              `no fleet ... "rofs" ... "roofs"`,
		"board-update pi-02 uuid=x":                                                                  "PATCH /v1/boards/pi-02: 400 Bad Request: Cannot change the uuid of an existing Board.",
		"board-update pi-02 'rack'":                                                                  `"rack" ... path=value ... rack=`,
		"board-update pi-02 name=x /name=y":                                                          "name is changed twice",
		"board-update pi-02 =x":                                                                      `"=x" has no path`,
		"board-update pi-02 remove name=x":                                                           `"name=x": ... remove`,
		"board-update pi-02 replace":                                                                 "Nothing to update... ... replace",
		"board-update pi-02 extra//x=1":                                                              `"extra//x" ... empty`,
		"board-delete pi-03":                                                                         `Failed to delete board pi-03: DELETE /v1/boards/pi-03: 404 Not Found: Board pi-03 could not be found ... "pi-01"`,
	} {
		if got := a.fails(t, line); !wording.Has(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", line, got, want)
		}
	}
	fields := func(names string) string {
		t.Helper()
		return a.must(t, "--format json board-show pi-02 --fields "+names)
	}
	for _, c := range []struct{ line, fields, want string }{
		{"extra/rack=b9 extra/height=2 extra/serial=", "extra", `{"extra": {"height": 2, "nics": [1, 2], "rack": "b9"}}`},
		{`extra/a~1b=true 'extra/n={"d": [1.50, null]}' 'extra/text="5"' extra/nics= extra/yes=yes`, "extra",
			`{"extra": {"a/b": true, "height": 2, "n": {"d": [1.50, null]}, "rack": "b9", "text": "5", "yes": "yes"}}`},
		{"mobile=false code=18 type=12 fleet=", "mobile code type fleet", `{"code": "18", "fleet": null, "mobile": false, "type": "12"}`},
		{"fleet=roofs", "fleet", `{"fleet": "00000001-0000-4000-8000-000000000001"}`},
		{"add extra/rack=c1 extra/empty=", "extra", `{"extra": {"a/b": true, "empty": "", "height": 2, "n": {"d": [1.50, null]}, "rack": "c1", "text": "5", "yes": "yes"}}`},
		{"remove /extra/a~1b extra/n extra/text extra/yes /extra/empty", "extra", `{"extra": {"height": 2, "rack": "c1"}}`},
		{"replace extra={}", "extra", `{"extra": {}}`},
	} {
		a.must(t, "board-update pi-02 "+c.line)
		if got := strings.Join(strings.Fields(fields(c.fields)), " "); strings.NewReplacer("{ ", "{", " }", "}", "[ ", "[", " ]", "]").Replace(got) != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.line, got, c.want)
		}
	}
	// From standard input, where nobody sees a password.
	if got := a.run(t, `{"extra/secret": "hush", "extra/null": null, "type": "pi"}`, "--format json board-update pi-02"); got.Exit != 0 || !strings.Contains(got.Stdout, `"null": null`) || !strings.Contains(got.Stdout, `"type": "pi"`) {
		t.Errorf("%+v", got)
	}
	for _, stdin := range []string{"", "[]", "{}", "x"} {
		if got := a.run(t, stdin, "board-update pi-02"); got.Exit != 2 || !wording.Has(got.Stderr, "error: Nothing to update... ... JSON object of paths and values") {
			t.Errorf("%q: %+v", stdin, got)
		}
	}
	got := a.run(t, "", "board-delete pi-02 nobody gate-01")
	want := session{Exit: 1, Stdout: "Board pi-02 was successfully deleted.\nBoard gate-01 was successfully deleted.\n",
		Stderr: "ERROR: Failed to delete board nobody: DELETE /v1/boards/nobody: 404 Not Found: Board nobody could not be found.\n"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := a.names(t, "board-list --fields name"); !cmp.Equal(got, []string{"pi-01"}) {
		t.Error(got)
	}
	if got := a.run(t, "", "--format json board-delete pi-01"); got.Exit != 0 || got.Stdout != "" || got.Stderr != "Board pi-01 was successfully deleted.\n" {
		t.Errorf("%+v", got)
	}

	// Boards may share a name.
	for i := range 2 {
		s.Add("boards", iotronictest.Object{"name": "twin", "code": fmt.Sprint("t", i)})
	}
	for _, line := range []string{"board-show twin", "board-update twin type=x", "board-delete twin", "board-port-list twin"} {
		if got := a.fails(t, line); !strings.Contains(got, `several objects are called "twin": `) || !strings.HasSuffix(got, "; use the UUID") || strings.Contains(got, "iotronic: ") {
			t.Errorf("%s: %s", line, got)
		}
	}
	s.Add("fleets", iotronictest.Object{"name": "roofs"})
	if got := a.fails(t, "board-update pi-01 fleet=roofs"); !wording.Has(got, `"roofs" ... 2 fleets ... UUID ... 00000001-`) {
		t.Error(got)
	}
}
