package output

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWriteFileIsAtomic(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inventory.json")
	write := func(text string, fail error) error {
		return WriteFile(path, 0o600, func(w io.Writer) error {
			_, _ = io.WriteString(w, text)
			return fail
		})
	}
	if err := write("old", nil); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if err := write("half a fle", broken); !errors.Is(err, broken) {
		t.Fatalf("error = %v", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "old" {
		t.Errorf("a failed write left %q", got)
	}
	if err := write("new", nil); err != nil {
		t.Fatal(err)
	}
	got, _ := os.ReadFile(path)
	info, _ := os.Stat(path)
	if string(got) != "new" || info.Mode().Perm() != 0o600 {
		t.Errorf("content %q, mode %v", got, info.Mode())
	}
	left, _ := os.ReadDir(filepath.Dir(path))
	if len(left) != 1 {
		t.Errorf("temporary files were left behind: %v", left)
	}
}

func TestWriteFileReplacesOnlyRegularFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	database, link := filepath.Join(dir, "fleet.db"), filepath.Join(dir, "link.db")
	const content = "SQLite format 3\x00 and pages"
	if err := os.WriteFile(database, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(database, link); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "folder")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	device := filepath.Join(dir, "null") // not the machine's own: it would be lost, were it replaced
	if err := os.Symlink(os.DevNull, device); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		database: "it is an SQLite database", link: "it is an SQLite database",
		folder: "it exists and is not", device: "it exists and is not",
	} {
		err := WriteFile(path, 0o600, func(io.Writer) error {
			t.Errorf("%s: was written to", path)
			return nil
		})
		if err == nil || !strings.Contains(err.Error(), "cannot write "+path+": "+want) {
			t.Errorf("%s: error = %v, want %q", path, err, want)
		}
	}
	if got, _ := os.ReadFile(database); string(got) != content {
		t.Errorf("the database is %q now", got)
	}
	if left, _ := os.ReadDir(dir); len(left) != 4 {
		t.Errorf("temporary files were left behind: %v", left)
	}
}

func TestProgressIsSilentWithoutATerminal(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	p := NewProgress(&b)
	p.Show(1, 2, "hosts")
	p.Done()
	if b.Len() != 0 {
		t.Errorf("wrote %q", b.String())
	}
}

func TestProgressLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		done, total int
		want        string
	}{
		{0, 0, "0 hosts"},
		{5, 10, "[############............] 5/10 hosts"},
		{10, 10, "[########################] 10/10 hosts"},
		{11, 10, "[########################] 11/10 hosts"},
	} {
		if got := progressLine(c.done, c.total, "hosts"); got != c.want {
			t.Errorf("progressLine(%d, %d) = %q, want %q", c.done, c.total, got, c.want)
		}
	}
}

func TestOneLine(t *testing.T) {
	t.Parallel()
	if got := OneLine(errors.New("a\n  b\tc")); got != "a b c" {
		t.Errorf("OneLine = %q", got)
	}
}
