package advice

import (
	"fmt"
	"strings"
)

// Enumerate returns a list for people, shortened if it is long: a, b, c and 87 more.
func Enumerate(all []string, most int) string {
	if len(all) > most+1 { // "and 1 more" is as long as it
		return fmt.Sprintf("%s and %d more", strings.Join(all[:most], ", "), len(all)-most)
	}
	return strings.Join(all, ", ")
}
