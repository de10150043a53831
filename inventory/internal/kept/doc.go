// Package kept keeps documents on disk, with what makes them valid: one file for each key, in a folder that belongs to
// the user alone (see internal/private). A file is written beside the one that it replaces and takes its place whole,
// so that any number of processes may keep and read at once: who has opened a document reads that one.
//
// A file has the document, an index of its owner's making, a [Header] in JSON, and 24 bytes that tell where the header
// begins. All of it is under checksums: what is cut short or altered counts as not there. They notice accidents. Who
// could write there on purpose is the user.
//
//	store, err := kept.Open(folder)
//	entry := store.Find(key)          // nil: none
//	err = entry.Check()               // before any of it is used
//	_, err = entry.WriteTo(os.Stdout)
//
//	draft := store.Begin(key)
//	_, _ = draft.Write(document)
//	err = draft.Keep(header, index)
//
// What is kept is bounded: documents of more than [MaxBytes] are not kept, and those that were used longest ago go
// when all of them together have more than that, or when nobody has used them for [Unused].
package kept
