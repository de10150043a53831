package craton

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestTrailingLinks: a page's links and whether it is empty do not depend on which way they are found.
func TestTrailingLinks(t *testing.T) {
	t.Parallel()
	const links = `"links": [{"href": "http://x/v1/hosts?marker=7&limit=10", "rel": "next"}]`
	for name, c := range map[string]struct {
		body string
		fast bool
	}{
		"as served":                {"{\n  \"hosts\": [\n    {\"id\": 7, \"links\": [{\"href\": \"/v1/cells/1\", \"rel\": \"up\"}]}\n  ],\n  " + links + "\n}\n", true},
		"compact":                  {`{"hosts":[{"id":7}],"links":[]}`, true},
		"empty":                    {"{\n  \"hosts\": [],\n  " + links + "}", true},
		"empty with space":         {`{"hosts": [ ] , ` + links + ` } `, true},
		"links first":              {`{` + links + `, "hosts": [{"id": 7}]}`, false},
		"more members":             {`{"hosts": [{"id": 7}], ` + links + `, "total": 1}`, false},
		"another list first":       {`{"ghosts": [], "hosts": [{"id": 7}], ` + links + `}`, false},
		"a bracket in a link":      {`{"hosts": [{"id": 7}], "links": [{"href": "http://x/v1/hosts?marker=7&vars=a[0]:1", "rel": "next"}]}`, false},
		"the word in a variable":   {`{"hosts": [{"id": 7, "variables": {"x": "\"links\": []}"}}], ` + links + `}`, true},
		"links only of the object": {`{"hosts": [{"id": 7, "links": []}]}`, false},
		"devices":                  {`{"devices": {"hosts": [], "network-devices": [{"id": 7}]}, ` + links + `}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &RawPage{Body: []byte(c.body), empty: true}
			fast, err := p.trailingLinks("/hosts")
			if err != nil || fast != c.fast {
				t.Fatalf("trailingLinks = %v, %v; want %v", fast, err, c.fast)
			}
			got, err := parsePage([]byte(c.body), "/hosts")
			if name == "links only of the object" {
				if err == nil {
					t.Error("a page without links is accepted")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			// The same members in an order that only the slow way reads.
			slow, err := parsePage([]byte(`{"_": 0, `+c.body[1:]), "/hosts")
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(slow, got, cmp.AllowUnexported(RawPage{}), cmpopts.IgnoreFields(RawPage{}, "Body")); d != "" {
				t.Error(d)
			}
		})
	}
}
