// Package history is `craton history` and `craton diff`: what changed an object
// and the values that it inherits, who did it and why; what is otherwise at one
// moment than at another, and of one host than of another. [New] and [NewDiff]
// give the commands.
package history
