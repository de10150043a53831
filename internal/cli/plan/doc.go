// Package plan is `craton plan` and `craton apply`: what a fleet file, or several, would do to a fleet, with what
// becomes of the variables of its hosts; plans that are kept in a file and carried out as they are; and files that are
// applied at once. Both are the plan of internal/reconcile, so they cannot disagree. [New] and [NewApply] give the
// commands.
package plan
