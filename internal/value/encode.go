package value

import (
	"bytes"
	"encoding/json"
)

// Encode is json.Marshal without HTML escapes, so that values are passed on unchanged.
func Encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Decode reads the first value of a JSON text; numbers keep theirs, as json.Number.
func Decode(raw []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

// StringEnd returns the end of the JSON string that begins at s[i], after its closing quote; the end of s if there is
// none.
func StringEnd(s string, i int) int {
	for i++; i < len(s); i++ { // most are short: a search by strings.IndexByte takes longer
		switch s[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return len(s)
}
