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
	for word, want := range map[string]string{
		"/srv/web01":                 `"/srv/web01" is neither a file nor a config drive: a config drive begins with H4sI`,
		strings.Repeat("secret", 20): `secretsecret..." is neither a file nor a config drive`,
		write("text", "hush"):        "is not a config drive: that is an ISO 9660 image",
		filepath.Join(dir, "none"):   "has no subdirectory openstack",
		filepath.Join(dir, "broken"): "meta_data.json is not a JSON object",
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
