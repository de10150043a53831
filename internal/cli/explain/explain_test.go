package explain

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/provenance"
	"github.com/craton-fleet/craton/internal/table"
	"github.com/craton-fleet/craton/internal/when"
	"github.com/craton-fleet/craton/internal/wording"
)

// escapes are sequences that colour text, or wipe a line.
var escapes = regexp.MustCompile("\x1b\\[[0-9]*[mK]")

// web returns the explanation of a host with a parent, with a null that hides, and with text that would upset a
// terminal.
func web() *explanation {
	type own map[string]string
	e := &explanation{
		device: &object.Device{Kind: craton.KindHost, Device: craton.Device{ID: 32, Name: "web-01", IPAddress: "10.20.0.11", DeviceType: "server", Active: true}},
		Explanation: &provenance.Explanation{Chain: provenance.Chain{Complete: true, Levels: []hierarchy.Level{
			{Kind: "host", ID: "32", Name: "web-01", Variables: hierarchy.Of(own{"role": `"frontend"`, "ansible_connection": `"local"`})},
			{Kind: "network-device", ID: "31", Name: "tor\x1b[31m", Variables: hierarchy.Of(own{"mtu": `9000`})},
			{Kind: "cell", ID: "12", Name: "c1", Variables: hierarchy.Of(own{"legacy": `null`})},
			{Kind: "region", ID: "7", Name: "dfw", Variables: hierarchy.Of(own{"ntp": `"ntp.dfw.example.net"`, "legacy": `{"a":[1,2]}`})},
			{Kind: "cloud", ID: "4", Name: "east", Variables: hierarchy.Of(own{"ntp": `"ntp1.example.net"`, "users": `{"alice":{"groups":["wheel","docker"],"shell":"/bin/bash","uid":1000},"bob":{"groups":["wheel","docker"],"uid":12345678901234567890123}}`})},
			{Kind: "project", ID: "5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c", Name: "ops", Variables: hierarchy.Of(own{"ntp": `"pool.ntp.org"`, "mtu": `1500`, "bidi": "\"a\u202eb\u009b1m\""})},
		}}},
	}
	e.Resolve(func(name string) bool { return strings.HasPrefix(name, "ansible_") })
	return e
}

