package value

import "fmt"

// ID returns the id of an object as a decoded document has it: a number, which encoding/json makes a float64, as an
// integer, and a UUID as it is.
func ID(id any) any {
	if n, ok := id.(float64); ok {
		return int(n)
	}
	return id
}

// IDText is like ID, but returns text.
func IDText(id any) string { return fmt.Sprint(ID(id)) }
