package cli_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/wording"
)

// must runs a command line that has to succeed, and gives its standard output.
func (f *fixture) must(t *testing.T, line string) string {
	t.Helper()
	got := f.run(t, strings.NewReader(""), split(line)...)
	if got.Exit != 0 || moreFollow.ReplaceAllString(got.Stderr, "") != "" {
		t.Fatalf("craton %s: exit %d\n%s%s", line, got.Exit, got.Stdout, got.Stderr)
	}
	return got.Stdout
}

// moreFollow is what lists say that do not show all.
var moreFollow = regexp.MustCompile(`^\d+ shown, more follow: --all\n$`)

// fails runs a command line that has to fail, and gives its error: with status 1, or with 2 and its usage. TestMistakes
// says which.
func (f *fixture) fails(t *testing.T, line string) string {
	t.Helper()
	got := f.run(t, strings.NewReader(""), split(line)...)
	text, failed := failure(got)
	if !failed {
		t.Fatalf("craton %s: exit %d\n%s%s", line, got.Exit, got.Stdout, got.Stderr)
	}
	return text
}

// failure returns the error of a session; false if it does not end as one should.
func failure(got session) (string, bool) {
	text := strings.TrimSuffix(got.Stderr, "\n")
	if _, mistake, is := strings.Cut(text, ": error: "); is && got.Exit == 2 && strings.HasPrefix(text, "usage: ") {
		return mistake, got.Stdout == ""
	}
	return strings.TrimPrefix(text, "ERROR: "), got.Exit == 1 && got.Stdout == "" && strings.HasPrefix(text, "ERROR: ")
}

// split cuts a command line into words; '...' is one.
func split(line string) []string {
	var words []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	return words
}

// places makes the clouds east and west, each with a region dfw, and a cell c1 in that of east.
func (f *fixture) places(t *testing.T) {
	t.Helper()
	for _, line := range []string{"cloud-create -n east", "cloud-create -n west", "region-create -n dfw --cloud east", "region-create -n dfw --cloud west",
		"cell-create -n c1 --cloud east -r dfw"} {
		f.must(t, line)
	}
}

// column returns a column of a list, by its CSV.
func (f *fixture) column(t *testing.T, field, line string) []string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(f.must(t, "--format csv "+line+" --fields "+field))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	cells := []string{}
	for _, row := range rows[1:] {
		cells = append(cells, row[0])
	}
	return cells
}

