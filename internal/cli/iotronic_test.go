package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/cli"
	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/wording"
)

// endpoint is where the commands behind craton iotronic go.
type endpoint struct{ url, token string }

// run runs a command line behind craton iotronic.
func (a endpoint) run(t *testing.T, stdin, line string) session {
	t.Helper()
	args := []string{"--iotronic-url", a.url, "iotronic", "--os-token", a.token, "--retry-interval=0.01"}
	if a.token == "" { // a real Ironic, which may keep its lock of a node for longer than a few tries
		args = append(args, "--max-retries=12")
	}
	args = append(args, split(line)...)
	return run(t, strings.NewReader(stdin), args...)
}

// TestIronicText: arguments that are not UTF-8 are refused before anything is sent, without their value.
func TestIronicText(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"argument description is not valid UTF-8":                  {"node-update", "n", "description=\xffhush"},
		"argument -n is not valid UTF-8":                           {"node-create", "-d", "ipmi", "-n", "\xffhush"},
		"argument --description is not valid UTF-8":                {"node-create", "-d", "ipmi", "--description=\xffhush"},
		"argument number 1 of node-show is not valid UTF-8; ":      {"node-show", "\xffhush"},
		"argument extra/\u00e9 is not valid UTF-8":                 {"node", "update", "n", "extra/\u00e9=caf\xe9hush"},
		"argument number 2 of node-update is not valid UTF-8; con": {"node-update", "n", "\xffhush=1"},
	} {
		got := runBare(t, append([]string{"--iotronic-url", "http://ironic.invalid", "iotronic"}, args...)...)
		if got.Exit != 2 || !strings.Contains(got.Stderr, want) || strings.Contains(got.Stderr, "hush") {
			t.Errorf("%q: exit %d: %s", args, got.Exit, got.Stderr)
		}
	}
}

// runBare runs a command line that needs no settings.
func runBare(t *testing.T, args ...string) session {
	t.Helper()
	var out, errs bytes.Buffer
	exit := cli.Run(t.Context(), args, output.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}, cli.Version{Release: "0.1.0", Whole: "0.1.0 (whole)"})
	return session{Exit: exit, Stdout: out.String(), Stderr: errs.String()}
}

// must runs one that has to succeed without a word on standard error, and gives its standard output.
func (a endpoint) must(t *testing.T, line string) string {
	t.Helper()
	got := a.run(t, "", line)
	if got.Exit != 0 || moreFollow.ReplaceAllString(got.Stderr, "") != "" {
		t.Fatalf("craton iotronic %s: exit %d\n%s%s", line, got.Exit, got.Stdout, got.Stderr)
	}
	return got.Stdout
}

// fails runs one that has to fail, and gives its error.
func (a endpoint) fails(t *testing.T, line string) string {
	t.Helper()
	got := a.run(t, "", line)
	text, failed := failure(got)
	if !failed {
		t.Fatalf("craton iotronic %s: exit %d\n%s%s", line, got.Exit, got.Stdout, got.Stderr)
	}
	return text
}

// names returns the cells of a list's only column.
func (a endpoint) names(t *testing.T, line string) []string {
	t.Helper()
	return strings.Fields(a.must(t, "--format csv "+line))[1:]
}

// town returns an Iotronic with boards on roofs.
func town(t *testing.T, options ...iotronictest.Option) (*iotronictest.Server, endpoint) {
	t.Helper()
	s := iotronictest.Start(t, iotronictest.Boards2019, options...)
	roofs := s.Add("fleets", iotronictest.Object{"name": "roofs", "description": "all that is high"})
	pi := s.Add("boards", iotronictest.Object{"name": "pi-01", "code": "c1", "type": "raspberry", "fleet": roofs, "status": "online",
		"extra": iotronictest.Object{"rack": "b7", "big": json.Number("12345678901234567890")}})
	s.Add("boards", iotronictest.Object{"name": "gate-01", "code": "c2", "status": "offline"})
	plugin := s.Add("plugins", iotronictest.Object{"name": "blink", "public": true})
	service := s.Add("services", iotronictest.Object{"name": "ssh", "port": 22})
	s.Add("ports", iotronictest.Object{"board_uuid": pi, "MAC_add": "02:00:00:00:00:01", "VIF_name": "tap1", "network": "net", "ip": "192.0.2.1"})
	s.Add("webservices", iotronictest.Object{"board_uuid": pi, "name": "web", "port": 80})
	s.Add("enabledwebservices", iotronictest.Object{"board_uuid": pi, "http_port": 8080, "https_port": 8443, "dns": "pi", "zone": "example.org"})
	s.Add("injections", iotronictest.Object{"board_uuid": pi, "plugin": plugin})
	s.Add("exposed", iotronictest.Object{"board_uuid": pi, "service": service, "public_port": 50022})
	return s, endpoint{s.URL, iotronictest.Admin.Token}
}

