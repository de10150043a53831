package cli_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/craton-fleet/craton/internal/wording"
)

// TestLists: many hosts over several pages, in every format.
func TestLists(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.places(t)
	const many = 105
	for i := range many {
		f.must(t, fmt.Sprintf("host-create -n web-%03d --cloud east -r 1 -t server -i 10.0.0.%d --vars n=%d -l l%d", many-i, i, i, i%2))
	}
	for _, format := range []string{"default", "json", "yaml", "csv"} {
		for line, want := range map[string]string{
			"host-list": "30 shown, more follow: --all\n",
			"device-list --sort-key name --fields name":     "30 shown, more follow: --all\n",
			"host-list --limit 10 --marker 94":              "10 shown, more follow: --all\n",
			"host-list --limit 10 --marker 95":              "", // the last ten
			"host-list --marker 75":                         "", // the last thirty
			"host-list --marker 76":                         "",
			"host-list --limit 100 --fields labels":         "100 shown, more follow: --all\n",
			"host-list --limit 53 --label l0":               "", // all there are
			"host-list --limit 52 --label l0":               "52 shown, more follow: --all\n",
			"host-list --all --sort-key name --fields name": "",
			"cloud-list": "",
		} {
			if got := f.run(t, strings.NewReader(""), append([]string{"--format", format}, strings.Fields(line)...)...); got.Exit != 0 || got.Stderr != want || strings.Contains(got.Stdout, "shown") {
				t.Errorf("%s %s: %q, want %q", format, line, got.Stderr, want)
			}
		}
	}
	if n := len(f.column(t, "id", "host-list --limit 10 --marker 100")); n != 5 {
		t.Errorf("after 100 there are %d", n)
	}
	ids := f.column(t, "id", "host-list --all --sort-key Name")
	if len(ids) != many || ids[0] != "105" || ids[many-1] != "1" {
		t.Errorf("sorted by name: %v", ids)
	}
	if got := f.run(t, nil, strings.Fields("--format csv host-list --sort-dir desc --sort-key id --limit 10 --fields id")...); !strings.HasPrefix(got.Stdout, "id\n105\n104\n") || got.Stderr != "10 shown, more follow: --all\n" {
		t.Errorf("descending: %+v", got)
	}
	if n := len(f.column(t, "name", "host-list --all --vars n:7 --label l1 --device-type server --ip 10.0.0.7")); n != 1 {
		t.Errorf("filters leave %d", n)
	}
	if n := len(f.column(t, "name", "device-list --all --active true --cloud 0")); n != many {
		t.Errorf("%d devices", n)
	}
	var whole []map[string]any
	if err := json.Unmarshal([]byte(f.must(t, "--format json host-list --all --detail --fields id name active device_type ip_address cloud_id region_id cell_id created_at")), &whole); err != nil || len(whole) != many {
		t.Fatalf("%d objects, %v", len(whole), err)
	}
	if diff := cmp.Diff(map[string]any{"n": 0.0}, whole[0]["variables"]); diff != "" || whole[0]["labels"].([]any)[0] != "l0" {
		t.Errorf("%s%v", diff, whole[0])
	}
	var fromYAML []map[string]any
	if err := yaml.Unmarshal([]byte(f.must(t, "--format yaml host-list --all")), &fromYAML); err != nil || len(fromYAML) != many {
		t.Errorf("%d objects, %v", len(fromYAML), err)
	}
	want := `+---------+------------+--------+
| Name    | Variables  | Labels |
+---------+------------+--------+
| web-001 | {'n': 104} | ['l0'] |
+---------+------------+--------+
`
	if got := f.must(t, "host-list --vars n:104 --fields name variables labels"); got != want {
		t.Errorf("\n%s", got)
	}
	for line, want := range map[string]string{
		"host-list --vars bogus":           `The request sent to the server was invalid. ... vars ... <path>:<json value> ... "bogus" ... colon`,
		"host-list --limit 5":              "The request sent to the server was invalid. The request included the following errors:\n- 5 is less than the minimum of 10",
		"host-list --marker 999":           `The request sent to the server was invalid. Marker "999"`,
		"region-list --detail --fields id": "Cannot specify both --fields and --detail.",
	} {
		if got := f.fails(t, line); !wording.Has(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", line, got, want)
		}
	}
	f.must(t, "region-list --detail")
	f.must(t, "region-list --vars n:7 m:8")
	f.must(t, "cell-list --detail --sort-key name")
	f.must(t, "cloud-list --detail")
	f.must(t, "project-list --detail -n boot%")
	f.must(t, "device-list --detail --parent 1 --descendants")
}
