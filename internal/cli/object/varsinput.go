package object

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/fleetfile"
	"github.com/craton-fleet/craton/internal/output"
	rules "github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/python"
	"github.com/craton-fleet/craton/internal/yaml11"
)

// parseVariables parses words key=value: an empty value is a key to delete. notes describe values that
// python-cratonclient, or a fleet file, would read differently.
func parseVariables(words []string) (set craton.Variables, remove, notes []string, err error) {
	set = craton.Variables{}
	for _, word := range words {
		key, text, ok := strings.Cut(word, "=")
		if !ok {
			return nil, nil, nil, run.NewWordedError("ValueError", notAPair(word), "", nil)
		}
		if text == "" {
			remove = append(remove, key)
			continue
		}
		value, note := VariableOf(text)
		if err := rules.In(key, cmp.Or(rules.CheckForm(key), rules.CheckTwice(string(value)))); err != nil {
			return nil, nil, nil, err
		}
		if set[key] = value; note != "" {
			notes = append(notes, word+" "+note)
		}
	}
	return set, remove, notes, nil
}

// notAPair returns the error for a word that is not key=value, with what was probably meant.
func notAPair(word string) string {
	text := fmt.Sprintf("%q is not key=value", word)
	if key, value, ok := strings.Cut(word, ":"); ok && key != "" {
		text += fmt.Sprintf("; did you mean %s=%s?", key, strings.TrimSpace(value))
	}
	return text
}

// newVariables parses the words key=value for a new object, which has nothing to remove.
func (s *Session) newVariables(words []string) (craton.Variables, error) {
	set, remove, notes, err := parseVariables(words)
	s.warn(notes)
	if err == nil && len(remove) > 0 {
		err = fmt.Errorf(`--vars: %q has no value; for an empty text, write %s='""'`, remove[0]+"=", remove[0])
	}
	return set, err
}

// pattern returns a regular expression that is compiled when it is first needed: most runs need none.
func pattern(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

// warn prints notes about words that were accepted.
func (s *Session) warn(notes []string) {
	for _, note := range notes {
		fmt.Fprintf(s.Err, "WARNING: %s\n", note)
	}
}

// pythonFloat matches what Python's float accepts and JSON can represent.
var pythonFloat = pattern(`^[+-]?(\d+(_\d+)*\.?(\d+(_\d+)*)?|\.\d+(_\d+)*)([eE][+-]?\d+(_\d+)*)?$`)

// VariableOf returns the value of a word, as JSON: JSON in braces, brackets and double quotes is JSON, and everything
// else is read as a plain scalar of a fleet file, that is, as Ansible's YAML reads it. Numbers that JSON does not have,
// such as .inf, and base-60 numbers of YAML are texts. A note, to be printed after the word, says where this differs
// from python-cratonclient (contract §8.4), or from a fleet file.
func VariableOf(text string) (value json.RawMessage, note string) {
	switch text[0] {
	case '"':
		if gjson.Valid(text) {
			return json.RawMessage(text), ""
		}
		return JSONText(strings.Trim(text, `"`)), ""
	case '{', '[':
		if gjson.Valid(text) {
			return json.RawMessage(text), ""
		}
	}
	switch s := yaml11.Read(text); s.Kind {
	case yaml11.Null, yaml11.Bool, yaml11.Int, yaml11.Float:
		switch {
		case s.Base60:
			return JSONText(text), fmt.Sprintf("is taken as text; in a fleet file it needs quotes, because YAML 1.1 reads it as the number %s", s.Text)
		case s.Problem != "":
			return JSONText(text), problemNote(s.Problem)
		}
		return json.RawMessage(s.Text), ""
	case yaml11.Date:
		switch {
		case s.Problem != "":
			return JSONText(text), problemNote(s.Problem)
		case s.Text != text:
			return JSONText(text), fmt.Sprintf("is taken as text; without quotes in a file of variables, Ansible reads it as %s", s.Text)
		}
	}
	if note = formerNote(text); note == "" {
		note = yamlNote(text)
	}
	return JSONText(text), note
}

// problemNote returns why a fleet file needs quotes around a scalar that YAML 1.1 does not accept.
func problemNote(problem string) string {
	return "is taken as text; in a fleet file it needs quotes, because in YAML 1.1 it " + problem
}

// yamlNote returns what a text without quotes is in a fleet file, if it is not that text. Templates and texts of
// several lines are not confused with anything else.
func yamlNote(text string) string {
	if strings.Contains(text, "\n") || strings.HasPrefix(text, "{{") || strings.HasPrefix(text, "{%") || strings.HasPrefix(text, "{#") {
		return ""
	}
	switch instead := fleetfile.Instead(text); {
	case instead == "":
		return ""
	case text[0] == '{' || text[0] == '[':
		return "is taken as text, because it is not JSON; in a fleet file it is " + instead
	default:
		return "is taken as text; in a fleet file it needs quotes, because without them it is " + instead
	}
}

// formerNote returns what a text was in python-cratonclient, if it was not a text.
func formerNote(text string) string {
	const is = "is taken as text, as in Ansible's YAML; "
	if truth, ok := argparse.TruthOf(text); ok {
		return fmt.Sprintf("%sto set the boolean, write %t", is, truth)
	}
	if word := strings.ToLower(text); word == "null" || word == "none" {
		return is + "to set null, write null"
	}
	if number := strings.TrimFunc(text, python.Space); pythonFloat().MatchString(number) {
		f, err := strconv.ParseFloat(strings.ReplaceAll(number, "_", ""), 64)
		if plain := strconv.FormatFloat(f, 'f', -1, 64); err == nil && len(plain) <= 20 {
			return is + "to set the number, write " + plain
		}
		return is + "to set a number with an exponent, write it as in 1.0e+3"
	}
	return ""
}

// JSONText returns a text as JSON.
func JSONText(s string) json.RawMessage {
	text, _ := json.Marshal(s) // a string always can
	return text
}

// ReadJSON reads one JSON document. Its errors are worded like those of Python's json.
func ReadJSON(r io.Reader) (gjson.Result, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return gjson.Result{}, fmt.Errorf("cannot read standard input: %w", err)
	}
	if gjson.ValidBytes(text) {
		if err := rules.CheckTwice(string(text)); err != nil {
			return gjson.Result{}, fmt.Errorf("standard input: %w", err)
		}
		return gjson.ParseBytes(text), nil
	}
	at, more := int64(0), "Standard input contains no JSON."
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
	return gjson.Result{}, run.NewWordedError("json.decoder.JSONDecodeError",
		fmt.Sprintf("Expecting value: line %d column %d (char %d)", line, column, utf8.RuneCount(before)), more, nil)
}

// AtTerminal reports whether r is a terminal, at which a person types.
func AtTerminal(r io.Reader) bool {
	return output.IsTerminal(r)
}