func TestNamesThatLookLikeIDs(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.places(t)
	const host = " -t server -i 10.0.0.1 "
	f.must(t, "host-create -n web-01 --cloud east -r dfw -c c1"+host)
	f.must(t, "host-create -n web-01 --cloud west -r dfw"+host)
	f.must(t, "host-create -n 77 --cloud east -r dfw --parent east/dfw/web-01"+host)
	f.must(t, "network-device-create -n sw/1 --cloud east -r dfw"+host)

	if got := f.column(t, "id", "host-list --cloud east --region dfw"); !cmp.Equal(got, []string{"1", "3"}) {
		t.Errorf("hosts of east: %v", got)
	}
	if got := f.column(t, "id", "host-list --cell c1"); !cmp.Equal(got, []string{"1"}) {
		t.Errorf("hosts of the cell: %v", got)
	}
	if got := f.column(t, "name", "device-list --parent 1"); !cmp.Equal(got, []string{"77"}) {
		t.Errorf("children: %v", got)
	}
	for word, id := range map[string]string{
		"1": "1", "01": "1", "east/dfw/web-01": "1", "west/dfw/web-01": "2", "1/web-01": "1", // region 1
		"77": "3", // nobody's id, so a name
		"3":  "3",
	} {
		if got := f.must(t, "--format csv host-show "+word); !strings.Contains(got, ","+id+",") {
			t.Errorf("%s is not %s:\n%s", word, id, got)
		}
	}
	f.must(t, "region-create -n ord --cloud east")
	f.must(t, "host-create -n web-02 --cloud east -r ord --parent east/dfw/77"+host) // which stands elsewhere
	f.must(t, "host-create -n web-01 --cloud east -r ord"+host)
	f.must(t, "host-create -n vm-01 --cloud east -r ord --parent web-01"+host) // of three that in the region
	if got := f.column(t, "name", "device-list --parent east/ord/web-01"); !cmp.Equal(got, []string{"vm-01"}) {
		t.Errorf("children: %v", got)
	}
	f.must(t, "host-delete vm-01")
	f.must(t, "host-delete east/ord/web-01")
	f.must(t, "network-device-show sw/1") // a slash of its own
	f.must(t, "network-device-show dfw/sw/1")

	for line, want := range map[string]string{
		"host-show web-01": `"web-01" ... 2 ... id ... path ... 
  1  host east/dfw/web-01
  2  host west/dfw/web-01`,
		"region-show dfw": `"dfw" ... 2 ... id ... path ... 
  1  region east/dfw
  2  region west/dfw`,
		"host-show wbe-02":               `No host ... "wbe-02" ... "web-02"`,
		"cell-list -r dfw --cloud nope":  `No cloud ... "nope".`,
		"cell-show west/dfw/c1":          `No cell ... "west/dfw/c1" ... "east/dfw/c1"`,
		"host-list --cloud west -c c1":   `No cell ... "c1", in cloud "west" ... "east/dfw/c1"`,
		"host-update 77 --parent nobody": `No host or network device ... "nobody".`,
		"project-show default":           `No project ... "default".`,
		"host-delete 'a %s b'":           `Failed to delete host a %s b: ... No host ... "a %s b".`,
		"host-delete 'a\x1b[31mb'":       `Failed to delete host a\u001b[31mb: ... No host ... "a\x1b[31mb".`,
		"host-update 1 --cloud 1": "The request sent to the server was invalid. The request included the following errors:\n- Additional properties are not allowed" +
			" ('cloud_id' was unexpected) ... --region ... --cell ... --recreate",
	} {
		if got := f.fails(t, line); !wording.Has(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", line, got, want)
		}
	}
	// To delete something that is not there is no error, and never deletes what only has the name.
	if got := f.must(t, "host-delete 99"); got != "Host 99 was successfully deleted.\n" {
		t.Error(got)
	}
	f.must(t, "host-update 77 --parent ''")
	f.must(t, "host-delete east/dfw/web-01")
	f.must(t, "project-show bootstrap")
}

