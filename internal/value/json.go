package value

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/advice"
)

// Fault is an error at a path within a value.
type Fault struct {
	Path string // such as ntp.servers[2]
	Err  error  // a predicate
}

func (f *Fault) Error() string {
	if f.Path == "" {
		return f.Err.Error()
	}
	return f.Path + " " + f.Err.Error()
}

func (f *Fault) Unwrap() error { return f.Err }

// In adds a key before the path of a fault; any other error becomes a fault there.
func In(key string, err error) error {
	if err == nil {
		return nil
	}
	return under(Join("", key), err)
}

// At is like In, for an index of a list.
func At(i int, err error) error {
	if err == nil {
		return nil
	}
	return under("["+strconv.Itoa(i)+"]", err)
}

func under(path string, err error) error {
	var f *Fault
	switch {
	case !errors.As(err, &f):
		return &Fault{path, err}
	case f.Path != "" && f.Path[0] != '[':
		path += "."
	}
	return &Fault{path + f.Path, f.Err}
}

// Join appends a key to a path. A key that would be ambiguous is in quotes, and a long one is shortened.
func Join(path, key string) string {
	odd := func(c rune) bool {
		return c == '[' || c == ']' || c == '"' || c == ' ' || c == '.' || !unicode.IsGraphic(c) || Hidden(c)
	}
	key = Brief(key)
	if key == "" || !utf8.ValidString(key) || strings.ContainsFunc(key, odd) {
		key = strconv.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// CheckJSON returns an error for what no variable may contain in the valid JSON of its value: texts that [CheckText]
// refuses, including keys, and numbers that [CheckNumber] refuses. Its error is a *Fault, with an empty path for the
// value itself.
func CheckJSON(raw string) error {
	if !looksOdd(raw) {
		return nil
	}
	err := checkParsed(gjson.Parse(raw))
	var f *Fault
	if err == nil || errors.As(err, &f) {
		return err
	}
	return &Fault{Err: err}
}

func checkParsed(v gjson.Result) (err error) {
	switch {
	case v.Type == gjson.String:
		return checkLiteral(v.Raw)
	case v.Type == gjson.Number:
		return CheckNumber(v.Raw)
	case !v.IsObject() && !v.IsArray():
		return nil
	}
	i, list := 0, v.IsArray()
	v.ForEach(func(key, member gjson.Result) bool {
		if err = checkParsed(member); list {
			err = At(i, err)
		} else {
			err = In(key.Str, cmp.Or(checkLiteral(key.Raw), err))
		}
		i++
		return err == nil
	})
	return err
}

// CheckFinite finds the numbers NaN, Infinity and -Infinity, which Python writes into otherwise valid JSON, and returns
// their position. It ignores other invalid JSON.
func CheckFinite(raw string) error {
	if !strings.Contains(raw, "NaN") && !strings.Contains(raw, "Infinity") {
		return nil
	}
	var find func(v gjson.Result) error
	find = func(v gjson.Result) (err error) {
		switch v.Raw {
		case "NaN", "Infinity", "-Infinity":
			return advice.With(fmt.Errorf("is %s, which JSON does not have", v.Raw), "omit it, or write it in quotes")
		}
		i, list := 0, v.IsArray()
		if !list && !v.IsObject() {
			return nil
		}
		v.ForEach(func(key, member gjson.Result) bool {
			if err = find(member); list {
				err = At(i, err)
			} else {
				err = In(key.Str, err)
			}
			i++
			return err == nil
		})
		return err
	}
	return find(gjson.Parse(raw))
}

// checkLiteral is like CheckText, for a JSON string with its quotes and escapes, which decoding could change.
func checkLiteral(raw string) error {
	switch {
	case !IsDecodable(raw):
		return ErrNotUTF8
	case strings.IndexByte(raw, '\\') < 0:
		return CheckText(raw)
	}
	return CheckText(gjson.Parse(raw).Str)
}

// IsDecodable reports whether decoding changes no string of a JSON text: it is UTF-8, and escaped surrogates are
// paired.
func IsDecodable(raw string) bool {
	if !utf8.ValidString(raw) {
		return false
	}
	for i := strings.IndexByte(raw, '\\'); i >= 0 && i+1 < len(raw); {
		n := escapeLen(raw[i:])
		if n == 0 {
			return false
		}
		next := strings.IndexByte(raw[i+n:], '\\')
		if next < 0 {
			break
		}
		i += n + next
	}
	return true
}

// looksOdd reports whether [CheckJSON] has to examine a JSON text; it may report true for a harmless one.
func looksOdd(raw string) bool {
	if !IsDecodable(raw) || strings.IndexByte(raw, '\\') >= 0 && strings.Contains(raw, `\u0000`) {
		return true
	}
	if strings.HasPrefix(raw, `"`) {
		return false
	}
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '"':
			i = StringEnd(raw, i) - 1
		case c == '-' || '0' <= c && c <= '9':
			n := numberLen(raw[i:])
			if CheckNumber(raw[i:i+n]) != nil {
				return true
			}
			i += n - 1
		}
	}
	return false
}
