package craton

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
)

// parsePage reads a page from its body alone.
func parsePage(body []byte, path string) (*RawPage, error) {
	if !gjson.ValidBytes(body) {
		return nil, errors.New("it is not JSON")
	}
	p := &RawPage{Body: body}
	if err := p.read(path); err != nil {
		return nil, err
	}
	return p, nil
}

// TestParsePage: what is read of a page does not depend on how its JSON is written.
func TestParsePage(t *testing.T) {
	t.Parallel()
	const link = `{"href": "http://x/v1/hosts?marker=7&limit=10", "rel": "next"}`
	links := []Link{{Href: "http://x/v1/hosts?marker=7&limit=10", Rel: "next"}}
	seven := []row{{id: "7", number: 7}}
	for name, c := range map[string]struct {
		body string
		path string
		want RawPage
	}{
		"as served":               {"{\n  \"hosts\": [\n    {\"created_at\": \"2017-03-30T08:20:01.000000\", \"id\": 7, \"links\": [{\"href\": \"/v1/cells/1\", \"rel\": \"up\"}]}\n  ],\n  \"links\": [" + link + "]\n}\n", "", RawPage{Links: links, rows: []row{{"7", "2017-03-30T08:20:01.000000", 7}}}},
		"compact":                 {`{"hosts":[{"id":7}],"links":[]}`, "", RawPage{Links: []Link{}, rows: seven}},
		"empty":                   {`{"hosts": [ ] , "links": [` + link + `] } `, "", RawPage{Links: links}},
		"links first":             {`{"links": [` + link + `], "hosts": [{"id": 7}]}`, "", RawPage{Links: links, rows: seven}},
		"more members":            {`{"total": 1.5e3, "ghosts": [null], "hosts": [{"id": 7}], "links": [], "more": true}`, "", RawPage{Links: []Link{}, rows: seven}},
		"ids in variables":        {`{"hosts": [{"a": {"id": 1}, "b": [{"id": 2}], "id": 7, "variables": {"id": 8, "x": "\", \"id\": 9, \\", "links": []}}], "links": []}`, "", RawPage{Links: []Link{}, rows: seven}},
		"escaped names":           {`{"\u0068osts": [{"\u0069d": 7}], "link\u0073": []}`, "", RawPage{Links: []Link{}, rows: seven}},
		"of an id twice the last": {`{"hosts": [{"id": 1, "id": 7}], "links": []}`, "", RawPage{Links: []Link{}, rows: seven}},
		"devices":                 {`{"devices": {"network-devices": [{"id": 7}], "hosts": []}, "links": []}`, "/devices", RawPage{Links: []Link{}, rows: seven}},
		"projects":                {`{"projects": [{"id": "ab"}], "links": []}`, "/projects", RawPage{Links: []Link{}, rows: []row{{id: "ab"}}}},
	} {
		if c.path == "" {
			c.path = "/hosts"
		}
		p, err := parsePage([]byte(c.body), c.path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff([]any{c.want.Links, fmt.Sprint(c.want.rows)}, []any{p.Links, fmt.Sprint(p.rows)}); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
