package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/python"
)

// parseVariables reads words key=value: an empty value is a key to remove.
func parseVariables(words []string) (set craton.Variables, remove []string, err error) {
	set = craton.Variables{}
	for _, word := range words {
		key, text, ok := strings.Cut(word, "=")
		if !ok {
			return nil, nil, &worded{exception{"ValueError", "not enough values to unpack (expected 2, got 1)"},
				fmt.Sprintf("%q is not key=value.", word), nil}
		}
		if text == "" {
			remove = append(remove, key)
			continue
		}
		set[key] = variableOf(text)
	}
	return set, remove, nil
}

// newVariables reads the words key=value of an object to be made, which has nothing to remove.
func newVariables(words []string) (craton.Variables, error) {
	set, remove, err := parseVariables(words)
	if err == nil && len(remove) > 0 {
		err = fmt.Errorf(`--vars: %q has no value; an empty text is %s='""'`, remove[0]+"=", remove[0])
	}
	return set, err
}

// pattern is a regular expression that is compiled when it is first needed: most runs need none.
func pattern(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

// pythonFloat is what Python's float reads and JSON can hold.
var pythonFloat = pattern(`^[+-]?(\d+(_\d+)*\.?(\d+(_\d+)*)?|\.\d+(_\d+)*)([eE][+-]?\d+(_\d+)*)?$`)

// canonicalInteger is an integer as Python writes it.
var canonicalInteger = pattern(`^(0|-?[1-9][0-9]*)$`)

// variableOf is the value that a word means, as JSON, by the rules of contract §8.4; beside them, JSON in braces,
// brackets and quotes is JSON. What Python reads as a number that JSON cannot hold, such as nan, is a text.
func variableOf(text string) json.RawMessage {
	switch text[0] {
	case '"':
		if gjson.Valid(text) {
			return json.RawMessage(text)
		}
		return jsonText(strings.Trim(text, `"`))
	case '{', '[':
		if gjson.Valid(text) {
			return json.RawMessage(text)
		}
	}
	if canonicalInteger().MatchString(text) {
		return json.RawMessage(text)
	}
	if truth, ok := truthOf(text); ok {
		return json.RawMessage(strconv.FormatBool(truth))
	}
	if word := strings.ToLower(text); word == "null" || word == "none" {
		return json.RawMessage("null")
	}
	if number := strings.TrimFunc(text, python.Space); pythonFloat().MatchString(number) {
		if f, err := strconv.ParseFloat(strings.ReplaceAll(number, "_", ""), 64); err == nil && !math.IsInf(f, 0) {
			return json.RawMessage(python.Float(f))
		}
		if gjson.Valid(number) { // larger than a float can be
			return json.RawMessage(number)
		}
	}
	return jsonText(text)
}

func jsonText(s string) json.RawMessage {
	text, _ := json.Marshal(s) // a string always can
	return text
}

// readJSON reads one JSON document. Its errors are as those of Python's json.
func readJSON(r io.Reader) (gjson.Result, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return gjson.Result{}, fmt.Errorf("cannot read standard input: %w", err)
	}
	if gjson.ValidBytes(text) {
		return gjson.ParseBytes(text), nil
	}
	at, more := int64(0), "Standard input holds no JSON."
	if strings.TrimSpace(string(text)) != "" {
		var v any
		more = "Standard input is not JSON."
		if err := json.Unmarshal(text, &v); err != nil {
			more = "Standard input is not JSON: " + err.Error() + "."
			if e, ok := err.(*json.SyntaxError); ok { //nolint:errorlint // Unmarshal returns it bare
				at = max(e.Offset-1, 0)
			}
		}
	}
	before := text[:min(int(at), len(text))]
	line := strings.Count(string(before), "\n") + 1
	column := utf8.RuneCount(before[strings.LastIndexByte(string(before), '\n')+1:]) + 1
	return gjson.Result{}, &worded{exception{"json.decoder.JSONDecodeError",
		fmt.Sprintf("Expecting value: line %d column %d (char %d)", line, column, utf8.RuneCount(before))}, more, nil}
}

// pythonType is what Python calls the type of a JSON value.
func pythonType(v gjson.Result) string {
	switch {
	case v.IsObject():
		return "dict"
	case v.IsArray():
		return "list"
	case v.Type == gjson.String:
		return "str"
	case v.Type == gjson.Null:
		return "NoneType"
	case v.Type == gjson.Number && strings.ContainsAny(v.Raw, ".eE"):
		return "float"
	case v.Type == gjson.Number:
		return "int"
	}
	return "bool"
}

// atTerminal tells whether a person types what is read from r.
func atTerminal(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && output.IsTerminal(f)
}
