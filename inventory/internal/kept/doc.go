// Package kept caches documents on disk, with what is needed to check that they are current: one file for each key, in
// a directory that belongs to the user alone (see internal/private). A file is replaced atomically, so any number of
// processes may write and read at once: a reader continues with the file that it has opened.
//
// A file contains the document, an index from the caller, a [Header] in JSON, and 24 bytes with the position of the
// header. Checksums cover all of it: a truncated or altered file counts as missing. They detect accidents, not attacks:
// only the user can write to the directory.
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
// The size of the cache is limited: documents of more than [MaxBytes] are not cached, and the least recently used are
// deleted if all together are larger than that, or if they have not been used for [Unused].
package kept
