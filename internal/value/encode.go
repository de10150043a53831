package value

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Encode is json.Marshal without HTML escapes, so that values travel as they are.
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

// StringEnd is where the JSON string ends that begins at s[i], behind its quote; the end of s if nothing closes it.
func StringEnd(s string, i int) int {
	for from := i + 1; ; {
		n := strings.IndexByte(s[from:], '"')
		if n < 0 {
			return len(s)
		}
		end := from + n
		escapes := 0
		for s[end-1-escapes] == '\\' {
			escapes++
		}
		if from = end + 1; escapes%2 == 0 {
			return from
		}
	}
}
