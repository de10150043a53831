// Package nearest finds the known word that someone probably meant, for error messages.
package nearest

import (
	"fmt"
	"slices"
	"strings"
)

// Hint returns the advice for an error about an unknown word: `did you mean "x"?` if a known word is similar, or else
// `choose from: a, b, c`. Without known words it is empty.
func Hint(word string, known []string) string {
	if best := Word(word, known); best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	if len(known) == 0 {
		return ""
	}
	return "choose from: " + strings.Join(known, ", ")
}

// Word returns the known word of which word is probably a misspelling, in any case: at most a third of its letters, but
// at least one and at most three, were changed, added, lost or swapped with a neighbour. "" if there is none.
func Word(word string, known []string) string {
	return Within(word, known, min(max(len([]rune(word))/3, 1), 3))
}

// Within is like Word, with an explicit limit on the number of differing letters: for callers that refuse near misses
// and must rarely be wrong.
func Within(word string, known []string, most int) string {
	best, least := "", most+1
	for _, k := range known {
		if d := distance(strings.ToLower(word), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	return best
}

// Several returns the known words that are most similar to word, up to a number, the most similar first, for callers
// that need a suggestion even if Word finds none. At most half of the letters differ.
func Several(word string, known []string, most int) []string {
	type one struct {
		word     string
		distance int
	}
	var near []one
	for _, k := range known {
		if d := distance(strings.ToLower(word), strings.ToLower(k)); 2*d <= len([]rune(word)) {
			near = append(near, one{k, d})
		}
	}
	slices.SortStableFunc(near, func(a, b one) int { return a.distance - b.distance })
	var words []string
	for _, o := range near[:min(most, len(near))] {
		words = append(words, o.word)
	}
	return words
}

// distance returns the optimal string alignment distance.
func distance(s, t string) int {
	a, b := []rune(s), []rune(t)
	if len(a) > 64 || len(b) > 64 {
		return 64 // nobody types anything that long
	}
	var before []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
