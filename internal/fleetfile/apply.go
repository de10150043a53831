package fleetfile

import (
	"context"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/reconcile"
)

// What a file does to a fleet is told in the engine's words.
type (
	// Result is what was done, or with Options.Check what would be.
	Result = reconcile.Result
	// Change is what a file does to one object.
	Change = reconcile.Change
	// WriteError is a run that stopped before everything was written.
	WriteError = reconcile.WriteError
	// Error lists everything that is wrong with a fleet file, or that cannot be made true by the API.
	Error = reconcile.Error
	// Problem is one thing that is wrong with a fleet file.
	Problem = reconcile.Problem
)

// What is done to an object.
const (
	Created   = reconcile.Created
	Updated   = reconcile.Updated
	Unchanged = reconcile.Unchanged
)

// Options say how a file is applied.
type Options struct {
	// Check stops after the plan: the Result says what would be done, and nothing is written.
	Check bool
	// Brief leaves Before and After out of the changes, for who does not show them.
	Brief bool
	// Parallel is how many requests are under way at once; 0 is 32.
	Parallel int
	// ProjectID is the caller's project (a UUID). It is needed where the API shows more than one: to an admin of the original
	// server, who sees every tenant, and to root. "" takes the only one there is.
	ProjectID string
	// Progress, when not nil, is told of each object that was written, as reconcile.Options has it.
	Progress func(done, total int, what string)
}

// Apply makes the API's fleet what the file says: it creates what is missing, updates what differs, leaves what is
// equal, and deletes nothing. Objects, variables, labels and fields that the file does not mention stay as they are.
//
// The whole file is compared with the API before anything is written. What the API cannot make true is an
// *Error that lists all of it, and then nothing is written. A failure while writing is a *WriteError beside the Result of what
// was done until then; applying the file again goes on from there.
func Apply(ctx context.Context, c *craton.Client, f *File, o Options) (*Result, error) {
	fl := &reconcile.Fleet{Client: c, Project: o.ProjectID}
	return fl.ApplyTree(ctx, &reconcile.Tree{Name: f.name, Objects: f.objects}, reconcile.Options{Check: o.Check, Brief: o.Brief, Parallel: o.Parallel, Progress: o.Progress})
}
