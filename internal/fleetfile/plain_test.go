package fleetfile

import (
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// plainText has every form that is read without the library.
const plainText = `# the first part
- name: web-01.example.net
  ip_address: 10.0.0.1
  device_type: server
  active: no
  note: "a # b: c"
  labels: [web, rack1,x-2 , yes]
  variables:
    mac: 52:54:00:12:34:56
    when: 2024-01-02
    at: 12:30
    url: http://a.example.net:80/x?

    long.name: 'it is "so"'
    nothing:
    empty: []
    disks:
    - sda
    -   sdb
    - 1e3
    matrix:
      - - 1
        - 0x1f
      - - -2
    nested:
      # deep
      deep: {}
      deeper:
        deepest: 1.50
  interfaces:
  - name: eth0
    interface_type: ethernet
- name: b
  - c: 1
`

// samePlain compares what a text is with what the library makes of it, and reports whether it is plain.
func samePlain(t *testing.T, text string) bool {
	t.Helper()
	got := plainTree(text, 0, map[string]string{})
	if got == nil {
		return false
	}
	want, problem := yamlTree([]byte(text))
	if problem != nil {
		t.Fatalf("the library finds that line %d %s, of\n%s", problem.Line, problem.Message, text)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(tree{}, entry{}), cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("of\n%s\n(-library +plain):\n%s", text, diff)
	}
	return true
}

// TestPlain: whatever is read without the library is what the library makes of it, each line and column of it.
func TestPlain(t *testing.T) {
	t.Parallel()
	whole := strings.NewReplacer("{}", "1", "x?", "x", "  - c: 1\n", "").Replace(plainText)
	if !samePlain(t, whole) {
		t.Error("a plain text is none")
	}
	for _, text := range []string{"", "\n", "#\n", "a", "- a", "a:", "a: b\n c\n", "a: b\na: c\n", "a:\n- b\nc: d\n", "a:\n  - b\n - c\n", "- a\n b: c\n", "a: b c\n", "a: 'b''c'\n", "y: 1\n", "true: 1\n", "null: 1\n",
		"-\n  a: 1\n", "- - - a\n", "a: -\n", "a: - b\n", "a: b: c\n", "a: [b\n", "a: [b, ]\n", "a: [b: c]\n", "a: =\n", "a: <<\n", "a: b #c\n", "a: b#c\n", "--- a\n", "a: 1\n...\n", "a: \"\\n\"\n", "a: ! b\n",
		"a: &b c\n", "a: *b\n", "a: |\n  b\n", "a: >\n  b\n", "? a\n", "a : b\n", "a:b\n", "a: %b\n", "a: @b\n", "a: b,c\n", "a: (b)\n", "a: 1_000\n", "a: .inf\n", "a: 0b_\n", strings.Repeat("- ", 300) + "a\n", "a: 12:30:45.5\n"} {
		samePlain(t, text)
	}
	n := 2000
	if os.Getenv("CRATON_TEST_PROOF") != "" {
		n = 50_000
	}
	r := rand.New(rand.NewPCG(5, 5)) //nolint:gosec // a test
	plain := 0
	for range n {
		if samePlain(t, spoil(r, whole)) {
			plain++
		}
	}
	if plain < n/50 {
		t.Errorf("only %d of %d texts are plain", plain, n)
	}
}

// FuzzPlain looks for texts that are something else without the library.
func FuzzPlain(f *testing.F) {
	f.Add(plainText)
	f.Add("a: b\nc:\n- d\n")
	f.Fuzz(func(t *testing.T, text string) { samePlain(t, text) })
}
