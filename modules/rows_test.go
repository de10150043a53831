package modules

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestInvalidRows: every info module refuses a listing with a row that is no object, and names both.
func TestInvalidRows(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	rows := "null"
	a.Answer = func(w http.ResponseWriter, r *http.Request) bool {
		list := strings.ReplaceAll(strings.TrimPrefix(r.URL.Path, "/v1/"), "-", "_")
		body := fmt.Sprintf(`"%s": [%s]`, list, rows)
		if list == "devices" {
			body = `"devices": {"hosts": [` + rows + `], "network-devices": []}`
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{%s, "links": [{"rel": "first", "href": "%[2]s"}, {"rel": "self", "href": "%[2]s"}, {"rel": "next", "href": "%[2]s?marker=1"}]}`, body, r.URL.Path)
		return true
	}
	for text, want := range map[string]string{"null": "is null, not an object", `"x"`: "is a string, not an object", `{"name": "x"}`: "has no id"} {
		rows = text
		for _, kind := range []string{"cloud", "region", "cell", "host", "network_device", "network", "network_interface", "device", "project", "user"} {
			a.Fails(t, "craton_"+kind+"_info", args{}, "row 1 of its list", want, "GET /"+strings.ReplaceAll(kind, "_", "-")+"s")
		}
	}
}