func TestOverview(t *testing.T) {
	t.Parallel()
	want := `host web-01  id 32  10.20.0.11  server
host web-01 > network-device tor\u001b[31m > cell c1 > region dfw > cloud east > project ops

VARIABLE            FROM                          VALUE
ansible_connection  host web-01                   "local"
  excluded                                        exclude_variables keeps it out of the inventory
bidi                project ops                   "a\u202eb\u009b1m"
legacy              cell c1                       null
  shadows           region dfw                    {"a":[1,2]}
mtu                 network-device tor\u001b[31m  9000
  shadows           project ops                   1500
ntp                 region dfw                    "ntp.dfw.example.net"
  shadows           cloud east                    "ntp1.example.net"
  shadows           project ops                   "pool.ntp.org"
role                host web-01                   "frontend"
users               cloud east                    {"alice":{"groups":["wheel","docker"],"shell":"/bin/bash","uid":1000},"bob":{"groups":["wheel","docker"],"uid":12345678901234567890123}}
`
	if diff := cmp.Diff(want, web().overview(show.Appearance{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestOverviewFits: on a terminal no line with a value is wider than it, and text with colours is the same text.
func TestOverviewFits(t *testing.T) {
	t.Parallel()
	for _, width := range []int{90, 120, 300} {
		plain := web().overview(show.Appearance{Width: width})
		for line := range strings.SplitSeq(plain[strings.Index(plain, "VARIABLE"):], "\n") {
			if w := table.Width(line); w > width {
				t.Errorf("width %d: %d columns: %s", width, w, line)
			}
		}
		if strings.Contains(plain, "craton explain 32 VARIABLE") != (width < 200) || strings.Contains(plain, "…\n") != (width < 200) {
			t.Errorf("width %d: is anything shortened, and is it said?\n%s", width, plain)
		}
		colored := web().overview(show.Appearance{Width: width, Color: true})
		if colored == plain || escapes.ReplaceAllString(colored, "") != plain {
			t.Errorf("width %d: colours change the text:\n%s", width, cmp.Diff(plain, escapes.ReplaceAllString(colored, "")))
		}
	}
	if narrow := web().overview(show.Appearance{Width: 30}); !strings.Contains(narrow, `"ntp.dfw.example.ne…`) {
		t.Errorf("a narrow terminal leaves nothing of the values:\n%s", narrow)
	}
}

func TestExplainOne(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"ntp": `ntp of host web-01

   host web-01                   -
   network-device tor\u001b[31m  -
   cell c1                       -
=> region dfw                    "ntp.dfw.example.net"
   cloud east                    "ntp1.example.net"
   project ops                   "pool.ntp.org"
`,
		"legacy": `legacy of host web-01

   host web-01                   -
   network-device tor\u001b[31m  -
=> cell c1                       null
   region dfw                    {"a":[1,2]}
   cloud east                    -
   project ops                   -

null is a value too, and shadows the others. To use the next value, delete the variable whose value is null.
`,
		"users": `users of host web-01

   host web-01                   -
   network-device tor\u001b[31m  -
   cell c1                       -
   region dfw                    -
=> cloud east                    {
                                   "alice": {
                                     "groups": [
                                       "wheel",
                                       "docker"
                                     ],
                                     "shell": "/bin/bash",
                                     "uid": 1000
                                   },
                                   "bob": {
                                     "groups": [
                                       "wheel",
                                       "docker"
                                     ],
                                     "uid": 12345678901234567890123
                                   }
                                 }
   project ops                   -
`,
	} {
		e := web()
		if err := e.only(key); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, e.one(show.Appearance{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", key, diff)
		}
	}
}

// TestExplainHidden: what cannot be known is not shown as if it were known.
func TestExplainHidden(t *testing.T) {
	t.Parallel()
	e := web()
	e.Complete = false
	if text := e.overview(show.Appearance{}); !wording.Has(text, "role ... not read ... project") {
		t.Errorf("the overview does not say what is missing:\n%s", text)
	}
	if err := e.only("role"); err != nil {
		t.Fatal(err)
	}
	if text := e.one(show.Appearance{}); !wording.Has(text, "project ops                   hidden: ... role ... not read ... project") {
		t.Errorf("%s", text)
	}
}

func TestExplainMissing(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"npt":      `host "web-01" ... no variable "npt" ... "ntp"`,
		"database": "host \"web-01\" ... no variable \"database\" ... `craton explain 32` ... 7",
	} {
		if err := web().only(key); err == nil || !wording.Has(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestExplainDocuments(t *testing.T) {
	t.Parallel()
	const asYAML = `device:
    type: host
    id: 32
    name: web-01
    ip_address: 10.20.0.11
    device_type: server
    active: true
order:
    - type: host
      id: 32
      name: web-01
    - type: network-device
      id: 31
      name: "tor\e[31m"
    - type: cell
      id: 12
      name: c1
    - type: region
      id: 7
      name: dfw
    - type: cloud
      id: 4
      name: east
    - type: project
      id: 5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c
      name: ops
complete: true
variables:
    legacy:
        value: null
        from:
            type: cell
            id: 12
            name: c1
        shadows:
            - value:
                a:
                    - 1
                    - 2
              from:
                type: region
                id: 7
                name: dfw
        excluded: false
`
	e := web()
	if err := e.only("legacy"); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := e.write(&b, show.FormatYAML, true); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(asYAML, b.String()); diff != "" {
		t.Errorf("YAML (-want +got):\n%s", diff)
	}
	b.Reset()
	if err := e.write(&b, show.FormatCSV, true); err != nil {
		t.Fatal(err)
	}
	const asCSV = "variable,value,type,id,name,counts\nlegacy,null,cell,12,c1,true\nlegacy,\"{\"\"a\"\":[1,2]}\",region,7,dfw,false\n"
	if diff := cmp.Diff(asCSV, b.String()); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}
	b.Reset()
	if err := web().write(&b, show.FormatJSON, false); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), `"uid": 12345678901234567890123`) {
		t.Errorf("JSON loses digits:\n%s", &b)
	}
}

// TestWho: who set what stands under each value, and in every document; what the log does not know is said.
func TestWho(t *testing.T) {
	t.Parallel()
	e := web()
	at := craton.Timestamp{Time: time.Date(2026, 11, 29, 9, 30, 0, 0, time.UTC)}
	e.Setters = make([]map[string]*craton.Change, len(e.Levels))
	e.Setters[3] = map[string]*craton.Change{"ntp": {User: "ann", Time: at, Message: "ticket\x1b[31m 4711", RequestID: "req-1", Revision: 7}}
	text := e.overview(show.Appearance{})
	for _, want := range []string{
		"ntp                 region dfw                    \"ntp.dfw.example.net\"\n" + strings.Repeat(" ", 52) + "set by ann, " + when.Format(at.Local()) + ", \"ticket\\u001b[31m 4711\"\n",
		"role                host web-01                   \"frontend\"\n" + strings.Repeat(" ", 52) + "set before the change log began\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	doc := e.document().Variables["ntp"]
	if doc.Set == nil || doc.Set.User != "ann" || doc.Set.Revision != 7 || doc.Shadows[0].Set != nil {
		t.Errorf("%+v", doc)
	}
	for _, row := range e.rows()[1:] {
		if want := map[bool]string{true: "2026-11-29T09:30:00Z"}[row[0] == "ntp" && row[2] == "region"]; len(row) != 10 || row[7] != want {
			t.Errorf("%q, want the time %q", row, want)
		}
	}
	if err := e.only("ntp"); err != nil {
		t.Fatal(err)
	}
	if text := e.one(show.Appearance{}); !strings.Contains(text, "set by ann, "+when.Format(at.Local())) {
		t.Error(text)
	}
}
