package server_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// decoded is a body without its compression.
func decoded(t testing.TB, resp *http.Response, body []byte) string {
	t.Helper()
	var r io.Reader = bytes.NewReader(body)
	var err error
	switch coding := resp.Header.Get("Content-Encoding"); coding {
	case "":
	case "gzip":
		r, err = gzip.NewReader(r)
	case "zstd":
		r, err = zstd.NewReader(r)
	default:
		err = fmt.Errorf("the coding %q", coding)
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestCodings: a compressed answer is the answer, from the smallest to those
// that are made in files, and clients that ask for nothing get nothing.
func TestCodings(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.place("c", "r", "l")
	value := strings.Repeat("0123456789abcdef", 2000)
	for i := range 60 {
		f.must(f.root, 201, "POST", "/v1/hosts", fmt.Sprintf(`{"name":"h%d","ip_address":"10.0.0.%d","device_type":"s","cloud_id":1,"region_id":1,"variables":{"v":"%s","i":%d}}`, i, i+1, value, i))
	}
	ask := func(method, path, accept string) (*http.Response, []byte) {
		req, err := http.NewRequestWithContext(t.Context(), method, f.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if accept != "" {
			req.Header.Set("Accept-Encoding", accept)
		}
		f.root.sign(req)
		return do(t, req)
	}
	for path, packed := range map[string]bool{
		"/v1/clouds/1":                         false, // too small to be worth it
		"/v1/hosts?limit=10":                   true,
		"/v1/hosts?limit=10&details=true":      true, // in memory
		"/v1/hosts?limit=60&details=true":      true, // in a file
		"/v1/ansible-inventory":                true,
		"/v1/hosts/1/variables":                true,
		"/v1/hosts?limit=10&name=" + value[:9]: false,
	} {
		plain, want := ask("GET", path, "")
		if plain.Header.Get("Content-Encoding") != "" || plain.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: %v", path, plain.Header)
		}
		for accept, coding := range map[string]string{
			"gzip, deflate": "gzip", "zstd": "zstd", "gzip, zstd;q=0.5": "gzip", "br, gzip;q=0.2, zstd;q=0.3": "zstd", "GZIP;q=1.0": "gzip",
			"identity": "", "*": "", "gzip;q=0": "", "gzip;q=x": "", "gzip, zstd": "zstd", "x-gzip": "",
		} {
			if !packed {
				coding = ""
			}
			resp, body := ask("GET", path, accept)
			if got := resp.Header.Get("Content-Encoding"); got != coding || resp.ContentLength != int64(len(body)) {
				t.Errorf("%s with %s: coding %q, want %q; %d bytes of %d", path, accept, got, coding, len(body), resp.ContentLength)
			}
			if got := decoded(t, resp, body); got != string(want) {
				t.Errorf("%s with %s: another body, of %d bytes, want %d", path, accept, len(got), len(want))
			}
			if coding != "" && len(want) > 100_000 && len(body) > len(want)/5 {
				t.Errorf("%s with %s: %d bytes of %d", path, accept, len(body), len(want))
			}
			head, _ := ask("HEAD", path, accept)
			if head.ContentLength != resp.ContentLength || head.Header.Get("Content-Encoding") != coding {
				t.Errorf("HEAD %s with %s: %v", path, accept, head.Header)
			}
		}
	}
	if resp, body := ask("GET", "/v1/hosts?"+strings.Repeat("x=1&", 700)+"y=1", "gzip"); resp.StatusCode != 400 || resp.Header.Get("Content-Encoding") != "" || !bytes.Contains(body, []byte("message")) {
		t.Errorf("an error: %d %v %.80s", resp.StatusCode, resp.Header, body)
	}
}