func TestMove(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.places(t)
	f.must(t, "host-create -n web-01 --cloud east -r 1 -t server -i 10.0.0.1 -l web --vars role=db")
	f.must(t, "network-device-create -n sw-01 --cloud east -r 1 -c c1 -t server -i 10.0.0.1")
	f.must(t, "region-create -n ord --cloud west")
	f.must(t, "cell-create -n c2 --cloud west -r ord")
	for _, step := range []struct{ line, list, want string }{
		{"host-move web-01 -r west/dfw", "host-list", "web-01,2,2,"},
		{"host-move web-01 --region ord --cell c2", "host-list", "web-01,2,3,2"},
		{"host-move 1 -c ''", "host-list", "web-01,2,3,"},
		{"host-move web-01 -c c1", "host-list", "web-01,1,1,1"},
		{"cell-move c1 -r west/dfw", "host-list", "web-01,2,2,1"},
		{"network-device-move sw-01 -r ord", "network-device-list", "sw-01,2,3,"},
		{"network-device-update sw-01 --cell c2 --os-version 2", "network-device-list", "sw-01,2,3,2"},
		{"host-update web-01 --cell '' --note n", "host-list", "web-01,2,2,"},
		{"host-update web-01 --region ord --cell c2", "host-list", "web-01,2,3,2"},
		{"host-update --where name=web-* --cell c1 --note m --yes", "host-list", "web-01,2,2,1"},
		{"cell-update c1 --region ord --note n", "host-list", "web-01,2,3,1"},
		{"host-move --where name=web-* --cell c2 --yes", "host-list", "web-01,2,3,2"},
		{"host-move --where name=web-* --region west/dfw --dry-run", "host-list", "web-01,2,3,2"},
		{"cell-update c1 --region west/dfw", "host-list", "web-01,2,3,2"},
	} {
		f.must(t, step.line)
		if got := f.must(t, "--format csv "+step.list+" --fields name cloud_id region_id cell_id"); !strings.HasSuffix(got, "\n"+step.want+"\n") {
			t.Errorf("%s:\n%s\nwant %s", step.line, got, step.want)
		}
	}
	if got := f.must(t, "--format json host-labels-get web-01"); !strings.Contains(got, "web") {
		t.Errorf("labels of a host that moved: %s", got)
	}
	if got := f.must(t, "--format json host-move web-01 -r west/dfw -c c1"); !strings.Contains(got, `"region_id": 2`) {
		t.Errorf("a move shows the host: %s", got)
	}
	for line, want := range map[string]string{
		"host-update web-01 -c c2 --parent 99": "The request sent to the server was invalid. " +
			"parent_id 99: ... no such device",
		"host-move web-01":              "Nowhere to move to... Please specify --region or --cell",
		"host-move web-09 -r ord":       `No host ... "web-09" ... "web-01"`,
		"host-move 99 -r ord":           "The requested resource was not found.",
		"host-move web-01 -c nope":      `No cell ... "nope".`,
		"host-move web-01 -r ord -c c1": `No cell ... "c1", in region "ord" ... "west/dfw/c1"`,
	} {
		if got := f.fails(t, line); !wording.Has(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", line, got, want)
		}
	}
}

// TestProtectedByCommands are told by --dry-run, with what holds them, and let go by the same commands.
func TestProtectedByCommands(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.places(t)
	f.must(t, "host-create -n web-01 --cloud east -r 1 -t server -i 10.0.0.1 --protected")
	f.must(t, "host-create -n web-02 --cloud east -r 1 -t server -i 10.0.0.2")
	for line, want := range map[string]string{
		"host-delete web-01 --dry-run": "Would delete host web-01; ... protected (craton unprotect host 1)",
		"host-delete web-02 --dry-run": "Would delete host web-02.\n",
		"region-delete 1 --dry-run":    `Would delete region 1 ... 1 cell and 2 hosts; ... host "web-01" (id 1) ... protected (craton unprotect host 1)`,
	} {
		if got := f.must(t, line); !wording.Has(got, want) {
			t.Errorf("%s: %s", line, got)
		}
	}
	for _, line := range []string{"host-delete --where name=web-* --dry-run", "host-delete --where name=web-* --yes", "host-delete web-01 --yes"} {
		if got := f.fails(t, line); !wording.Has(got, `host "web-01" (id 1) ... protected ... (craton unprotect host 1)`) {
			t.Errorf("%s: %s", line, got)
		}
	}
	if got := f.must(t, "host-update --where name=web-* --protected --dry-run"); !strings.Contains(got, "protected  false -> true  on 1") {
		t.Error(got)
	}
	f.must(t, "cloud-update east --protected --note x")
	f.must(t, "cloud-update east --no-protected")
	f.must(t, "host-update --where name=web-* --no-protected --yes")
	f.must(t, "cloud-delete east --yes")
	if got := f.fails(t, "cloud-update west --protected --no-protected"); !strings.Contains(got, "--protected: not allowed with argument --no-protected") {
		t.Error(got)
	}
}

