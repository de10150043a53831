package fleetfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/skip"
)

// ansibleYAML reads YAML texts, a JSON list of them, as Ansible reads group_vars, and writes for each what it means,
// with types: JSON has neither dates nor the difference between 1 and 1.0.
const ansibleYAML = `
import json, sys, datetime
from ansible.parsing.dataloader import DataLoader
def typed(x):
    if x is None: return 'null'
    if isinstance(x, bool): return 'bool %s' % str(bool(x)).lower()
    if isinstance(x, int): return 'int %s' % int(x)
    if isinstance(x, float): return 'float %r' % float(x)
    if isinstance(x, str): return 'str %s' % str(x)
    if isinstance(x, (datetime.datetime, datetime.date)): return 'date %s' % x.isoformat()
    if isinstance(x, list): return [typed(v) for v in x]
    if isinstance(x, dict): return {'keys': [[typed(k), typed(v)] for k, v in x.items()]}
    return 'other %s' % type(x).__name__
def read(text):
    try:
        return typed(DataLoader().load(text, show_content=False))
    except Exception as e:
        return 'error %s' % type(e).__name__
from ansible.utils.display import Display
Display.warning = lambda *args, **kwargs: None
json.dump([read(text) for text in json.load(sys.stdin)], sys.stdout)
`

// withAnsibleYAML runs a test for each release of ansible-core that CRATON_TEST_ANSIBLE names, with its reading of
// texts.
func withAnsibleYAML(t *testing.T, texts []string, test func(t *testing.T, theirs []any)) {
	t.Helper()
	bins := filepath.SplitList(os.Getenv("CRATON_TEST_ANSIBLE"))
	if len(bins) == 0 {
		t.Skip("no Ansible here: `make test` brings the releases that these tests want")
	}
	stdin, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	for _, bin := range bins {
		t.Run("ansible-core "+filepath.Base(filepath.Dir(bin)), func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			python := exec.CommandContext(t.Context(), filepath.Join(bin, "python"), "-c", ansibleYAML)
			python.Env = []string{"HOME=" + home, "TMPDIR=" + home, "ANSIBLE_HOME=" + home, "LC_ALL=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1"}
			python.Dir = home // where no ansible.cfg is
			python.Stdin = bytes.NewReader(stdin)
			var errs strings.Builder
			python.Stderr = &errs
			out, err := python.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, errs.String())
			}
			var theirs []any
			if err := json.Unmarshal(out, &theirs); err != nil || len(theirs) != len(texts) {
				t.Fatalf("%v\n%s", err, shorten(string(out)))
			}
			test(t, theirs)
		})
	}
}

// typed returns a tree as ansibleYAML writes what it reads; refused reports any problem in it, noted of any word to the
// user.
func typed(t *tree) (v any, refused, noted string) {
	noted = t.note
	switch t.shape {
	case mapping:
		keys := []any{}
		for _, e := range t.entries {
			inner, bad, note := typed(e.value)
			refused, noted = refused+e.problem+bad, noted+e.note+note
			keys = append(keys, []any{"str " + e.key, inner})
		}
		return map[string]any{"keys": keys}, refused, noted
	case sequence:
		items := []any{}
		for _, item := range t.items {
			inner, bad, note := typed(item)
			refused, noted = refused+bad, noted+note
			items = append(items, inner)
		}
		return items, refused, noted
	case text:
		return "str " + t.text, "", noted
	case number:
		if strings.ContainsAny(t.text, ".eE") {
			return "float " + t.text, "", noted
		}
		return "int " + t.text, "", noted
	case boolean:
		return "bool " + t.text, "", noted
	case broken:
		return "broken", t.text, noted
	}
	return "null", "", noted
}

