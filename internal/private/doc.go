// Package private keeps files that are nobody's business but the user's: tokens, and inventories with all their
// variables. A folder must belong to the user and be closed to others, and so must each file; links are followed
// nowhere. What is not so is refused with an error that says what to do, and whoever keeps things that can be had again
// goes on without.
package private