// TestMoveWithoutMoves: where the server moves nothing, as the original, an object is created again where that is asked
// for, with all that it has, or not touched.
func TestMoveWithoutMoves(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.places(t)
	f.must(t, "host-create -n web-01 --cloud east -r 1 -t server -i 10.0.0.1 -l web --vars role=db")
	f.must(t, "host-create -n web-02 --cloud east -r 1 -t server -i 10.0.0.1")
	f.must(t, "host-create -n in-c1 --cloud east -r 1 -c c1 -t server -i 10.0.0.1")
	to, err := url.Parse(f.url)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/capabilities") || strings.HasSuffix(r.URL.Path, "/move") || strings.HasSuffix(r.URL.Path, "/protected") {
			http.NotFound(w, r)
			return
		}
		httputil.NewSingleHostReverseProxy(to).ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	old := *f
	old.url = s.URL
	for line, want := range map[string]string{
		"host-update web-01 -r west/dfw":                                  "('region_id' was unexpected) ... --region ... --cell",
		"cell-update c1 -r west/dfw --recreate":                           "cannot be recreated ... 1 host; move or delete",
		"host-update web-01 -r west/dfw --recreate --protected":           "this server cannot protect objects",
		"host-create -n x --cloud east -r 1 -t x -i 10.0.0.1 --protected": "this server cannot protect objects",
		"host-update --where name=web-* -r west/dfw --yes":                "--region ... --cell",
		"host-move --where name=web-* -r west/dfw --yes":                  "this server cannot move objects",
	} {
		if got := old.fails(t, line); !wording.Has(got, want) {
			t.Errorf("%s: %s", line, got)
		}
	}
	old.must(t, "host-update web-01 -r west/dfw --note n --recreate")
	if got := f.must(t, "--format csv host-list --fields id name region_id note"); !strings.Contains(got, "4,web-01,2,n") || strings.Contains(got, "1,web-01") {
		t.Error(got)
	}
	if got := f.must(t, "--format json host-labels-get 4") + f.must(t, "--format json host-vars-get 4"); !strings.Contains(got, "web") || !strings.Contains(got, `"db"`) {
		t.Error(got)
	}
}