// TestIotronicFormats: the same list as a table, CSV, JSON and YAML.
func TestIotronicFormats(t *testing.T) {
	t.Parallel()
	_, a := town(t)
	for line, want := range map[string]string{
		"board-list": `+--------------------------------------+---------+-----------+------------+--------------------------------------+---------+---------+
| UUID                                 | Name    | Type      | LR Version | Fleet                                | Status  | Session |
+--------------------------------------+---------+-----------+------------+--------------------------------------+---------+---------+
| 00000002-0000-4000-8000-000000000002 | pi-01   | raspberry | None       | 00000001-0000-4000-8000-000000000001 | online  | None    |
| 00000003-0000-4000-8000-000000000003 | gate-01 | None      | None       | None                                 | offline | None    |
+--------------------------------------+---------+-----------+------------+--------------------------------------+---------+---------+
`,
		"board-list --fields name extra mobile": `+---------+---------------------------------------------+--------+
| Name    | Extra                                       | Mobile |
+---------+---------------------------------------------+--------+
| pi-01   | {'big': 12345678901234567890, 'rack': 'b7'} | False  |
| gate-01 | {}                                          | False  |
+---------+---------------------------------------------+--------+
`,
		"--format csv board-list --fields name extra --sort-key name --sort-dir=asc":  "name,extra\ngate-01,{}\npi-01,\"{\"\"big\"\":12345678901234567890,\"\"rack\"\":\"\"b7\"\"}\"\n",
		"--format yaml fleet-show roofs --fields name description":                    "description: all that is high\nname: roofs\n",
		"fleet-show 00000001-0000-4000-8000-000000000001 --fields name --format json": "{\n    \"name\": \"roofs\"\n}\n",
	} {
		if diff := cmp.Diff(want, a.must(t, line)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", line, diff)
		}
	}
	var boards []map[string]any
	if err := json.Unmarshal([]byte(a.must(t, "--format json board-list")), &boards); err != nil || len(boards) != 2 || boards[0]["links"] == nil || boards[0]["extra"] != nil {
		t.Errorf("%v, %v", boards, err) // whole objects, as lists have them
	}
	if err := json.Unmarshal([]byte(a.must(t, "--format json board-list --detail")), &boards); err != nil || boards[0]["extra"] == nil || boards[0]["owner"] != iotronictest.Admin.ID {
		t.Errorf("%v, %v", boards, err)
	}
	header, _, _ := strings.Cut(a.must(t, "--format csv board-list --detail"), "\n")
	// mac_addr, agent, wstun_ip and config are of other releases.
	if header != "uuid,name,type,lr_version,fleet,status,session,code,mobile,connectivity,extra,location,project,owner,created_at,updated_at" {
		t.Error(header)
	}
	if got := a.must(t, "board-show pi-01"); strings.Contains(got, "links") || !strings.Contains(got, "| extra        | {'big': 12345678901234567890, 'rack': 'b7'} |") {
		t.Error(got)
	}
}

