package cli_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/craton-fleet/craton/internal/wording"
)

// These tests play the original server where it misbehaves: with its statuses and bodies, as the contract has them.

// answers are an API's answers by method and path with query; a function where they depend on more.
type answers map[string]any

// answer is a status and a body; the content type is JSON's unless the body begins with <.
type answer struct {
	status int
	body   string
}

func (a answer) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	if strings.HasPrefix(a.body, "<") {
		w.Header().Set("Content-Type", "text/html")
	}
	w.WriteHeader(a.status)
	_, _ = w.Write([]byte(a.body))
}

// failed returns an answer with an error's message.
func failed(status int, message string) answer {
	return answer{status, fmt.Sprintf(`{"message": %q, "status": %d}`, message, status)}
}

func original(t *testing.T, a answers) *fixture {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.Method + " " + strings.TrimPrefix(r.URL.Path, "/v1")
		if with := path + "?" + r.URL.RawQuery; a[with] != nil {
			path = with
		}
		if strings.HasSuffix(r.URL.Path, "/labels") {
			path = r.Method + " labels"
		}
		switch found := a[path].(type) {
		case answer:
			if r.URL.Query().Has("marker") && strings.Contains(found.body, askedMarker) {
				key, _, _ := strings.Cut(found.body[2:], `"`)
				found = page(key, "", 100, "")
			}
			found.asked(r).write(w)
		case func(r *http.Request) answer:
			found(r).asked(r).write(w)
		default:
			if path == "GET /capabilities" { // which it has not
				failed(404, "The requested URL was not found on the server.").write(w)
				return
			}
			failed(404, "The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.").write(w)
			t.Errorf("unexpected request %s", path)
		}
	}))
	t.Cleanup(s.Close)
	return &fixture{s.URL, "5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c", "secret"}
}

// page returns a list body with the links that the original has; where it stands alone, a page behind it is empty.
func page(key, objects string, limit int, last string) answer {
	next := ""
	if objects != "" {
		next = fmt.Sprintf(`, {"href": "http://craton/v1/%[1]s?limit=%[2]d&details=true&marker=%[3]s", "rel": "next"}`, key, limit, last)
	}
	return answer{200, fmt.Sprintf(`{%[1]q: [%[2]s], "links": [{"href": "http://craton/v1/%[1]s?limit=%[3]d", "rel": "first"}, {"href": "http://craton/v1/%[1]s?limit=%[3]d&marker=%[4]s", "rel": "self"}%[5]s]}`,
		key, objects, limit, askedMarker, next)}
}

// askedMarker stands in a body for the marker of the request.
const askedMarker = "{asked}"

func (a answer) asked(r *http.Request) answer {
	a.body = strings.ReplaceAll(a.body, askedMarker, r.URL.Query().Get("marker"))
	return a
}

// rows returns n objects with ids from 1 on, each with more members behind its id.
func rows(n int, more string) string {
	var all []string
	for id := 1; id <= n; id++ {
		all = append(all, fmt.Sprintf(`{"id": %d, "name": "c%[1]d"%s}`, id, more))
	}
	return strings.Join(all, ", ")
}