// TestRecreateGoesOn: a host that is created again takes its interfaces and children along. Whichever request fails,
// the old one is there until all of that is done; the error says how far it came, and the same command goes on.
func TestRecreateGoesOn(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.places(t)
	to, err := url.Parse(f.url)
	if err != nil {
		t.Fatal(err)
	}
	var failAt, writes atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/capabilities"):
			http.NotFound(w, r)
		case r.Method != http.MethodGet && writes.Add(1) == failAt.Load():
			http.Error(w, `{"status": 500, "message": "the disk is full"}`, http.StatusInternalServerError)
		default:
			httputil.NewSingleHostReverseProxy(to).ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.Close)
	old := *f
	old.url = s.URL
	// It is made, and gets 2 interfaces and 2 children; the old one goes, the name comes.
	const most = 7
	for n := int64(1); n <= most+1; n++ {
		name := fmt.Sprintf("web-%d", n)
		f.must(t, fmt.Sprintf("host-create -n %s --cloud east -r 1 -c c1 -t server -i 10.0.0.1 -l web --note n --vars role=db", name))
		was := f.column(t, "id", "host-list --where name="+name)[0]
		f.must(t, "network-interface-create -n eth0 -d "+was+" -t x -i 10.0.0.1 --vars mtu=9000")
		f.must(t, "network-interface-create -n eth1 -d "+was+" -t x -i 10.0.0.2 --speed 10")
		f.must(t, "host-create -n vm-"+name+" --cloud east -r 1 -t vm -i 10.0.0.3 --parent "+was)
		f.must(t, "network-device-create -n sw-"+name+" --cloud west -r 2 -t switch -i 10.0.0.4 --parent "+was)
		line := "host-update " + was + " --cell '' --recreate" // in its own region, where the name is taken until the old one is gone
		if n%2 == 0 {
			line = "host-update " + was + " -r west/dfw --recreate"
		}
		writes.Store(0)
		failAt.Store(n)
		got := old.run(t, nil, split(line)...)
		failAt.Store(0)
		switch {
		case n > most:
			if got.Exit != 0 || !strings.Contains(got.Stdout, `It was recreated with network interface "eth0" (id `) {
				t.Fatal(got)
			}
		case got.Exit != 1 || !strings.Contains(got.Stderr, "the disk is full"):
			t.Fatalf("request %d: %+v", n, got)
		case n < most && len(f.column(t, "id", "host-list --where id="+was)) == 0:
			t.Errorf("request %d: the old host is gone: %s", n, got.Stderr)
		case n == 1 && !strings.Contains(got.Stderr, "is unchanged"), n > 1 && n < most && !strings.Contains(got.Stderr, "still exists; run the same again"),
			n == 3 && !strings.Contains(got.Stderr, "1 of 2 network interfaces are on it"), n == 5 && !strings.Contains(got.Stderr, "1 of 2 devices have it as their parent"):
			t.Errorf("request %d: %s", n, got.Stderr)
		}
		if n == most { // the new one has all, but for its name: the error says how it gets it
			again := regexp.MustCompile(`craton (host-update \d+ --name web-7)`).FindStringSubmatch(got.Stderr)
			if again == nil {
				t.Fatal(got.Stderr)
			}
			old.must(t, again[1])
		} else if n < most {
			if got := old.run(t, nil, split(line)...); got.Exit != 0 {
				t.Fatalf("request %d, again: %+v", n, got)
			}
		}
		now := f.column(t, "id", "host-list --where name="+name)
		if len(now) != 1 || now[0] == was || len(f.column(t, "id", "host-list --where name=*.recreate")) > 0 {
			t.Fatalf("request %d: %v", n, now)
		}
		list := f.must(t, "--format csv network-interface-list --device "+now[0]+" --fields name ip_address")
		if list != "name,ip_address\neth0,10.0.0.1\neth1,10.0.0.2\n" {
			t.Errorf("request %d: %s", n, list)
		}
		if kept := f.column(t, "name", "device-list --parent "+now[0]); !cmp.Equal(kept, []string{"vm-" + name, "sw-" + name}) {
			t.Errorf("request %d: %v", n, kept)
		}
		if got := f.must(t, "--format json host-show "+now[0]) + f.must(t, "host-labels-get "+now[0]); !strings.Contains(got, `"role": "db"`) || !strings.Contains(got, `"note": "n"`) || !strings.Contains(got, "web") {
			t.Errorf("request %d: %s", n, got)
		}
	}
}

