package craton_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/craton"
)

// TestTextsNotSent: what no fleet may hold never reaches a server, whatever it is.
func TestTextsNotSent(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t)
	mux.HandleFunc("/v1/", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		t.Errorf("%s %s was sent", r.Method, r.URL)
	})
	ctx := t.Context()
	vars := func(key, value string) craton.Variables { return craton.Variables{key: json.RawMessage(value)} }
	for want, send := range map[string]func() error{
		"name contains the character U+200B": func() error { _, err := c.Clouds.Create(ctx, craton.CloudCreate{Name: "a\u200b"}); return err },
		"name is not UTF-8":                  func() error { _, err := c.Clouds.Create(ctx, craton.CloudCreate{Name: "a\xff"}); return err },
		"note contains a NUL character":      func() error { _, err := c.Clouds.Create(ctx, craton.CloudCreate{Name: "a", Note: "\x00"}); return err },
		"variables.a[0] is 1e400, which is too large": func() error {
			_, err := c.Clouds.Create(ctx, craton.CloudCreate{Name: "a", Variables: vars("a", `[1e400]`)})
			return err
		},
		`variables."\x00" contains a NUL character`: func() error {
			_, err := c.Clouds.Create(ctx, craton.CloudCreate{Name: "a", Variables: vars("\x00", `1`)})
			return err
		},
		"device_type contains a control character": func() error {
			_, err := c.Hosts.Create(ctx, craton.HostCreate{Name: "a", DeviceType: "\t"})
			return err
		},
		"labels[1] is empty": func() error {
			_, err := c.Hosts.Create(ctx, craton.HostCreate{Name: "a", Labels: []string{"a", ""}})
			return err
		},
		"labels[0] contains the character U+202E":         func() error { _, err := c.Hosts.AddLabels(ctx, 1, "\u202e"); return err },
		"x.y contains a NUL character":                    func() error { _, err := c.Hosts.SetVariables(ctx, 1, vars("x", `{"y":"\u0000"}`)); return err },
		`"k\ufeff" contains the character U+FEFF`:         func() error { _, err := c.Hosts.SetVariables(ctx, 1, vars("k\ufeff", `1`)); return err },
		"x is 1e-400, which is too close to zero":         func() error { _, err := c.Hosts.SetVariables(ctx, 1, vars("x", `1e-400`)); return err },
		"x[1] is not UTF-8, or contains half a surrogate": func() error { _, err := c.Hosts.SetVariables(ctx, 1, vars("x", `[1,"\ud800"]`)); return err },
	} {
		if err := send(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	// What is there already can be taken away.
	if err := c.Hosts.RemoveLabels(ctx, 1, "", "\u202e"); err != nil {
		t.Error(err)
	}
	if err := c.Hosts.DeleteVariables(ctx, 1, "k\ufeff", "\x00"); err != nil {
		t.Error(err)
	}
}

// TestUndecodableTexts: a response with such a text is an error that names the object, not another text.
func TestUndecodableTexts(t *testing.T) {
	t.Parallel()
	for row, want := range map[string]string{
		`{"id":7,"name":"\ud800"}`:                                  "clouds[1] (id 7) its name is not UTF-8, or contains half a surrogate pair",
		"{\"id\":7,\"name\":\"a\xff\"}":                             "clouds[1] (id 7) its name is not UTF-8",
		`{"id":7,"name":"a","note":"\udc00"}`:                       "clouds[1] (id 7) its note is not UTF-8",
		`{"id":7,"name":"a","variables":{"\ud800":1}}`:              "clouds[1] (id 7) a key of its variables is not UTF-8",
		`{"id":7,"name":null}`:                                      "clouds[1] (id 7) has the name null, which is not text",
		`{"id":7,"name":5}`:                                         "clouds[1] (id 7) has the name 5, which is not text",
		`{"id":7,"name":"\ud834\udd1e","variables":{"a":"\ud800"}}`: "",
	} {
		mux, c := newServer(t)
		mux.HandleFunc("/v1/clouds", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"clouds":[{"id":6,"name":"fine"},` + row + `],"links":` + links(r, "http://h", "7") + `}`))
		})
		mux.HandleFunc("/v1/clouds/7", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(row))
		})
		_, oneErr := c.Clouds.Get(t.Context(), 7)
		_, said, _ := strings.Cut(want, "] ")
		if (oneErr == nil) != (want == "") || oneErr != nil && !strings.Contains(oneErr.Error(), said) && !strings.Contains(oneErr.Error(), "unmarshal number") {
			t.Errorf("%s alone: %v, want %s", row, oneErr, said)
		}
		page, err := c.Clouds.List(t.Context(), craton.CloudListOptions{})
		if want == "" {
			if err != nil || string(page.Items[1].Variables["a"]) != `"\ud800"` {
				t.Errorf("%s: %v, %v", row, page, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", row, err, want)
		}
	}
}