func TestErrorsOfTheOriginal(t *testing.T) {
	t.Parallel()
	unknown := failed(500, "An unknown exception occurred")
	f := original(t, answers{
		"PUT /hosts/9": unknown, "GET /hosts/9": failed(404, "Not Found"), "GET /hosts?limit=100&name=9": page("hosts", "", 100, ""),
		"PUT /hosts/1": unknown, "GET /hosts/1": answer{200, `{"id": 1}`},
		"POST /clouds":     failed(409, "A cloud with the given name already exists."),
		"POST /regions":    unknown,
		"GET /clouds":      failed(429, "slow down"),
		"GET /regions":     answer{502, "<html><h1>Bad   gateway</h1></html>"},
		"GET /projects":    failed(401, "This action requires the 'admin' role"),
		"GET /users":       answer{200, `[]`},
		"GET /cells/1":     answer{200, `"cell"`},
		"GET /networks/1":  answer{404, `{"message": "The requested URL was not found on the server."}`},
		"DELETE /clouds/1": unknown, "DELETE /cells/7": failed(404, "Not Found"),
		"GET /regions?cloud_id=1&limit=100": page("regions", "", 100, ""), "GET /cells?cloud_id=1&limit=100": page("cells", "", 100, ""),
		"GET /hosts?cloud_id=1&limit=100": page("hosts", "", 100, ""), "GET /network-devices?cloud_id=1&limit=100": page("network_devices", "", 100, ""),
		"GET /networks?limit=100": page("networks", "", 100, ""), "GET /hosts?cell_id=7&limit=100": page("hosts", "", 100, ""),
		"GET /network-devices?cell_id=7&limit=100": page("network_devices", "", 100, ""), "GET /networks?cell_id=7&limit=100": page("networks", "", 100, ""),
		"GET /regions?cloud_id=2&limit=100": failed(403, "no"),
	})
	for line, want := range map[string]string{
		"host-update 9 --note x": "The requested resource was not found.",
		"host-update 1 --note x": "There was an internal server error that could not be recovered from. An unknown exception occurred; ... original server ... " +
			"id ... not exist ... name ... taken ... 255 characters",
		"cloud-create -n east": "The request could not be processed due to a conflict. A cloud with the given name already exists.",
		"region-create -n dfw --cloud 7": "There was an internal server error that could not be recovered from. An unknown exception occurred; ... original server ... " +
			"id ... not exist ... name ... taken ... 255 characters",
		"cloud-list":  "Something went wrong with the request. slow down",
		"region-list": "HTTP Server-side Error <html><h1>Bad gateway</h1></html>",
		"project-list": "The user has either provided insufficient parameters for authentication or is not authorized to access this resource." +
			" This action requires the 'admin' role",
		"user-list":   `GET /users: ... not a Craton v1 response ... a list ... URL`,
		"cell-show 1": "GET /cells/1: ... not a Craton v1 response ... URL",
		"network-show 1": "The requested resource was not found. The requested URL was not found on the server." +
			" ... URL ... Craton v1",
		"cloud-delete 1": `Failed to delete cloud 1: There was an internal server error that could not be` +
			` recovered from. An unknown exception occurred; ... original server ... refers to the object ... ` +
			`children ... parents ... interfaces ... networks ... cells ... regions ... clouds`,
		"cloud-delete 2": "what the cloud contains ... nothing was deleted ... --yes ... The user was unable to access the resource because they are forbidden. no",
	} {
		if got := f.fails(t, line); !wording.Has(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", line, got, want)
		}
	}
	f.must(t, "cell-delete 7")
}

// hosts answers listings of 45 hosts as the original does: with details, pages of more than 10 fail (Q8).
func hosts(r *http.Request) answer {
	q := r.URL.Query()
	limit, _ := strconv.Atoi(q.Get("limit"))
	marker, _ := strconv.Atoi(q.Get("marker"))
	if q.Get("details") != "true" || limit > 10 || limit == 0 {
		return failed(500, "An unknown exception occurred")
	}
	var objects []string
	for id := marker + 1; id <= min(marker+limit, 45); id++ {
		objects = append(objects, fmt.Sprintf(`{"id": %d, "name": "h%[1]d", "variables": {"n": %[1]d}}`, id))
	}
	return page("hosts", strings.Join(objects, ","), limit, strconv.Itoa(marker+len(objects)))
}

// TestDetailsOfTheOriginal: large pages with details fail, and labels are asked for host by host. One host is deleted
// meanwhile.
func TestDetailsOfTheOriginal(t *testing.T) {
	t.Parallel()
	f := original(t, answers{"GET /hosts": hosts, "GET labels": func(r *http.Request) answer {
		switch r.URL.Path {
		case "/v1/hosts/1/labels":
			return answer{200, `{"labels": ["web", "canary"]}`}
		case "/v1/hosts/2/labels":
			return failed(404, "Not Found")
		}
		return answer{200, `{"labels": []}`}
	}})
	rows := strings.Split(f.must(t, "--format csv host-list --fields id variables labels"), "\n")
	if len(rows) != 1+30+1 || rows[1] != `1,"{""n"":1}","[""canary"",""web""]"` || rows[2] != `2,"{""n"":2}",` || rows[30] != `30,"{""n"":30}",[]` {
		t.Errorf("%d rows: %q", len(rows), rows)
	}
	if got := f.column(t, "id labels", "host-list --all"); len(got) != 45 {
		t.Errorf("%d of 45 hosts", len(got))
	}

	f = original(t, answers{"GET /hosts": hosts, "GET labels": failed(503, "busy")})
	if got := f.fails(t, "host-list --fields id labels"); got != "HTTP Server-side Error busy" {
		t.Error(got)
	}
}

// TestIncompleteListPrintsNothing: the page behind the first one fails.
func TestIncompleteListPrintsNothing(t *testing.T) {
	t.Parallel()
	f := original(t, answers{"GET /clouds": func(r *http.Request) answer {
		if r.URL.Query().Get("marker") != "" {
			return failed(400, "the disk is full")
		}
		return page("clouds", rows(100, ""), 100, "100")
	}})
	if got := f.fails(t, "--format json cloud-list --all"); got != "The request sent to the server was invalid. the disk is full" {
		t.Error(got)
	}
}