// sameTyped compares two typed values: numbers by what they are, a date with its text, mappings whatever their order.
func sameTyped(ours, theirs any) bool {
	switch theirs := theirs.(type) {
	case string:
		ours, ok := ours.(string)
		if !ok || ours == theirs {
			return ok
		}
		kind, value, _ := strings.Cut(theirs, " ")
		got, text, _ := strings.Cut(ours, " ")
		switch {
		case kind == "float" && got == "float":
			x, errX := strconv.ParseFloat(value, 64)
			y, _ := strconv.ParseFloat(text, 64) // infinite if it is too large, as in Python
			return errX == nil && x == y
		case kind == "date":
			return got == "str" && text == value
		}
		return false
	case []any:
		ours, ok := ours.([]any)
		if !ok || len(ours) != len(theirs) {
			return false
		}
		for i := range theirs {
			if !sameTyped(ours[i], theirs[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		o, ok := ours.(map[string]any)
		if !ok {
			return false
		}
		a, b := o["keys"].([]any), theirs["keys"].([]any)
		if len(a) != len(b) {
			return false
		}
		values := map[any]any{}
		for _, pair := range a {
			values[pair.([]any)[0]] = pair.([]any)[1]
		}
		for _, pair := range b {
			value, have := values[pair.([]any)[0]]
			if !have || !sameTyped(value, pair.([]any)[1]) {
				return false
			}
		}
		return true
	}
	return false
}

// documentTree returns the tree of a file that is read in one piece; nil stands for an empty file.
func documentTree(r io.Reader) (*tree, *Problem, error) {
	data, problem, err := utf8Text(r)
	if err != nil || problem != nil {
		return nil, problem, err
	}
	if t, ok := jsonDocument(data); ok {
		return t, nil, nil
	}
	t, problem := yamlTree(data)
	return t, problem, nil
}

// compareWithAnsible reads texts both ways. What we read must be what Ansible reads, or there is a word about it.
// wronglyRefused reports whether a refusal is one too many: what Ansible reads and we refuse has to have a reason.
func compareWithAnsible(t *testing.T, texts []string, wronglyRefused func(problem string) bool) {
	t.Helper()
	withAnsibleYAML(t, texts, func(t *testing.T, theirs []any) {
		read, refused := 0, 0
		for i, file := range texts {
			tr, problem, err := documentTree(strings.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			their := theirs[i]
			failed := strings.HasPrefix(fmt.Sprint(their), "error ")
			var ours any = "null"
			bad, note := "", ""
			switch {
			case problem != nil:
				bad = problem.Message
			case tr != nil:
				ours, bad, note = typed(tr)
			}
			switch {
			case bad != "":
				refused++
				if !failed && wronglyRefused(bad) && !strings.Contains(file, "?") { // the library has none in flow collections
					t.Errorf("%q: Ansible reads %v, and we refuse it: %s", file, their, bad)
				}
			case failed:
				t.Errorf("%q: Ansible fails (%v), and we read %v", file, their, ours)
			case note == "" && !sameTyped(ours, their):
				t.Errorf("%q: Ansible reads %v, and we read %v", file, their, ours)
			default:
				read++
			}
		}
		if read < len(texts)/4 {
			t.Errorf("of %d texts only %d are read, %d refused: the test tests nothing", len(texts), read, refused)
		}
	})
}

// reasons are those for which we refuse what Ansible reads.
var reasons = []string{
	"as the number", "is not a number that JSON can represent", "is a key that", "a number that Python cannot read", "is given twice",
	"is binary", "does not match its tag", "has the tag", "is a key with the tag", "contains itself", "JSON does not have", "unknown escape", "byte order mark",
}

func hasNoReason(problem string) bool {
	for _, reason := range reasons {
		if strings.Contains(problem, reason) {
			return false
		}
	}
	return true
}

// spellings are plain scalars that are more than a word to somebody.
var spellings = strings.Fields(`
	y Y yes Yes YES yEs n N no No NO nO true True TRUE tRue false False FALSE on On ON oN off Off OFF t f T F
	~ null Null NULL nUll none None nil Nil
	0 1 -1 +1 -0 +0 00 007 0644 -0644 +0644 0819 08 09 0_7 0_ 1_ 1_000 1__0 _1 -_1 1,000 123456789012345678901234567890 -123456789012345678901234567890
	0x 0x_ 0x1F 0X1F 0x_1F -0x1f +0x1F 0xg 0b 0b_ 0b11 0B11 0b12 -0b1_1 0o17 0O17 -0o17 0o 0777777777777777777777777
	1:30 01:30 1:60 1:59 12:30 12:30:45 190:20:30 -190:20:30 +1:1 52:54:00:12:34:56 1:2:3:4:5 08:30 0:30 1:30.5 1:30. 12:30:45.67 0:0.5 1_0:30 1:3_0 22:22 :1 1:
	1.0 1. .5 5. . .. -.5 +.5 -1.5 +1.5 00.5 01.50 1_0.5 1._5 1.5_ ._5 .5_ 1.e3 1.e+3 1.5e3 1.5e+3 1.5E-3 1.5e+ 1e3 1E3 1e+3 1e-3 12e4567 12e03 1.0e+400 1.0e-400 -.5e+3 .5e+3
	6.02e+23 6.02e23 0.1 0.10 1.10 3.14159265358979323846264338327950288 1.2.3 10.20.0.11 1.2e3.4 0e0 0.0 -0.0 0.e+0 1e 1.e e1 .e1 .1e1 .1e+1 1.0f 1.0L 12e 1d 0x1.8p3
	.inf .Inf .INF -.inf +.inf -.Inf .nan .NaN .NAN -.nan inf nan NaN Infinity -Infinity INF .iNF .Nan
	2024-01-02 2024-1-2 2024-13-45 2024-02-30 2024-02-29 2023-02-29 0000-01-01 0001-01-01 9999-12-31 2001-12-14t21:59:43.10-05:00 2001-12-14T21:59:43 2001-12-14T21:59:43Z
	2001-12-14T21:59:43z 2001-12-14T1:59:43 2001-12-14T24:00:00 2001-12-14T21:59:60 2001-12-14T21:59:43.1234567 2001-12-14T21:59:43.+5 2001-12-14T21:59:43+25:00 2001-12-14T21:59:43-5 2001-12-14T21:59:43+00:00
	2001-1-1T1:00:00 2001-1-1T1:0:00 2024-01 2024 20240102 2024-01-02T 12-30 1-2 2024-001
	= == << <<< <= < > - -- --- ... ? : :: % %a @a @ ! & * | >- |+ '' "" # a#b a\#b \ / // a:b a: :a ::1 2001:db8::1 fe80::1 1::2 a=b =a a,b a- -a ?a a? v1.0 1.0.0 1-1 +a
	x 1a a1 1_a 0a 00:00 00:11:22:33:44:55 aa:bb:cc:dd:ee:ff 00:50:56:00:00:01 10:20:30:40:50:10 é ünï 世界 １２ 🚀 yes! no, on/off`)

// tabbed are spellings with space in them.
var tabbed = []string{
	"2001-12-14 21:59:43", "2001-12-14\t21:59:43", "2001-12-14 21:59:43 +1", "2001-12-14 21:59:43.5 -05:30", "2001-12-14  21:59:43 Z", "1 000", "yes no", "a # b", "a: b", "- 1", "? a", "1 ", " 1", "0 ",
	"12:30 pm", "1 :30", "<< a", "= a", "~ ~", "null null", ". 5",
}

// contexts are where a plain scalar may stand.
var contexts = []string{"v: %s\n", "v: [%s]\n", "v: {a: %s}\n", "- %s\n", "? v\n: %s\n", "%s: v\n", "{%s: v}\n", "v: !!str %s\n", "v: &a %s\nw: *a\n", "v: '%s'\n", "v: \"%s\"\n", "v: |-\n  %s\n"}

// TestScalarsAsAnsible: whatever a plain scalar is to Ansible, it is the same here, or is refused with a reason, or
// there is a word about it; as a value and as a key, in block and in flow.
func TestScalarsAsAnsible(t *testing.T) {
	t.Parallel()
	var texts []string
	for _, s := range append(spellings, tabbed...) {
		for _, c := range contexts {
			texts = append(texts, fmt.Sprintf(c, s))
		}
	}
	r := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // a test
	for range 6000 {
		texts = append(texts, fmt.Sprintf(contexts[r.IntN(6)], drawScalar(r)))
	}
	compareWithAnsible(t, texts, hasNoReason)
}

// drawScalar makes a scalar of the parts that numbers, dates and words of YAML have.
func drawScalar(r *rand.Rand) string {
	parts := []string{"0", "1", "9", "7", "12", "60", "08", "_", ".", ":", "-", "+", "e", "E", "e+", "e-", "0x", "0b", "0o", "f", "a", "inf", "nan", "NaN", "2024-01-02", "T", " ", "12:30:45", "Z", "on", "no", "y", "null", "~", "=", "<<"}
	var b strings.Builder
	for range 1 + r.IntN(5) {
		b.WriteString(parts[r.IntN(len(parts))])
	}
	return b.String()
}

// TestDocumentsAsAnsible: the same for whole documents, made of what YAML can nest.
func TestDocumentsAsAnsible(t *testing.T) {
	t.Parallel()
	texts := []string{
		"a: !!int 12\n", "a: !!int \"12\"\n", "a: !!int 1.0\n", "a: !!int x\n", "a: !!float 1\n", "a: !!float 1e3\n", "a: !!float x\n", "a: !!bool yes\n", "a: !!bool x\n", "a: !!null ''\n", "a: !!null x\n", "a: !!str 5\n", "a: !!str\n",
		"a: !!str [1]\n", "a: !!seq [1]\n", "a: !!map {a: 1}\n", "a: !!set {x}\n", "a: !!omap [a: 1]\n", "a: !!pairs [a: 1]\n", "a: !!binary aGk=\n", "a: !!timestamp 2024-01-02\n", "a: !!timestamp x\n", "a: !!merge x\n",
		"!!int 5: x\n", "!!str 5: x\n", "!!str yes: x\n", "a: !custom x\n", "a: ! \"12\"\n", "a: !\n", "a: [!, 1]\n", "a: &x ! '12'\n", "a: 'x ! y'\n", "a: x ! y\n", "a: !!python/none x\n", "a: ! 12\n",
		"a: 1\na: 1\n", "a: &x 1\nb: *x\n*x : c\n", "&x a: *x\n", "a: *x\n", "a: &x [*x]\n", "a: &x {b: *x}\n", "a: &x 1\nb: &x 2\nc: *x\n",
		"x: &x {one: 1}\ny: {<<: *x, two: 2}\n", "x: &x {one: 1}\ny: {<<: *x, one: 2}\n", "x: &x {one: 1}\ny: &y {one: 2}\nz: {<<: [*x, *y]}\n", "x: &x {one: 1}\ny: &y {two: 2}\nz: {<<: [*x, *y], two: 3}\n",
		"x: &x {one: 1}\ny: &y {one: 2}\nz:\n  <<: *x\n  <<: *y\n", "x: &x {one: 1}\ny: &y {<<: *x, one: 2}\nz: {<<: *y}\n", "z: {<<: 5}\n", "z: {<<: [5]}\n", "z: {<<: {one: 1}, \"<<\": 2}\n", "z: {\"<<\": {one: 1}}\n", "z: {<<: }\n", "z: {<<: []}\n",
		"x: &x {yes: 1}\nz: {<<: *x}\n", "z: {=: 1}\n", "z: {=: 1, a: =}\n", "a: b\n---\nc: d\n", "---\na: b\n", "%YAML 1.1\n---\na: yes\n", "%YAML 1.2\n---\na: yes\n", "%YAML 1.3\n---\na: 1\n", "a: b\n...\n", "...\n", "# x\n", "\n", "", "--- !!map\na: 1\n",
		"\ufeffa: yes\n", "a: yes\n\ufeffb: no\n", "a: [1,\n\ufeff2]\n", "a: |\n  x\n\ufeffb: 1\n", "a: 1\u2028\ufeffb: 2\n", "a: x\ufeffy\n", "a: yes\r\nb: no\r\nc: |\r\n  x\r\n  y\r\n", "a: yes\rb: no\r", "a:\n\tb: c\n", "\ta: b\n", "a: b\tc\n", "a:\t1\n", "a: 1\t\n", "a: [1,\t2]\n", "a: \"\\t\"\n", "a: \"\\/\"\n", "a: \"\\x41\\u263a\\U0001F600\\e\\N\\_\\L\\P\"\n", "a: \"\\ud83d\"\n", "a: \"\\ud83d\\ude00\"\n",
		"a: x\u0085y\n", "a: x\u2028y\n", "a: \"x\u2028y\"\n", "a: x\x07y\n", "a: x\x7fy\n", "a: x\u009fy\n", "a: x\ufffey\n", "a: x\ufffdy\n", "a: x\u200by\n", "a: x\U0001F600y\n", "a: |\n  x\u2028  y\n",
		"a: one\n  two\n", "a: one\n\n  two\n", "a: 1\n  2\n", "a: yes\n  no\n", "a: >\n  one\n  two\n\n  three\n", "a: >-\n  12\n", "a: |+\n  12\n\n\n", "a: |2\n    x\n", "a: |\n\n  x\n", "a: 'it''s'\n", "a: 'one\n  two'\n", "a: \"one\\\n  two\"\n", "a: \"one\n\n  two\"\n",
		"a: [1, 2, ]\n", "a: [1,, 2]\n", "a: {b: 1, }\n", "a: {b}\n", "a: {b, c: 1}\n", "a: {b: }\n", "a: {\"b\":1}\n", "a: {b:1}\n", "a: [b: 1]\n", "a: [b:1]\n", "a: [? b : 1]\n", "a: [http://x:80/, {u: http://x}]\n", "a: {x: http://x:80/y}\n", "a: {? b}\n", "a: {: b}\n", "a: {b:}\n", "a: {1:}\n", "a: {b\n:}\n", "a: {b:, c: 1}\n", "a:: 1\n", "a: {b:: 1}\n", "a: {\"b:\": 1}\n", "a: [-1, - 1]\n", "a: [::1]\n", "a: {a: ::1}\n",
		"a: b: c\n", "a: - b\n", "- a\n - b\n", "- - a\n  - b\n", "-\n  a: 1\n", "a:\n- b\n- c\n", "a:\n  - b\n c: d\n", "a:\n  b: 1\n   c: 2\n", "? a\n", "? a\n: b\n", "? [a]\n: b\n", "? {a: 1}\n: b\n", "? |\n  a\n: b\n", ": a\n", "a: @b\n", "a: `b\n", "a: %b\n", "a: 'b\n", "a: [b\n", "a: }\n", "a: b]\n",
		"a: b #c\n", "a: b#c\n", "a: 'b' #c\n", "a: 'b'#c\n", "a: |  #c\n  b\n", "a: # c\n  b\n", "#c\na: b\n", "a: [b, #c\n d]\n", "a: b\n  # c\n  d\n", "a: b\n# c\n  d\n", "a:\n  # c\n  b: 1\n  # d\n", "- a\n# c\n- b\n", "a: {b: 1, # c\n d: 2}\n", "a: [\n# c\n]\n", "a: >\n  b\n # c\n", "a:\n# c\n  - 1\n",
		`{"a": 1e3, "b": 0.10, "c": 123456789012345678901234567890, "d": "\ud83d\ude00", "e": [true, null, "yes"], "<<": 1, "": 2}`, `{"a": NaN}`, `{"a": -Infinity, "b": [Infinity]}`, `{"a": "NaN Infinity", "b": 1}`, `{"a": "\\\"NaN", "b": NaN}`, `{"a": 1, "a": 2}`, `{"a": "\ud83d"}`, `{"a": "\ude00\ud83d"}`, `{"\ud83d": 1}`,
		`{"a": "\\ud83d"}`, `{"a": 1e3,}`, `{"a": 01}`, `{"a": +1}`, `{"a": .5}`, `{'a': yes}`, "{\n\t\"a\": 1e3\n}", " \n{\"a\": 1e3}\n", "[1e3]", "{\"a\": 1e3} # x", "{\"a\": 1}{\"b\": 2}", `{"a": "x	y"}`, "{\"a\": \"\x7f\"}", `{"a": tRue}`, `{NaN: 1}`, `{"a": N}`, `{"a": 1.0e400}`, `{"1": 1, "yes": 2}`,
	}
	r := rand.New(rand.NewPCG(2, 2)) //nolint:gosec // a test
	for range 3000 {
		texts = append(texts, drawDocument(r, 0, 3)+"\n")
	}
	compareWithAnsible(t, texts, func(problem string) bool {
		return hasNoReason(problem) && !strings.Contains(problem, "merges ") && !strings.Contains(problem, "has a special meaning") && !strings.Contains(problem, "is not a character")
	})
}

// drawDocument makes a block or a flow collection.
func drawDocument(r *rand.Rand, indent, depth int) string {
	words := []string{"one", "two", "yes", "1e3", "0819", "'x: y'", `"q\tr"`, "a b", "http://x:80", "~", "12", "# c", "x#y", "", "&a z", "|-\n" + strings.Repeat(" ", indent+2) + "text", ">\n" + strings.Repeat(" ", indent+2) + "text\n", "!!str 5"}
	keys := []string{"one", "two", "three", "four", "'five'", "six seven", "on"}
	pad := strings.Repeat(" ", indent)
	if depth == 0 || depth < 3 && r.IntN(5) == 0 { // the whole is never one scalar
		return words[r.IntN(len(words))]
	}
	var b strings.Builder
	switch n := 1 + r.IntN(3); r.IntN(4) {
	case 0:
		for i := range n {
			inner := drawDocument(r, indent+2, depth-1)
			if i > 0 || indent > 0 {
				b.WriteString("\n" + pad)
			}
			b.WriteString("- " + strings.TrimLeft(inner, "\n "))
		}
	case 1:
		b.WriteString("[")
		for range n {
			b.WriteString(flowed(drawDocument(r, indent+2, 0)) + ", ")
		}
		b.WriteString("]")
	case 2:
		b.WriteString("{")
		for i := range n {
			b.WriteString(keys[(i+r.IntN(5))%len(keys)] + ": " + flowed(drawDocument(r, indent+2, 0)) + ", ")
		}
		b.WriteString("}")
	default:
		for i := range n {
			if i > 0 || indent > 0 {
				b.WriteString("\n" + pad)
			}
			b.WriteString(keys[(2*i+r.IntN(2))%len(keys)] + ": " + drawDocument(r, indent+2, depth-1))
		}
	}
	return b.String()
}

// flowed returns a scalar that may stand in a flow collection.
func flowed(s string) string {
	if strings.ContainsAny(s, "#|>\n") {
		return "x"
	}
	return s
}

// TestRealFleetAsAnsible: a real fleet of 351 hosts is read as Ansible reads it.
func TestRealFleetAsAnsible(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile(skip.RealFleet(t))
	if err != nil {
		t.Fatal(err)
	}
	withAnsibleYAML(t, []string{string(file)}, func(t *testing.T, theirs []any) {
		tr, problem, err := documentTree(bytes.NewReader(file))
		if err != nil || problem != nil {
			t.Fatal(err, problem)
		}
		ours, refused, noted := typed(tr)
		if refused != "" || noted != "" {
			t.Fatalf("refused: %s; noted: %s", refused, noted)
		}
		if !sameTyped(ours, theirs[0]) {
			t.Errorf("(-ansible +ours):\n%s", shorten(cmp.Diff(theirs[0], ours)))
		}
	})
}

func shorten(s string) string {
	if len(s) > 4000 {
		return s[:2000] + "\n...\n" + s[len(s)-2000:]
	}
	return s
}
