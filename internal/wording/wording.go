// Package wording compares messages in tests by the words that matter, names, numbers and the remedy, so that the
// sentence around them can be improved without the test.
package wording

import (
	"strings"
	"testing"
)

// Gap stands in a pattern of Has for any text.
const Gap = " ... "

// Has reports whether text contains the parts of want, which Gap separates, one after the other.
func Has(text, want string) bool {
	for part := range strings.SplitSeq(want, Gap) {
		_, after, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text = after
	}
	return true
}

// Lines reports whether text has as many lines as want, each with the parts of its line of want, as Has finds them.
func Lines(text, want string) bool {
	lines, wants := strings.Split(text, "\n"), strings.Split(want, "\n")
	if len(lines) != len(wants) {
		return false
	}
	for i, line := range lines {
		if !Has(line, wants[i]) {
			return false
		}
	}
	return true
}

// Want fails the test if err is nil, or if the lines of its message do not have those of want.
func Want(t testing.TB, err error, want string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error; want one like\n%s", want)
	} else if !Lines(err.Error(), want) {
		t.Errorf("got error\n%v\nwant one like\n%s", err, want)
	}
}
