package craton

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/internal/value"
)

// FuzzVariables: what encoding/json takes for an object, Variables takes too, with every value's text but for white
// space; and an encoded one decodes to the same.
func FuzzVariables(f *testing.F) {
	for _, seed := range []string{
		`{}`, `null`, ` { "a" : 1.0 , "b":1e400, "c": 123456789012345678901234567890 } `, `{"":{"":[null,[null,{}]]}}`,
		`{"a":"\u00e9\ud83d\ude00\ud83d","é":"<&>\u2028","a\"b":"\\","a":2}`, `{"a":-0.0E+1}`, `[]`, `{"a":tru}`, `{"a":1}x`, "{\"\xff\":1}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var want map[string]json.RawMessage
		wantErr := json.Unmarshal(data, &want)
		var got Variables
		gotErr := json.Unmarshal(data, &got)
		if (wantErr == nil) != (gotErr == nil) {
			t.Fatalf("%q: %v, encoding/json says %v", data, gotErr, wantErr)
		}
		if direct := new(Variables); (direct.UnmarshalJSON(data) == nil) != (wantErr == nil) {
			t.Fatalf("%q: the answer depends on who calls", data)
		}
		if gotErr != nil {
			return
		}
		for key := range want {
			if strings.ContainsRune(key, '\uFFFD') {
				return // bytes and half surrogates that are no text: each decoder makes of them what it likes
			}
		}
		if len(got) != len(want) || (got == nil) != (want == nil) {
			t.Fatalf("%q: %d keys, want %d", data, len(got), len(want))
		}
		for key, raw := range want {
			var compact bytes.Buffer
			if err := json.Compact(&compact, raw); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(compact.Bytes(), got[key]) {
				t.Errorf("%q: %s, want %s", key, got[key], compact.Bytes())
			}
		}
		sent, err := value.Encode(got)
		if err != nil {
			t.Fatal(err)
		}
		var again Variables
		if err := json.Unmarshal(sent, &again); err != nil {
			t.Fatal(err)
		}
		for key, raw := range got {
			if !bytes.Equal(raw, again[key]) {
				t.Errorf("%q: %s became %s on its way", key, raw, again[key])
			}
		}
	})
}

// FuzzTimestamp: what is read is written in Craton's form, and is read as the same instant, to the microsecond.
func FuzzTimestamp(f *testing.F) {
	for _, seed := range []string{`"2017-03-30T08:15:42.318274"`, `null`, `"2017-03-30T08:15:42"`, `"2017-03-30T10:15:42+02:00"`, `"`, `""`, `5`, `"0000-01-01T00:00:00"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var ts Timestamp
		if ts.UnmarshalJSON(data) != nil {
			return
		}
		out, err := ts.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var again Timestamp
		if err := again.UnmarshalJSON(out); err != nil {
			t.Fatalf("%s becomes %s: %v", data, out, err)
		}
		if !again.Equal(ts.Truncate(time.Microsecond)) {
			t.Errorf("%s becomes %s, that is %v", data, out, again)
		}
	})
}

// FuzzNextLink: whatever a link says, the walk stays at the collection, and goes on only with a marker.
func FuzzNextLink(f *testing.F) {
	for _, seed := range []string{
		"http://h/v1/hosts?marker=1&limit=100", "https://u:p@other.example:1/craton/v1/hosts?marker=1&vars=a%3A%22b%22", "/v1/hosts?marker=1",
		"?marker=1", "", "http://h/v1/users?marker=1", "http://h/v1/hosts?marker=", "http://[::1", "//h/v1/hosts?marker=%zz", "http://h/v1/hosts?marker=1;a=b#f", "http://h/v1/%68osts?marker=1",
	} {
		f.Add(seed)
	}
	base, err := url.Parse("https://craton.example/base/v1")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, href string) {
		body, err := json.Marshal(map[string]any{"hosts": []map[string]int{{"id": 1}}, "links": []Link{{Rel: "next", Href: href}}})
		if err != nil {
			t.Skip()
		}
		page, err := parsePage(body, "/hosts")
		if err != nil {
			return
		}
		next, err := page.next("/hosts")
		if err != nil || next.Get("marker") == "" || page.empty() {
			t.Fatalf("%q: %v, %v", href, next, err)
		}
		u, err := rest.Join(base, "/hosts")
		if err != nil {
			t.Fatal(err)
		}
		u.RawQuery = next.Encode()
		asked, err := url.Parse(u.String())
		if err != nil || asked.Host != "craton.example" || asked.Path != "/base/v1/hosts" || asked.User != nil {
			t.Errorf("%q leads to %s", href, u)
		}
	})
}
