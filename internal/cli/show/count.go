package show

import "fmt"

// Count returns a number with its noun, singular or plural: "1 host", "2 hosts".
func Count(n int, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, several)
}
