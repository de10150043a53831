package configdrive

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

func TestRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	image := strings.Repeat("\x00", 32769) + "CD001 and more"
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(image)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	drive := base64.StdEncoding.EncodeToString(b.Bytes())
	write("built/openstack/latest/meta_data.json", `{"name": "web-01"}`)
	write("built/openstack/latest/user_data", "#cloud-config\n")
	write("broken/openstack/latest/meta_data.json", `[1]`)
	write("more/openstack/latest/meta_data.json", `{}`)
	write("more/openstack/content/0000", "x")
	write("none/readme", "x")
	for word, want := range map[string]string{
		drive:                               `"` + drive + `"`,
		"https://x.example/drive":           `"https://x.example/drive"`,
		`{"meta_data": {"a": 1}}`:           `{"meta_data": {"a": 1}}`,
		write("b64", drive+"\n"):            `"` + drive + `"`,
		drive[:20] + "\n" + drive[20:]:      `"` + drive + `"`,
		write("gz", b.String()):             `"` + drive + `"`,
		write("iso", image):                 `"` + drive + `"`,
		write("json", `{"user_data": "x"}`): `{"user_data": "x"}`,
		filepath.Join(dir, "built"):         `{"meta_data":{"name":"web-01"},"user_data":"#cloud-config\n"}`,
	} {
		got, err := Read(t.Context(), word)
		if err != nil {
			t.Errorf("%.60s: %v", word, err)
			continue
		}
		if same := string(got) == want || strings.HasPrefix(want, `"H4sI`) && unpacked(t, gjson.ParseBytes(got).Str) == image; !same {
			t.Errorf("%.60s: %.200s", word, got)
		}
	}
	packs := func(n int) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write(make([]byte, n)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(b.Bytes())
	}
	nothing, bomb := packs(0), packs(MaxSize+1)
	for _, name := range []string{"big/openstack/latest/user_data", "sparse"} {
		if err := os.Truncate(write(name, ""), 100<<20); err != nil {
			t.Fatal(err)
		}
	}
	for word, want := range map[string]string{
		"/srv/web01":                       `"/srv/web01" is neither a file nor a config drive: a config drive begins with H4sI`,
		strings.Repeat("hush", 100):        "a text of 400 characters is neither a file nor a config drive",
		"#cloud-config: hush":              "a text of 19 characters is neither a file nor a config drive",
		" \n":                              "it is empty",
		"{}":                               "it is an empty object",
		`{"metadata": {}}`:                 `it has the key "metadata"; the keys of a config drive are meta_data, network_data, user_data, vendor_data`,
		`{"meta_data": "hush"}`:            "it: meta_data is not a JSON object",
		`{"user_data": 1}`:                 "it: user_data is neither text nor a JSON object or list",
		drive[:len(drive)-9]:               "is not valid base64",
		drive[:len(drive)/4*2]:             "it is not complete gzip data",
		"H4sI" + strings.Repeat("hush", 9): "it is not complete gzip data",
		nothing:                            "gzip data without content",
		bomb:                               "it is too large: a config drive can have 64 MiB of data",
		write("empty", "\n"):               "empty is empty; a config drive is",
		write("cut", b.String()[:40]):      "cut is not complete gzip data",
		write("big/openstack/latest/meta_data.json", "{}"): "meta_data.json is an empty object", // a drive by itself
		filepath.Join(dir, "big"):                          "is too large",
		filepath.Join(dir, "sparse"):                       "sparse is too large",
		write("text", "hush"):                              "is not a config drive",
		filepath.Join(dir, "none"):                         "has no subdirectory openstack",
		filepath.Join(dir, "broken"):                       "meta_data.json is not a JSON object",
	} {
		if _, err := Read(t.Context(), word); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", word, err)
		}
	}
	// More than Ironic builds a drive of needs a program.
	got, err := Read(t.Context(), filepath.Join(dir, "more"))
	if err != nil && !strings.Contains(err.Error(), "install one of genisoimage, mkisofs, xorrisofs") {
		t.Error(err)
	}
	if err == nil && !strings.Contains(unpacked(t, gjson.ParseBytes(got).Str), "CD001") {
		t.Errorf("%.60s", got)
	}
}

func unpacked(t *testing.T, text string) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(z); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
