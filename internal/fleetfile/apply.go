package fleetfile

import (
	"context"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/reconcile"
)

// What a file does to a fleet is told in the engine's words.
type (
	// Result describes what was done, or with Options.Check what would be.
	Result = reconcile.Result
	// Change describes what a file does to one object.
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
	Moved     = reconcile.Moved
	Unchanged = reconcile.Unchanged
)

// Options say how a file is planned and applied.
type Options = reconcile.Options

// Apply makes the API's fleet what the file says: it creates what is missing, updates what differs, leaves what is
// equal, and deletes nothing. Objects, variables, labels and fields that the file does not mention stay as they are.
//
// The whole file is compared with the API before anything is written. What the API cannot make true is an *Error that
// lists all of it, and then nothing is written. A failure while writing is a *WriteError beside the Result of what was
// done until then; applying the file again goes on from there.
//
// It is for callers who see one project. Others give theirs to a reconcile.Fleet, and it the file's [File.Tree].
func Apply(ctx context.Context, c *craton.Client, f *File, o Options) (*Result, error) {
	return (&reconcile.Fleet{Client: c}).ApplyTree(ctx, f.Tree(), o)
}

// Tree returns what the file wants.
func (f *File) Tree() *reconcile.Tree { return &reconcile.Tree{Name: f.name, Objects: f.objects} }
