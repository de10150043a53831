package fleetfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf16"

	"github.com/craton-fleet/craton/internal/value"
)

// jsonDocument reads a file that consists of JSON. NaN and Infinity, which Python's json writes, are accepted as JSON
// here, so that they are refused later and not read as text.
func jsonDocument(data []byte) (*tree, bool) {
	if start := bytes.TrimLeft(data, " \t\r\n"); len(start) == 0 || start[0] != '{' && start[0] != '[' {
		return nil, false
	}
	r := &jsonReader{data: data, line: 1}
	if !json.Valid(data) {
		r.data, r.constants = maskConstants(data)
		if len(r.constants) == 0 || !json.Valid(r.data) {
			return nil, false
		}
	}
	t, err := r.document()
	return t, err == nil
}

// dataTree converts decoded data, which may be anything that encoding/json can write, to a tree; numbers keep their
// text if they are json.Number or json.RawMessage.
func dataTree(v any) (*tree, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("the fleet is not made of mappings, lists, text, numbers, booleans and nulls: %w", err)
	}
	return (&jsonReader{data: raw}).document()
}

// maskConstants replaces NaN, Infinity and -Infinity by numbers of the same length, and returns their positions.
func maskConstants(data []byte) (masked []byte, at map[int]string) {
	text := string(data)
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			i = value.StringEnd(text, i) - 1
		case 'N', 'I':
			for _, word := range []string{"NaN", "Infinity"} {
				if !bytes.HasPrefix(data[i:], []byte(word)) {
					continue
				}
				if at == nil {
					at, masked = map[int]string{}, bytes.Clone(data)
				}
				copy(masked[i:], bytes.Repeat([]byte("1"), len(word)))
				start := i
				if i > 0 && data[i-1] == '-' {
					start--
				}
				at[start] = string(data[start : i+len(word)])
				i += len(word) - 1
				break
			}
		}
	}
	return masked, at
}

// jsonReader converts JSON to trees.
type jsonReader struct {
	data      []byte
	line      int // of the last token; 0 if lines are meaningless
	at        int // its end
	constants map[int]string
	d         *json.Decoder
}

func (r *jsonReader) document() (*tree, error) {
	r.d = json.NewDecoder(bytes.NewReader(r.data))
	r.d.UseNumber()
	return r.value()
}

// token reads a token. It returns the offset where the token begins, after a comma, a colon and space.
func (r *jsonReader) token() (token json.Token, raw []byte, err error) {
	if token, err = r.d.Token(); err != nil {
		return nil, nil, err
	}
	end := int(r.d.InputOffset())
	raw = r.data[r.at:end]
	if r.line > 0 {
		r.line += bytes.Count(raw, []byte("\n"))
	}
	r.at = end
	return token, raw, nil
}

func (r *jsonReader) value() (*tree, error) {
	token, raw, err := r.token()
	if err != nil {
		return nil, err
	}
	switch v := token.(type) {
	case nil:
		return leaf(r.line, null, ""), nil
	case bool:
		return leaf(r.line, boolean, strconv.FormatBool(v)), nil
	case json.Number:
		if word := r.constants[r.at-len(v)]; word != "" {
			return brokenTree(r.line, word+" is not a number that JSON can represent; put it in quotes or choose another value"), nil
		}
		return leaf(r.line, number, v.String()), nil
	case string:
		if half := loneSurrogate(raw); half != "" {
			return brokenTree(r.line, "contains "+half+", half of a surrogate pair, which is not a character; remove it"), nil
		}
		return leaf(r.line, text, v), nil
	}
	t := &tree{line: r.line, shape: sequence}
	if token == json.Delim('{') {
		t.shape = mapping
	}
	seen := map[string]int{} // the line of a key
	for r.d.More() {
		var e entry
		if t.shape == mapping {
			key, raw, err := r.token()
			if err != nil {
				return nil, err
			}
			e.key, e.line = key.(string), r.line
			first, twice := seen[e.key]
			switch half := loneSurrogate(raw); {
			case half != "":
				e.problem = "contains " + half + ", half of a surrogate pair, which is not a character; remove it"
			case twice && r.line > 0:
				e.problem = fmt.Sprintf("is given twice, first on line %d; keep one of them", first)
			case twice: // json.RawMessage may contain duplicate keys
				e.problem = "is given twice; keep one of them"
			}
			seen[e.key] = r.line
		}
		if e.value, err = r.value(); err != nil {
			return nil, err
		}
		if t.shape == mapping {
			t.entries = append(t.entries, e)
		} else {
			t.items = append(t.items, e.value)
		}
	}
	if _, _, err := r.token(); err != nil { // the closing bracket
		return nil, err
	}
	return t.measure(), nil
}

// loneSurrogate finds an unpaired surrogate escape in the JSON of a string, which Go would replace by U+FFFD.
func loneSurrogate(raw []byte) string {
	for i := 0; i+1 < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		r, n := value.DecodeEscape(raw[i:])
		if utf16.IsSurrogate(r) {
			return string(raw[i : i+n])
		}
		i += max(n, 2) - 1
	}
	return ""
}
