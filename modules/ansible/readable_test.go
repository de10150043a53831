package ansible

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestReadable: what Ansible could not read back is text, at the very limits of what it can.
func TestReadable(t *testing.T) {
	t.Parallel()
	lists := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	digits := strings.Repeat("9", 4300)
	for in, want := range map[string]string{
		`{"a":{"__ansible_type":"{{ x }}","b":"\"{"}}`:               `{"a":" {\"__ansible_type\":\"\\u007b\\u007b x }}\",\"b\":\"\\\"\\u007b\"}"}`,
		`[{"__ansible_unsafe":"x"},{"__ansible_vault":"x"},{"c":1}]`: `[" {\"__ansible_unsafe\":\"x\"}"," {\"__ansible_vault\":\"x\"}",{"c":1}]`,
		`{"ansible_type":1,"x__ansible_type":"__ansible_type"}`:      `{"ansible_type":1,"x__ansible_type":"__ansible_type"}`,
		`[` + digits + `,-` + digits + `,` + digits + `.5]`:          `[` + digits + `,-` + digits + `,` + digits + `.5]`,
		`[1` + digits + `,-1` + digits + `]`:                         `["1` + digits + `","-1` + digits + `"]`,
		lists(maxDepth - 1):                                          lists(maxDepth - 1),
		lists(maxDepth + 1):                                          strings.Repeat("[", maxDepth-1) + `"[[]]"` + strings.Repeat("]", maxDepth-1),
		"\"a\u0085b\u2028\"":                                         `"a\u0085b\u2028"`,
	} {
		value, err := decodeJSON([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		got := string(appendJSON(nil, readable(value, 1)))
		if got != want || !json.Valid([]byte(got)) {
			t.Errorf("%.100s:\n got %.300s\nwant %.300s", in, got, want)
		}
	}
}
