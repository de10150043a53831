// Package plan implements `craton plan` and `craton apply`: what one or more fleet files would do to a fleet, including
// the effects on the variables of its hosts; plans that are saved in a file and applied exactly as they are; and files
// that are applied at once. Both use the plan of internal/reconcile, so they cannot disagree. [New] and [NewApply]
// return the commands.
package plan
