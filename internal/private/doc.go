// Package private stores files that only the user may read: tokens, and inventories with all their variables. A
// directory must belong to the user and be inaccessible to others, and so must each file; links are never followed.
// Anything else is refused with an error that says what to do; callers that only cache things continue without.
package private
