// Package nearest finds the known word that someone probably meant, for error messages.
package nearest

import (
	"fmt"
	"strings"
)

// Hint is what an error about an unknown word ends with: `; did you mean "x"?` when a known word is near,
// else `; known are a, b, c`. Without known words it is empty.
func Hint(word string, known []string) string {
	if best := Word(word, known); best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	if len(known) == 0 {
		return ""
	}
	return "; known are " + strings.Join(known, ", ")
}

// Word is the known word with the fewest letters to insert, delete or replace, "" when none is near:
// a third of the word's letters, but at least one and at most three, may differ.
func Word(word string, known []string) string {
	most := min(max(len([]rune(word))/3, 1), 3)
	best, least := "", most+1
	for _, k := range known {
		if d := distance(word, k); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is the number of letters to insert, delete or replace to make b of a.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i, r := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j, s := range y {
			cost := diagonal
			if r != s {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(y)]
}
