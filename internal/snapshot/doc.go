// Package snapshot is a fleet in memory, for commands that look at all of it: what terms of package where say of each
// object, what it inherits from whom, and every text in it. It is read through the v1 API: from servers that have it as
// one answer of one moment, from others in listings.
//
//	f, err := snapshot.Read(ctx, client, snapshot.Options{Labels: true})
//	for _, o := range f.Of(schema.Host) {
//		if terms.Match(o) {
//			levels := o.Levels()
//		}
//	}
//	found := snapshot.Find(f, "10.20.0.11", 100, can.Hashes)
package snapshot