// TestListingRestarts when the object that its walk stands on was deleted meanwhile.
func TestListingRestarts(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	f := original(t, answers{"GET /clouds": func(r *http.Request) answer {
		switch marker := r.URL.Query().Get("marker"); {
		case marker == "":
			return page("clouds", rows(100, ""), 100, "100")
		case asked.Add(1) == 1:
			return failed(400, `Marker "100" does not exist`)
		case marker != "100":
			return page("clouds", "", 100, "")
		}
		return page("clouds", `{"id": 103, "name": "c103"}`, 100, "103")
	}})
	if got := f.column(t, "id", "cloud-list --all"); len(got) != 101 || got[100] != "103" {
		t.Error(got)
	}
}

// TestKeysOfUsers: what the original shows of them is not shown.
func TestKeysOfUsers(t *testing.T) {
	t.Parallel()
	const user = `{"id": 1, "username": "ci", "api_key": "hush"}`
	f := original(t, answers{"GET /users/1": answer{200, user}, "GET /users": page("users", user, 30, "1"), "POST /users": answer{201, user},
		"GET /capabilities": failed(404, "The requested URL was not found on the server.")})
	for line, shown := range map[string]bool{
		"user-show 1": false, "--format json user-show 1": false, "--format json user-list": false, "--format yaml user-list": false,
		"user-create -n ci --project 5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c": true,
	} {
		if got := f.must(t, line); strings.Contains(got, "hush") != shown {
			t.Errorf("%s:\n%s", line, got)
		}
	}
	if got := f.must(t, "user-list"); strings.Contains(got, "Role") { // which this server does not have
		t.Error(got)
	}
}

// TestLabelsThatCouldNotBeAdded: the device was made, and the error says so.
func TestLabelsThatCouldNotBeAdded(t *testing.T) {
	t.Parallel()
	f := original(t, answers{"POST /network-devices": answer{201, `{"id": 7}`}, "PUT labels": failed(400, "too long")})
	got := f.fails(t, "network-device-create -n sw -i 10.0.0.1 -t switch -r 1 --cloud 1 -l x")
	if !wording.Has(got, "Network device 7 ... labels ... not ... The request sent to the server was invalid. too long") {
		t.Error(got)
	}
}

func TestNoResponse(t *testing.T) {
	t.Parallel()
	// A port that is free now may be another test's in a moment.
	f := &fixture{"http://127.0.0.1:1", "5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c", "secret"}
	for _, line := range []string{"cloud-list", "cloud-create -n east", "cloud-vars-get 1", "cloud-delete 1"} {
		if got := f.fails(t, line); !strings.HasPrefix(got, "Unable to establish connection to "+f.url+"/v1/") || !strings.Contains(got, "refused") {
			t.Errorf("%s: %s", line, got)
		}
	}
	got := run(t, strings.NewReader(""), "--craton-url", f.url, "cloud-list")
	if got.Exit != 1 || !strings.Contains(got.Stderr, "OS_PASSWORD") {
		t.Errorf("without credentials: %+v", got)
	}
	got = f.run(t, strings.NewReader(""), "--craton-version", "2", "cloud-list")
	if got.Exit != 1 || !wording.Has(got.Stderr, "ERROR: ... version 2 ... 1 (flag --craton-version)") {
		t.Errorf("%+v", got)
	}
}

// TestNameOnLaterPage: clouds are looked through page by page, because their own filter by name misbehaves (Q14).
func TestNameOnLaterPage(t *testing.T) {
	t.Parallel()
	f := original(t, answers{
		"GET /clouds": func(r *http.Request) answer {
			q := r.URL.Query()
			switch {
			case q.Has("name"):
				return failed(500, "An unknown exception occurred")
			case q.Get("marker") == "":
				return page("clouds", rows(100, ""), 100, "100")
			case q.Get("marker") != "100":
				return page("clouds", "", 100, "")
			}
			return page("clouds", `{"id": 102, "name": "east", "project_id": "5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c"},
				{"id": 103, "name": "east", "project_id": "0b9e1d5f-1c1a-4b7c-8d0e-2f3a4b5c6d7e"}`, 100, "103")
		},
		"GET /clouds/102": answer{200, `{"id": 102}`},
	})
	if got := f.must(t, "--format csv cloud-show east"); got != "id\n102\n" { // the other one belongs to another project
		t.Error(got)
	}
}

// TestNoPastOfTheOriginal: the original would pass over what it does not know, and show the present.
func TestNoPastOfTheOriginal(t *testing.T) {
	t.Parallel()
	f := original(t, answers{"GET /capabilities": failed(404, "The requested URL was not found on the server.")})
	for _, line := range []string{"host-list --at yesterday", "host-vars-get 1 --at 12", "cloud-show east --at 2026-11-20"} {
		if got := f.fails(t, line); !regexp.MustCompile(`^127\.0\.0\.1:[0-9]+ .*no change log.* original Craton`).MatchString(got) {
			t.Errorf("%s: %s", line, got)
		}
	}
}
