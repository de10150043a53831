// Package history is `craton history` and `craton diff`: what changed an object and the values that it inherits, who
// did it and why; the differences between two moments, and between two hosts. [New] and [NewDiff] give the commands.
package history