// changes returns what the server's change log has.
func (f *fixture) changes(t *testing.T) []gjson.Result {
	t.Helper()
	c, err := craton.New(f.url, craton.WithLocalAuth("bootstrap", f.key, f.project))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(t.Context(), "GET", "/changes", url.Values{"limit": {"1000"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return gjson.GetBytes(resp.Body, "changes").Array()
}

// TestMoveAndMore: an update that moves an object and says something else is one write, done whole or not at all; where
// the server can do the one and not both as one, the error says what was done.
func TestMoveAndMore(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.places(t)
	f.must(t, "host-create -n web-01 --cloud east -r 1 -t server -i 10.0.0.1")
	f.must(t, "host-create -n taken --cloud west -r 2 -t server -i 10.0.0.2")
	if got := f.fails(t, "host-update web-01 -r west/dfw -n taken --note n"); !strings.Contains(got, "A host with the given name already exists") {
		t.Error(got)
	}
	if got := f.column(t, "region_id", "host-list --where name=web-01"); !cmp.Equal(got, []string{"1"}) {
		t.Errorf("it was moved: %v", got)
	}
	f.must(t, "host-update web-01 -r west/dfw -n web-02 --note n -l web --protected --message once")
	if got := f.must(t, "--format csv host-list --where protected=true --fields name region_id note labels protected"); got != "name,region_id,note,labels,protected\nweb-02,2,n,\"[\"\"web\"\"]\",true\n" {
		t.Error(got)
	}
	revisions := map[string]bool{}
	for _, change := range f.changes(t) {
		if change.Get("message").Str == "once" {
			revisions[change.Get("revision").String()] = true
		}
	}
	if len(revisions) != 1 {
		t.Errorf("revisions %v", revisions)
	}

	to, err := url.Parse(f.url)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/capabilities") {
			_, _ = io.WriteString(w, `{"features": ["move", "where"]}`)
			return
		}
		httputil.NewSingleHostReverseProxy(to).ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	one := *f
	one.url = s.URL
	f.must(t, "host-create -n web-03 --cloud east -r 1 -t server -i 10.0.0.3")
	if got := one.fails(t, "host-update web-03 -r west/dfw -n taken"); !wording.Has(got, "was moved, but ... not ... updated") {
		t.Error(got)
	}
}

// TestMessages: every command that writes says why, and the change log has it.
func TestMessages(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	file := filepath.Join(t.TempDir(), "fleet.yml")
	if err := os.WriteFile(file, []byte("clouds: [{name: c, regions: [{name: r, cells: [{name: l}]}, {name: r2}]}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	lines := []string{
		"apply " + file, "host-create -n h --cloud c -r r -t server -i 10.0.0.1 -l web", "host-update h --note x", "host-move h -c l", "cell-move l -r r2",
		"host-vars-set h a=1", "host-vars-delete h a", "host-labels-add h b", "host-labels-set h d", "host-labels-delete h d", "host-delete h",
	}
	for i, line := range lines {
		message := fmt.Sprintf("step %d: %s", i, strings.Fields(line)[0])
		f.must(t, line+" --message '"+message+"'")
		all := f.changes(t)
		if n := len(all); n == 0 || all[n-1].Get("message").Str != message {
			t.Errorf("craton %s: the change log has %v", line, all)
		}
	}
	if got := f.fails(t, "cloud-delete c --yes --message 'two\nlines'"); !strings.Contains(got, "the message contains a control character") {
		t.Error(got)
	}
}

func TestUpdatesChangeOnlyGivenFields(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.places(t)
	f.must(t, "host-create -n web-01 --cloud east -r 1 -t server -i 10.0.0.1 -a false -l web -l canary --note old --vars role=db mtu=9000 'j={\"a\": [1]}'")
	f.must(t, "host-update web-01 --name web-02 -l db")
	var host map[string]any
	if err := json.Unmarshal([]byte(f.must(t, "--format json host-show web-02")), &host); err != nil {
		t.Fatal(err)
	}
	if host["active"] != false || host["note"] != "old" {
		t.Errorf("an update of the name changed more: %v", host)
	}
	if diff := cmp.Diff(map[string]any{"role": "db", "mtu": 9000.0, "j": map[string]any{"a": []any{1.0}}}, host["variables"]); diff != "" {
		t.Error(diff)
	}
	if got := f.must(t, "--format json host-labels-get web-02"); got != "[\n    \"canary\",\n    \"db\",\n    \"web\"\n]\n" {
		t.Errorf("labels: %s", got)
	}
	f.must(t, "host-update web-02 -a yes --note '' -t vm --ip-address 10.0.0.2")
	if got := f.must(t, "--format csv host-list --fields active note device_type ip_address"); got != "active,note,device_type,ip_address\ntrue,,vm,10.0.0.2\n" {
		t.Error(got)
	}
	if got := f.fails(t, "host-update web-02"); !wording.Has(got, "Nothing to update... ... --name, ") {
		t.Error(got)
	}
	if got := f.fails(t, "cloud-create -n north --vars a="); !strings.Contains(got, `"a=" has no value`) {
		t.Error(got)
	}
}

func TestLabels(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.places(t)
	f.must(t, "network-device-create -n sw-01 --cloud east -r 1 -t switch -i 10.0.0.1 -l tor")
	for _, c := range []struct{ line, want string }{
		{"network-device-labels-get sw-01", "label\ntor\n"},
		{"network-device-labels-add sw-01 a b", "label\na\nb\ntor\n"},
		{"network-device-labels-delete sw-01 tor nope", "label\na\nb\n"},
		{"network-device-labels-set sw-01 -x c", "label\n-x\nc\n"},
		{"network-device-labels-set sw-01", "label\n"},
	} {
		if got := f.must(t, "--format csv "+c.line); got != c.want {
			t.Errorf("%s:\n%s", c.line, got)
		}
	}
	if got := f.must(t, "network-device-labels-add sw-01 a"); got != "+-------+\n| Label |\n+-------+\n| a     |\n+-------+\n" {
		t.Error(got)
	}
	if got := f.must(t, "--format yaml network-device-labels-get sw-01"); got != "- a\n" {
		t.Error(got)
	}
	if got := f.fails(t, "network-device-labels-add sw-01"); !strings.HasPrefix(got, "Nothing to add...") {
		t.Error(got)
	}
	if got := f.fails(t, "host-labels-get sw-01"); !strings.HasPrefix(got, "The requested resource was not found.") {
		t.Error(got)
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.places(t)
	f.must(t, "host-create -n web-01 --cloud east -r 1 -t server -i 10.0.0.1")
	f.must(t, "region-vars-set 1 ntp=10.0.0.1 region=yes")
	want := `+----------+---------------+
| Variable | Value         |
+----------+---------------+
| -5       | x             |
| item_id  | 7             |
| j        | {'a': [1, 2]} |
| ntp      | 10.0.0.1      |
| null     | None          |
| region   | True          |
| self     | 1.5           |
| text     | 5             |
+----------+---------------+
`
	if got := f.must(t, `host-vars-set web-01 item_id=7 self=1.5 'j={"a": [1, 2]}' -5=x null=null 'text="5"' gone=1`); !strings.Contains(got, "| gone     |") {
		t.Error(got)
	}
	if got := f.must(t, "host-vars-set web-01 gone= --"); got != want {
		t.Errorf("(-want +got):\n%s", cmp.Diff(want, got))
	}
	if got := f.must(t, "host-vars-delete web-01 -5 item_id nope"); got != "Variables successfully deleted.\n" {
		t.Error(got)
	}
	if got := f.must(t, "--format csv host-vars-get web-01"); got != "variable,value\nj,\"{\"\"a\"\":[1,2]}\"\nntp,10.0.0.1\nnull,\nregion,true\nself,1.5\ntext,5\n" {
		t.Error(got)
	}
	if got := f.must(t, "--format yaml region-vars-get 1"); got != "ntp: 10.0.0.1\nregion: true\n" {
		t.Error(got)
	}
	got := f.run(t, strings.NewReader(`{"big": 12345678901234567890, "date": "2026-11-24", "text": null}`), "--format", "json", "host-vars-set", "web-01")
	if !strings.Contains(got.Stdout, `"big": 12345678901234567890,`) || !strings.Contains(got.Stdout, `"text": null`) {
		t.Errorf("%+v", got)
	}
	if got := f.must(t, "--format yaml host-vars-get web-01"); !strings.Contains(got, "date: \"2026-11-24\"\n") || !strings.Contains(got, "big: 12345678901234567890\n") {
		t.Error(got)
	}
	got = f.run(t, strings.NewReader(`{"big": 1, "date": 2}`), "--format", "json", "host-vars-delete", "web-01")
	if got.Exit != 0 || got.Stdout != "" || got.Stderr != "Variables successfully deleted.\n" {
		t.Errorf("%+v", got)
	}
	for stdin, c := range map[string]struct{ verb, want string }{
		"":            {"set", `Expecting value: line 1 column 1 (char 0) ... no JSON`},
		"{\n\"a\": x": {"set", `Expecting value: line 2 column 6 (char 7) ... not JSON: ... 'x'`},
		"[1]":         {"set", `JSON object: {"key": value}`},
		"1.5":         {"set", `JSON object: {"key": value}`},
		"null":        {"delete", `JSON array ... ["key"]`},
		"[true]":      {"delete", `JSON array ... ["key"]`},
	} {
		got := f.run(t, strings.NewReader(stdin), "host-vars-"+c.verb, "web-01")
		if want := "ERROR: Failed to " + c.verb + " variables for host web-01: ... " + c.want; got.Exit != 1 || !wording.Has(got.Stderr, want) {
			t.Errorf("%q: exit %d\n%s\nwant\n%s", stdin, got.Exit, got.Stderr, want)
		}
	}
	for line, want := range map[string]string{
		"host-vars-get 99":        `Failed to get variables for host 99: The requested resource was not found.`,
		"cloud-vars-set east foo": `Failed to set variables for cloud east: "foo" ... key=value`,
		"cloud-vars-set east =1": `Failed to set variables for cloud east: The request sent to the server was invalid.` +
			" The request included the following errors:\n- '' does not match any of the regexes: '^.+'",
	} {
		if got := f.fails(t, line); !wording.Has(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", line, got, want)
		}
	}
}

func TestEverythingElse(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.places(t)
	f.must(t, "project-create -n team-blue --vars tier=gold")
	if got := f.must(t, "project-vars-get team-blue"); !strings.Contains(got, "| tier     | gold  |") {
		t.Error(got)
	}
	made := f.must(t, "--format csv user-create -n ci --project team-blue --admin")
	if !strings.HasPrefix(made, "api_key,created_at,id,is_admin,") || !strings.Contains(made, ",true,") {
		t.Error(made)
	}
	if got := f.column(t, "username", "user-list -n ci"); !cmp.Equal(got, []string{"ci"}) {
		t.Error(got)
	}
	f.must(t, "user-show ci")
	f.must(t, "user-delete ci")
	f.must(t, "project-delete team-blue")

	f.must(t, "host-create -n web-01 --cloud east -r 1 -t server -i 10.0.0.1")
	f.must(t, "network-create -n mgmt --cidr 10.0.0.0/24 --gateway 10.0.0.254 --netmask 255.255.255.0 --cloud east -r dfw --vars vlan=7")
	f.must(t, "network-update mgmt --nss ns1 --ip-block-type private")
	if got := f.must(t, "--format csv network-list -n mgmt -r 1 --fields nss ip_block_type variables"); got != "nss,ip_block_type,variables\nns1,private,\"{\"\"vlan\"\":7}\"\n" {
		t.Error(got)
	}
	f.must(t, "network-interface-create -n eth0 -d web-01 -t ethernet -i 10.0.0.1 --network mgmt --speed 1000 --port 3 --vlan-id 7 --vars a=1")
	f.must(t, "network-interface-update web-01/eth0 --speed 25000 --duplex full")
	if got := f.must(t, "--format csv network-interface-list -d web-01 --type ethernet --ip 10.0.0.1 --fields name speed duplex port vlan_id network_id"); got != "name,speed,duplex,port,vlan_id,network_id\neth0,25000,full,3,7,1\n" {
		t.Error(got)
	}
	if got := f.fails(t, "network-delete mgmt"); !strings.HasPrefix(got, `Failed to delete network mgmt: The request could not be processed due to a conflict. `) {
		t.Error(got)
	}
	if got := f.must(t, "network-interface-delete eth0"); got != "Network interface eth0 was successfully deleted.\n" {
		t.Error(got)
	}
	f.must(t, "network-vars-set mgmt vlan=8")
	f.must(t, "network-vars-delete mgmt vlan")
	f.must(t, "network-delete mgmt")
	f.must(t, "cell-update c1 --note x")
	f.must(t, "region-update east/dfw -n dal")
	f.must(t, "cell-delete c1")
	f.must(t, "region-delete dal --yes")
	if got := f.run(t, strings.NewReader(""), "--format", "json", "cloud-delete", "west", "--yes"); got.Stdout != "" || got.Stderr != "Cloud west was successfully deleted.\n" || got.Exit != 0 {
		t.Errorf("%+v", got)
	}
}
