// Package wording compares messages in tests by the words that matter, names, numbers and the remedy, so that the
// sentence around them can be improved without the test.
package wording

import "strings"

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