// TestIotronicKinds: every kind can be listed and shown, and so can what is below a board or a fleet.
func TestIotronicKinds(t *testing.T) {
	t.Parallel()
	_, a := town(t)
	const uuid = "00000002-0000-4000-8000-000000000002"
	for line, want := range map[string]string{
		"fleet-list --fields name":             "roofs",
		"fleet-list --detail":                  "uuid,name,project,description,extra,created_at,updated_at",
		"fleet-board-list roofs":               uuid + ",pi-01,raspberry,,",
		"boards-in-fleet roofs":                uuid + ",pi-01,raspberry,,",
		"plugin-list --public":                 ",blink," + iotronictest.Admin.ID + ",true,false",
		"plugin-list --all-plugins --detail":   "uuid,name,owner,public,callable,code,parameters,extra,",
		"plugin-list --with-public":            ",blink,",
		"plugin-show blink --fields code":      "code\n\"Vprint(1)\np0\n.\"\n",
		"service-list":                         ",ssh,22,TCP",
		"service-list --all-services --detail": "uuid,name,port,protocol,project,extra,created_at,updated_at",
		"service-show ssh --fields port":       "22",
		"port-list":                            "uuid,MAC_add,VIF_name,network,board_uuid,ip\n00000006-0000-4000-8000-000000000006,02:00:00:00:00:01,tap1,net," + uuid + ",192.0.2.1\n",
		"port-list --detail":                   ",board_uuid,ip\n",
		"port-show 00000006-0000-4000-8000-000000000006 --fields ip MAC_add":  "MAC_add,ip\n02:00:00:00:00:01,192.0.2.1\n",
		"webservice-list --fields secure name":                                "secure,name\ntrue,web\n",
		"webservice-show web --fields port":                                   "80",
		"enabled-webservice-list":                                             "board_uuid,http_port,https_port,dns,zone\n" + uuid + ",8080,8443,pi,example.org\n",
		"enabled-webservice-list --fields dns":                                "dns\npi\n",
		"board-plugin-list pi-01":                                             "plugin,status,onboot,created_at,updated_at\n00000004-0000-4000-8000-000000000004,injected,false,",
		"plugins-on-board pi-01":                                              "00000004-0000-4000-8000-000000000004",
		"board-service-list pi-01":                                            "service,public_port,created_at,updated_at\n00000005-0000-4000-8000-000000000005,50022,",
		"board-port-list pi-01":                                               ",tap1,net,192.0.2.1",
		"board-webservice-list pi-01":                                         ",web,80,true",
		"board-list --status online --fields name":                            "name\npi-01\n",
		"board-list --project 22222222222222222222222222222222 --fields name": "name\n",
	} {
		if got := a.must(t, "--format csv "+line); !strings.Contains(got, want) {
			t.Errorf("%s:\n%s\nwant %s", line, got, want)
		}
	}
	// The API shows single fleets, services and webservices to admins only, and in lists all of them to everybody.
	a.token = iotronictest.Member.Token
	for line, want := range map[string]string{"fleet-show roofs": "all that is high", "service-show ssh --fields protocol": "protocol\nTCP\n", "webservice-show web": "created_at"} {
		if got := a.must(t, "--format csv "+line); !strings.Contains(got, want) {
			t.Errorf("%s:\n%s", line, got)
		}
	}
	if got := a.fails(t, "fleet-show rofs"); got != "GET /v1/fleets/rofs: 403 Forbidden: Policy doesn't allow iot:fleet:get_one to be performed." {
		t.Error(got)
	}
}

