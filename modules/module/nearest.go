package module

import "strings"

// nearest returns the name that word is most likely a slip of: at most a third
// of its letters changed, added, lost or swapped with a neighbour; or "".
func nearest(word string, names []string) string {
	best, limit := "", max(1, len([]rune(word))/3)
	for _, name := range names {
		if d := distance(strings.ToLower(word), strings.ToLower(name)); d <= limit && (best == "" || d < limit) {
			best, limit = name, d
		}
	}
	return best
}

// distance is the optimal string alignment distance.
func distance(s, t string) int {
	a, b := []rune(s), []rune(t)
	if len(a) > 64 || len(b) > 64 {
		return 64 // no option is that long
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
