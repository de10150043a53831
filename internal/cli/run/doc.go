// Package run is the frame of a running command: a [Session] of a fleet, which [OnFleet] opens from the settings; a
// context that ends with a signal ([Interruptible]); and errors in the words of python-cratonclient ([AsOriginal]),
// printed by [Report], which returns the exit status.
package run
