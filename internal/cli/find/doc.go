// Package find is the command `craton find`: a text, wherever in the fleet it stands.
package find
