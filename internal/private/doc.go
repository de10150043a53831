// Package private keeps files that only the user may read: tokens, and inventories with all their variables. A folder
// must belong to the user and be closed to others, and so must each file; links are never followed. Anything else is
// refused with an error that says what to do; callers that only cache things go on without.
package private
