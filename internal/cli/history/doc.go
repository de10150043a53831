// Package history implements `craton history` and `craton diff`: what changed an object and the values that it
// inherits, who did it and why; the differences between two states, and between two hosts. [New] and [NewDiff] return
// the commands.
package history
