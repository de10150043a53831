package web_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/web"
)

// original plays the original server, which cannot be run here: the same v1, and nothing beside it. It tells labels
// only where they are asked for, and the keys of users to whoever lists them.
type original struct {
	t   *testing.T
	api http.Handler
}

// besideV1 are the routes and the parameters that the original does not have.
var besideV1 = map[string][]string{
	"route":     {"capabilities", "fleet", "changes", "history", "diff", "undo", "bulk", "prometheus", "sets"},
	"parameter": {"where", "at", "concealed", "setters"},
}

const keyOfTheOriginal = "the-key-of-a-user"

func (o *original) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/"), "/")
	for name := range r.URL.Query() {
		if slices.Contains(besideV1["parameter"], name) {
			o.t.Errorf("the original is asked for %s", r.URL)
		}
	}
	if slices.Contains(besideV1["route"], parts[0]) || parts[0] == "users" && len(parts) > 2 {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"message": "The requested URL was not found on the server.", "status": 404}`))
		return
	}
	answer := httptest.NewRecorder()
	o.api.ServeHTTP(answer, r)
	w.Header().Set("Content-Type", answer.Header().Get("Content-Type"))
	w.WriteHeader(answer.Code)
	var body map[string]json.RawMessage
	if len(parts) > 2 || json.Unmarshal(answer.Body.Bytes(), &body) != nil {
		_, _ = w.Write(answer.Body.Bytes())
		return
	}
	change := func(one map[string]json.RawMessage) {
		delete(one, "labels")
		if one["username"] != nil {
			one["api_key"] = json.RawMessage(`"` + keyOfTheOriginal + `"`)
		}
	}
	change(body)
	for key, list := range body {
		var objects []map[string]json.RawMessage
		if json.Unmarshal(list, &objects) == nil && key != "links" {
			for _, one := range objects {
				change(one)
			}
			body[key], _ = json.Marshal(objects)
		}
	}
	text, _ := json.Marshal(body)
	_, _ = w.Write(text)
}

// TestOriginal: every page works on the original server, or says what that does not know.
func TestOriginal(t *testing.T) {
	t.Parallel()
	f := newFixture(t, smallFleet)
	projects, err := f.client.Projects.List(t.Context(), craton.ProjectListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.client.Users.Create(t.Context(), craton.UserCreate{Username: "ann", ProjectID: projects.Items[0].ID, IsAdmin: true}); err != nil {
		t.Fatal(err)
	}
	c := clientOf(t, &original{t, f.api})
	f.page = web.New(web.Options{Client: func(*http.Request) (*craton.Client, error) { return c, nil }})
	has(t, f.words("/ui/"), "cloud east 3 0 1 2 ntp 3")
	has(t, f.words(f.at("web-01")), `ntp "10.0.0.1" overrides 3`, "Labelsweb", "label_web", "This server has no change log, so it is not known who set a value.")
	has(t, f.words("/ui/hosts?where=label%3Dweb"), "web-01", "web-02", "2 hosts.")
	has(t, f.words("/ui/variables"), "ntp 3 4")
	has(t, f.words("/ui/variables/ntp?where=label%3Dweb"), "Hosts with this variable: 2")
	has(t, f.words("/ui/find?q=WEB"), "label web", "name = web-01")
	has(t, f.words("/ui/compare?a=web-01&b=web-02"), `ntp "10.0.0.1"`)
	has(t, f.words("/ui/compare?a=web-01&then=1d"), "has no change log: the original Craton server keeps none")
	has(t, f.words("/ui/users"), "ann admin default")
	for _, path := range []string{"/ui/changes", "/ui/hosts?at=yesterday", "/ui/?at=3", "/ui/hosts/1?at=3"} {
		w := f.get(path)
		text := strings.Join(strings.Fields(f.check(path, w).text), " ")
		if w.Code != http.StatusConflict {
			t.Errorf("%s: %d", path, w.Code)
		}
		has(t, text, "Not available", "has no change log: the original Craton server keeps none")
	}
	seen, todo := map[string]bool{}, []string{"/ui/", "/ui/users", "/ui/users/1"}
	for len(todo) > 0 && len(seen) < 200 {
		path := todo[0]
		if todo = todo[1:]; seen[path] {
			continue
		}
		seen[path] = true
		u, err := url.Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		w := f.get(path)
		if strings.Contains(w.Body.String(), keyOfTheOriginal) {
			t.Errorf("%s tells keys", path)
		}
		switch {
		case u.Path == "/ui/changes" || u.Path == "/ui/changes.json" || u.Query().Has("at"):
		case w.Code != http.StatusOK:
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		case !strings.HasSuffix(u.Path, ".json"):
			todo = append(todo, f.check(path, w).links...)
		}
	}
	if len(seen) < 60 {
		t.Errorf("only %d pages", len(seen))
	}
}
