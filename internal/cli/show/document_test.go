package show_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/internal/cli/show"
)

// TestYAML: PyYAML, by which Ansible reads, finds every text to be a text and every number to be that number: YAML 1.1
// takes addresses of network cards for numbers, and more words than true for true.
func TestYAML(t *testing.T) {
	t.Parallel()
	bin, _, _ := strings.Cut(os.Getenv("CRATON_TEST_ANSIBLE"), ":")
	if bin == "" {
		t.Skip("needs Ansible's Python: make test finds it")
	}
	texts := []string{
		"52:54:00:12:34:56", "1:30", "12:30:45", "yes", "No", "on", "y", "N", "null", "~", "", "=", "<<", "1e5", "0x1f", "0o17", "017", "1_000", ".5", "1.", ".inf", ".NaN",
		"2026-11-27", "2026-11-27T10:00:00Z", "12345678901234567890", "-", "?", ":", "- a", "a: b", "a #b", "#a", "!a", "&a", "*a", "@a", "`a", "%a", "{a", "[a", "|", ">", "'", `"`,
		"\tx\n", "  x\n", " x\ny", "\n", "0x_", "0b_", "1__0", "_", "_1",
		"a\nb", "a\n", "\na", " a", "a ", "\t", "a\tb", "\u0085", "\u2028", "\u00a0", "\x7f", "\x01", "\ufeffa", "ü", "😀", "true", "0", "+1", "-0", "1.10", "0b1", "...", "---",
	}
	text := rapid.StringOf(rapid.OneOf(rapid.Rune(), rapid.SampledFrom([]rune("0123456789:-+._eExyn~'\"#&*!|>%@ \n\t"))))
	for n := range 300 {
		texts = append(texts, text.Example(n))
	}
	keys := map[string]int{}
	for n, text := range texts {
		keys[text] = n
	}
	numbers := []json.Number{"1", "-0", "12345678901234567890", "1.10", "1e5", "1E+5", "1.5e3", "2e-7", "-1.25E-10", "0.1"}
	var out bytes.Buffer
	if err := show.WriteDocument(&out, show.FormatYAML, map[string]any{"texts": texts, "keys": keys, "numbers": numbers, "deep": [][]string{texts}}); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "python"), "-c", `
import json, sys, yaml
d = yaml.safe_load(sys.stdin.buffer)
assert all(isinstance(n, (int, float)) for n in d["numbers"]), d["numbers"]
assert d["numbers"] == [json.loads(n) for n in sys.argv[1].split()], d["numbers"]
json.dump(d, sys.stdout)`, strings.Trim(fmt.Sprint(numbers), "[]"))
	cmd.Stdin = &out
	read, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, read)
	}
	var got struct {
		Texts []string
		Keys  map[string]int
	}
	if err := json.Unmarshal(read, &got); err != nil {
		t.Fatalf("%v\n%s", err, read)
	}
	if diff := cmp.Diff(texts, got.Texts); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(keys, got.Keys); diff != "" {
		t.Error(diff)
	}
}

// TestWriteList: a document whose list is written while it is made is the one that is made at once.
func TestWriteList(t *testing.T) {
	t.Parallel()
	type head struct {
		Counts map[string]int `json:"counts"`
		Of     *string        `json:"of"`
	}
	type item struct {
		Name string          `json:"name"`
		Any  json.RawMessage `json:"any"`
		Keys []string        `json:"keys"`
	}
	for _, n := range []int{0, 1, 2, 99, 100, 101, 250} {
		var items []item
		for i := range n {
			items = append(items, item{fmt.Sprintf("n<%d>\nm", i), json.RawMessage([]string{`null`, `{"b": [1, {}], "a": 1.10}`, `"yes"`, `[]`}[i%4]), make([]string, i%3)})
		}
		of := "x"
		h := head{map[string]int{"created": n}, []*string{nil, &of}[n%2]}
		for _, format := range []string{show.FormatJSON, show.FormatYAML} {
			var want, got bytes.Buffer
			err := show.WriteDocument(&want, format, struct {
				head
				Changes []item `json:"changes"`
			}{h, append([]item{}, items...)})
			if err != nil {
				t.Fatal(err)
			}
			err = show.WriteList(&got, format, h, "changes", func(yield func(any) bool) {
				for _, i := range items {
					if !yield(i) {
						return
					}
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.String(), got.String()); diff != "" {
				t.Errorf("%s, %d items: -at once +while it is made\n%s", format, n, diff)
			}
		}
	}
}
