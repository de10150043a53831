package python_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/skip"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/internal/value/python"
)

// oracle is what Python makes of a text: of the text itself as textwrap.fill of version 3.6, whose long words are cut
// without regard to hyphens, and of a JSON document as str and json.dumps.
const oracle = `
import json, sys, textwrap

class Wrapper(textwrap.TextWrapper):
    def _handle_long_word(self, chunks, line, used, width):
        space = 1 if width < 1 else width - used
        line.append(chunks[-1][:space])
        chunks[-1] = chunks[-1][space:]

out = []
for text in json.load(sys.stdin):
    value = None
    try:
        value = json.loads(text)
    except ValueError:
        out.append({"Fill": Wrapper(width=12).fill(text)})
        continue
    out.append({"Str": str(value), "Dumps": json.dumps(value, indent=4, sort_keys=True)})
json.dump(out, sys.stdout)
`

type answer struct{ Fill, Str, Dumps string }

// askPython returns the texts to a real Python.
func askPython(t *testing.T, texts []string) []answer {
	t.Helper()
	python3, err := exec.LookPath("python3")
	if err != nil {
		skip.Packages(t, "python3")
	}
	in, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python3, "-c", oracle)
	cmd.Env = append(cmd.Environ(), "PYTHONIOENCODING=utf-8")
	cmd.Stdin = bytes.NewReader(in)
	text, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers []answer
	if err := json.Unmarshal(text, &answers); err != nil {
		t.Fatal(err)
	}
	return answers
}

func ours(text string) answer {
	if !gjson.Valid(text) {
		return answer{Fill: python.Fill(text, 12)}
	}
	v := gjson.Parse(text)
	return answer{Str: python.Str(v), Dumps: string(python.Dumps(v))}
}

func compare(t *testing.T, texts []string) {
	t.Helper()
	for i, want := range askPython(t, texts) {
		if diff := cmp.Diff(want, ours(texts[i])); diff != "" {
			t.Errorf("%q (-Python +ours):\n%s", texts[i], diff)
		}
	}
}

func TestValuesAsPythonWritesThem(t *testing.T) {
	t.Parallel()
	compare(t, []string{
		`null`, `true`, `false`, `0`, `7`, `123456789012345678901234567890`, `1.0`, `1.5`, `0.0001`, `1e-05`, `1e+16`, `-2.5e-07`,
		`""`, `"a"`, `"it's"`, `"\"it's\""`, `"back\\slash"`, `"tab\t newline\n bell\u0007"`, `"é 日本 😀 \u0301"`, `"\u00ad\u2028"`, `"\u007f"`,
		`[]`, `{}`, `[[], {}]`, `[1, "a", null, [true]]`, `{"b": 1, "a": {"d": [1, 2], "c": null}}`, `{"it's": 1, "é": "ü"}`,
	})
}

// Numbers that Python cannot hold, or that its JSON would change, keep their text.
func TestNumbersKeepTheirText(t *testing.T) {
	t.Parallel()
	v := gjson.Parse(`{"huge": 1e400, "long": 1.50, "zero": -0}`)
	if got, want := python.Str(v), "{'huge': 1e400, 'long': 1.5, 'zero': 0}"; got != want {
		t.Errorf("Str = %s, want %s", got, want)
	}
	if got, want := string(python.Dumps(v)), "{\n    \"huge\": 1e400,\n    \"long\": 1.50,\n    \"zero\": -0\n}"; got != want {
		t.Errorf("Dumps = %s, want %s", got, want)
	}
}

// TestFillAsPython draws texts of the characters that textwrap tells apart.
func TestFillAsPython(t *testing.T) {
	t.Parallel()
	pieces := []string{" ", "  ", "\t", "\n", "\r\n", "-", "--", "---", "a", "bc", "word", "1", "22", ".", ",", "?", "'", "(", "/", "é", "日本", "_",
		"wordlongerthantwelve", "well-known", "x-ray", "\u00a0", "\v", "\f"}
	random := rand.New(rand.NewPCG(1, 2))
	texts := []string{"", " ", "   leading", "trailing   ", "{'href': 'http://craton.example:7780/v1/cells/1', 'rel': 'up'}"}
	for range 3000 {
		var b strings.Builder
		for range random.IntN(14) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		if !gjson.Valid(b.String()) {
			texts = append(texts, b.String())
		}
	}
	compare(t, texts)
}

// TestWrapByColumns: characters that are two columns wide fill a line twice as fast, and one always fits.
func TestWrapByColumns(t *testing.T) {
	t.Parallel()
	wide := func(r rune) int {
		if r > 0x2000 {
			return 2
		}
		return 1
	}
	for text, want := range map[string][]string{
		"日本日本日 a": {"日本", "日本", "日 a"},
		"ab 日本日":  {"ab ", "日本", "日"}, // textwrap leaves that space, too, where a long word begins on the next line
	} {
		if diff := cmp.Diff(want, python.Wrap(text, 4, wide)); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	if diff := cmp.Diff([]string{"日", "本"}, python.Wrap("日本", 1, wide)); diff != "" {
		t.Error(diff)
	}
}

func TestShort(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ in, want string }{
		{`null`, `None`}, {`true`, `True`}, {`false`, `False`}, {`-0`, `0`},
		{`1.0`, `1.0`}, {`1e16`, `1e+16`}, {`1e15`, `1000000000000000.0`}, {`0.0001`, `0.0001`}, {`0.00001`, `1e-05`}, {`1e400`, `inf`}, {`-1e400`, `-inf`}, {`-0.0`, `-0.0`},
		{`"a"`, `'a'`}, {`"it's"`, `"it's"`}, {`"'\""`, `'\'"'`}, {`"\n\u0001é\u2028"`, `'\n\x01é\u2028'`},
		{`{"b":[1,{}],"a":null}`, `{'b': [1, {}], 'a': None}`},
	} {
		v, err := jsontext.Parse([]byte(tc.in))
		if err != nil {
			t.Fatal(err)
		}
		if got := python.Short(v); got != tc.want {
			t.Errorf("Short(%s) = %s, want %s", tc.in, got, tc.want)
		}
	}
}

// TestShortOfLong checks that a message does not repeat a body of any length.
func TestShortOfLong(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`"` + strings.Repeat("é", 1<<20) + `"`, "[" + strings.Repeat("[1,2],", 9000) + "1]", strings.Repeat("7", 1<<20), `{"` + strings.Repeat("k", 1<<20) + `":1}`} {
		v, err := jsontext.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := python.Short(v); len(got) > 9000 || !strings.Contains(got, "...") {
			t.Errorf("%d bytes of %.20s", len(got), got)
		}
	}
}

// TestHalfCharacters: half a surrogate pair is one character, as Python has it, in repr and in json.dumps.
func TestHalfCharacters(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]answer{
		`"\ud800"`: {Str: `'\ud800'`, Dumps: `"\ud800"`}, `["\udc00\ud800"]`: {Str: `['\udc00\ud800']`, Dumps: `["\udc00\ud800"]`},
		`"a\ud83d\ude00\udfff"`: {Str: `'a😀\udfff'`, Dumps: `"a\ud83d\ude00\udfff"`}, `{"\ud800\u0041": 1}`: {Str: `{'\ud800A': 1}`, Dumps: `{"\ud800A": 1}`},
	} {
		v, err := jsontext.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := (answer{Str: python.Repr(v), Dumps: python.JSON(v)}); got != want {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
}
