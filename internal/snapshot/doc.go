// Package snapshot reads a complete fleet into memory, for commands that need all of it: to match objects against the
// terms of package where, to find what an object inherits, and to search all texts. The fleet is read through the v1
// API: as one consistent response if the server supports that, otherwise in listings.
//
//	f, err := snapshot.Read(ctx, client, snapshot.Options{Labels: true})
//	for _, o := range f.Of(schema.Host) {
//		if terms.Match(o) {
//			levels := o.Levels()
//		}
//	}
//	found := snapshot.Find(f, "10.20.0.11", 100, can.Hashes)
package snapshot
