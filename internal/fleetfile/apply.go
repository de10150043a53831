package fleetfile

import (
	"context"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/reconcile"
)

// The types with which the engine describes what a file does to a fleet.
type (
	// Result describes what was done or, with Options.Check, what would be done.
	Result = reconcile.Result
	// Change describes what a file does to one object.
	Change = reconcile.Change
	// WriteError is the error of a run that stopped before everything was written.
	WriteError = reconcile.WriteError
	// Error lists everything that is wrong with a fleet file, or that the API cannot do.
	Error = reconcile.Error
	// Problem is one fault in a fleet file.
	Problem = reconcile.Problem
)

// The actions on an object.
const (
	Created   = reconcile.Created
	Updated   = reconcile.Updated
	Moved     = reconcile.Moved
	Unchanged = reconcile.Unchanged
)

// Options determine how a file is planned and applied.
type Options = reconcile.Options

// Apply changes the API's fleet to match the file: it creates missing objects, updates those that differ, leaves equal
// ones alone, and deletes nothing. Objects, variables, labels and fields that the file does not mention stay as they
// are.
//
// The complete file is compared with the API before anything is written. If the API cannot do something, Apply returns
// an *Error that lists all problems, and nothing is written. If a write fails, it returns a *WriteError in addition to
// the Result of what was done before; applying the file again continues from there.
//
// It is for callers that see one project. Others set theirs in a reconcile.Fleet, and apply the file's [File.Tree] to
// it.
func Apply(ctx context.Context, c *craton.Client, f *File, o Options) (*Result, error) {
	return (&reconcile.Fleet{Client: c}).ApplyTree(ctx, f.Tree(), o)
}

// Tree returns the wanted state of the fleet.
func (f *File) Tree() *reconcile.Tree { return &reconcile.Tree{Name: f.name, Objects: f.objects} }
