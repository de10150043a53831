// Package run is what a command has while it runs, and how it ends: a
// [Session] of a fleet, made by [OnFleet] of the settings; a context that ends
// with a signal ([Interruptible]); and errors in the words of
// python-cratonclient ([AsOriginal]), printed by [Report], which gives the status
// that the process ends with.
package run
