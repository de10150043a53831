package ansibletest

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/inventory/internal/ansible"
)

var update = flag.Bool("update", false, "write the golden documents anew")

// Golden compares a text with a file in testdata, or writes that file with -update.
func Golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), go test -update writes it anew:\n%s", path, diff)
	}
}

// Text returns the text of a document.
func Text(t Failer, doc *ansible.Document, pretty bool) string {
	t.Helper()
	var b strings.Builder
	if err := doc.Write(&b, pretty); err != nil {
		t.Fatalf("Write: %v", err)
	}
	return b.String()
}
