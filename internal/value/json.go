package value

import (
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Fault is what is wrong somewhere in a value.
type Fault struct {
	Path string // such as ntp.servers[2]
	Err  error  // a predicate
}

func (f *Fault) Error() string { return f.Path + " " + f.Err.Error() }

func (f *Fault) Unwrap() error { return f.Err }

// In puts a key before the path of a fault; any other error becomes a fault there.
func In(key string, err error) error {
	path := Join("", key)
	var f *Fault
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &f):
		return &Fault{path, err}
	case f.Path != "" && f.Path[0] != '[':
		path += "."
	}
	return &Fault{path + f.Path, f.Err}
}

// At is In for the index of a list.
func At(i int, err error) error {
	path := "[" + strconv.Itoa(i) + "]"
	var f *Fault
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &f):
		return &Fault{path, err}
	case f.Path != "" && f.Path[0] != '[':
		path += "."
	}
	return &Fault{path + f.Path, f.Err}
}

// Join appends a key to a path. A key that would be misread stands in quotes.
func Join(path, key string) string {
	odd := func(c rune) bool {
		return c == '[' || c == ']' || c == '"' || c == ' ' || c == '.' || !unicode.IsGraphic(c) || Hidden(c)
	}
	if key == "" || !utf8.ValidString(key) || strings.ContainsFunc(key, odd) {
		key = strconv.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}