// TestIotronicPaging: what a list shows when there is more than a page.
func TestIotronicPaging(t *testing.T) {
	t.Parallel()
	s := iotronictest.Start(t, iotronictest.Boards2019, iotronictest.MaxLimit(3))
	a := endpoint{s.URL, iotronictest.Admin.Token}
	var all []string
	for i := range 8 {
		name := fmt.Sprintf("pi-%02d", i)
		all = append(all, name)
		s.Add("boards", iotronictest.Object{"name": name, "code": name, "status": map[bool]string{true: "online", false: "offline"}[i%2 == 0]})
	}
	uuid := func(i int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012x", i+1, i+1) }
	for line, want := range map[string][]string{
		"--all":                                 all,
		"--limit 0":                             all,
		"--limit 2":                             all[:2],
		"--limit 3":                             all[:3],
		"--limit 5":                             all[:5], // more than a page
		"--limit 50":                            all,
		"--limit 2 --marker " + uuid(4):         all[5:7],
		"--all --marker " + uuid(4):             all[5:],
		"--marker " + uuid(4):                   all[5:],                          // the rest fills a page, and there is nothing behind it
		"--all --status online":                 {all[0], all[2], all[4], all[6]}, // the server's own next page forgets the filter
		"--all --sort-dir desc --sort-key name": {all[7], all[6], all[5], all[4], all[3], all[2], all[1], all[0]},
	} {
		if diff := cmp.Diff(want, a.names(t, "board-list --fields name "+line)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", line, diff)
		}
	}
	got := a.run(t, "", "--format csv board-list --fields name")
	if got.Exit != 0 || got.Stdout != "name\npi-00\npi-01\npi-02\n" || got.Stderr != "3 shown, more follow: --all\n" {
		t.Errorf("%+v", got)
	}

	// Somebody deletes the board at the end of a page while the list is read: it is read again, but not for ever.
	misses := 0
	miss := func(most int) {
		misses = 0
		s.Answer(func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Query().Get("marker") == "" || misses == most {
				return false
			}
			misses++
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"error_message": "{\"faultcode\": \"Client\", \"faultstring\": \"Board x could not be found.\"}"}`)
			return true
		})
	}
	miss(1)
	if got := a.names(t, "board-list --fields name --all"); !slices.Equal(got, all) || misses != 1 {
		t.Errorf("%v after %d misses", got, misses)
	}
	miss(-1)
	if got := a.fails(t, "board-list --all"); !wording.Has(got, "Board x could not be found ... deleted") || misses != 4 {
		t.Errorf("%d misses: %s", misses, got)
	}
	if got := a.fails(t, "board-list --all --marker "+uuid(1)); misses != 5 {
		t.Errorf("a marker of the user's: %d misses: %s", misses, got)
	}
}

// TestIotronicNodes: the nodes of the first two Iotronics, of which the older can neither be filtered nor changed.
func TestIotronicNodes(t *testing.T) {
	t.Parallel()
	for era, want := range map[iotronictest.Era]struct{ header, detail string }{
		iotronictest.Nodes2016: {"uuid,name,code,status,session", ",device,mobile,location,extra,created_at,updated_at"},
		iotronictest.Nodes2017: {"uuid,name,code,type,status,session", ",owner,project,mobile,location,extra,created_at,updated_at"},
	} {
		s := iotronictest.Start(t, era, iotronictest.MaxLimit(2))
		a := endpoint{s.URL, iotronictest.Admin.Token}
		for i := range 5 {
			a.must(t, fmt.Sprintf("node-create --name pi-0%d --code c%[1]d --type raspberry --mobile --latitude 38.1 --longitude 15.5 --altitude %[1]d --extra rack=b%[1]d", i))
		}
		all := []string{"pi-00", "pi-01", "pi-02", "pi-03", "pi-04"}
		header, _, _ := strings.Cut(a.must(t, "--format csv node-list --all"), "\n")
		detail, row, _ := strings.Cut(a.must(t, "--format csv node-list --all --detail"), "\n")
		if header != want.header || detail != want.header+want.detail || !strings.Contains(row, `"{""rack"":""b0""}"`) {
			t.Errorf("%v: %s\n%s", era, header, detail)
		}
		if got := a.names(t, "node-list --all --fields name"); !slices.Equal(got, all) {
			t.Errorf("%v: %v", era, got)
		}
		if got := a.must(t, "--format csv node-list --limit 3 --fields name extra"); got != "name,extra\npi-00,\"{\"\"rack\"\":\"\"b0\"\"}\"\npi-01,\"{\"\"rack\"\":\"\"b1\"\"}\"\npi-02,\"{\"\"rack\"\":\"\"b2\"\"}\"\n" {
			t.Errorf("%v: %s", era, got)
		}
		if got := a.must(t, "--format json node-show pi-03 --fields name extra"); got != "{\n    \"extra\": {\n        \"rack\": \"b3\"\n    },\n    \"name\": \"pi-03\"\n}\n" {
			t.Errorf("%v: %s", era, got)
		}
		for line, want := range map[string]string{
			"node-create --name pi-05 --code c5": "requires --latitude, --longitude, --altitude",
			"node-create --driver ipmi":          "requires --code, --name, --latitude, --longitude, --altitude",
			"node-list --provision-state active": "argument --provision-state: Iotronic of ",
			"node-show pi-0":                     `did you mean "pi-00"?`,
			"node-power pi-00 on":                "node-power does not exist here: " + s.URL + "/v1 is Iotronic of ",
			"node-list --fields power_state":     `Invalid field "power_state"`,
			"board-list":                         "; use node-list",
			"board-create -n x --code x --latitude 1 --longitude 1 --altitude 1": "; use node-create",
			"fleet-list":                          "; it has node-*",
			"node-list --fields name --status on": "",
		} {
			if want == "" {
				if got := a.run(t, "", line); got.Exit != 2 {
					t.Errorf("%v: %s: %+v", era, line, got)
				}
				continue
			}
			if got := a.fails(t, line); !strings.Contains(got, want) {
				t.Errorf("%v: %s:\n%s", era, line, got)
			}
		}
		if got := a.must(t, "node-delete pi-00 pi-04"); got != "Node pi-00 was successfully deleted.\nNode pi-04 was successfully deleted.\n" {
			t.Error(got)
		}
		if got := a.names(t, "node-list --all --fields name"); !slices.Equal(got, all[1:4]) {
			t.Errorf("%v: %v", era, got)
		}
		if era == iotronictest.Nodes2016 {
			if got := a.fails(t, "node-update pi-01 name=pi-09"); !wording.Has(got, "Iotronic of 2016 (dialect iotronic-nodes-2016) ... not support ... nodes") {
				t.Error(got)
			}
			if got := a.fails(t, "plugin-list"); !strings.HasSuffix(got, "; it has node-*") {
				t.Error(got)
			}
			continue
		}
		a.must(t, "node-update pi-01 name=pi-09 extra/unit=4")
		if got := a.must(t, "--format csv node-show pi-09 --fields extra"); got != "extra\n\"{\"\"rack\"\":\"\"b1\"\",\"\"unit\"\":4}\"\n" {
			t.Error(got)
		}
		if got := a.names(t, "node-list --project 22222222222222222222222222222222 --fields name"); len(got) != 0 {
			t.Error(got)
		}
		a.must(t, "plugin-list")
	}
}

// TestIotronicOtherServers: a command that the server does not have says what the server is, and what to use.
func TestIotronicOtherServers(t *testing.T) {
	t.Parallel()
	s, a := town(t)
	here := " does not exist here: " + s.URL + "/v1 is Iotronic since March 2017 (dialect iotronic-boards); "
	const has = "it has board-*, fleet-*, plugin-*, service-*, port-*, webservice-*, enabled-webservice-*"
	for line, want := range map[string]string{
		"node-list":                   "node-list" + here + "use board-list",
		"node-show pi-01":             "node-show" + here + "use board-show",
		"node-create --driver x":      "node-create" + here + "use board-create",
		"node-update pi-01 a=1":       "node-update" + here + "use board-update",
		"node-delete pi-01":           "node-delete" + here + "use board-delete",
		"node-port-list pi-01":        "node-port-list" + here + "use board-port-list",
		"node-set-power-state x on":   "node-power" + here + has,
		"driver-list":                 "driver-list" + here + has,
		"port-list --node x":          "argument --node: Iotronic does not have it",
		"board-list --dialect ironic": "board-list does not exist here: " + s.URL + "/v1 is Ironic (dialect ironic); use node-list",
	} {
		if got := a.fails(t, line); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", line, got, want)
		}
	}
	a.token = "a token of some time ago"
	if got := a.fails(t, "board-list"); !wording.Has(got, "GET /v1/boards: 401 Unauthorized: The request you have made requires authentication. "+
		"... token (OS_TOKEN) ... os_cloud (OS_CLOUD) ... auth_url (OS_AUTH_URL) ... "+s.URL+" (flag --iotronic-url) ... token (flag --os-token) ... `craton config`") {
		t.Error(got)
	}
	for line, want := range map[string]string{
		"iotronic board-list": "no Ironic or Iotronic ... set CRATON_IOTRONIC_URL",
		"--iotronic-url http://127.0.0.1:1 --max-retries 0 iotronic node-list":       "cannot reach ... GET http://127.0.0.1:1/v1: ",
		"iotronic node-list --iotronic-url " + s.URL + " --iotronic-api-version new": `"new" ... version`,
	} {
		got := run(t, strings.NewReader(""), split(line)...)
		if got.Exit != 1 || got.Stdout != "" || !wording.Has(got.Stderr, want) || strings.Contains(got.Stderr, "iotronic: ") {
			t.Errorf("%s: %+v", line, got)
		}
	}
}
