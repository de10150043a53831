// Package fleetfile makes a fleet what a YAML file says: it is the engine of `craton apply FILE`.
//
// A fleet file describes clouds, their regions, cells, hosts, network devices, networks and interfaces, with
// variables, labels, notes and parents by name (docs/fleet-file.md is its manual):
//
//	f, err := fleetfile.Parse("fleet.yml", file)      // the whole file is validated, nothing is sent
//	r, err := fleetfile.Apply(ctx, client, f, fleetfile.Options{Check: true})
//	r, err = fleetfile.Apply(ctx, client, f, fleetfile.Options{})
//	fmt.Println(r.Created, r.Updated, r.Unchanged)
//
// # What it promises
//
//   - What the file mentions is made true; everything else stays as it is. Nothing is ever deleted.
//   - Applying a file twice changes nothing the second time: not one writing request is sent.
//   - Check mode, the description of the changes and the real run come from one plan, so they cannot disagree.
//   - Everything that is wrong is told before anything is written, all of it at once: what is wrong within the file by
//     Parse (an *Error with lines), what the API cannot make true by Apply (an *Error too).
//   - A run that failed or was interrupted is a *WriteError; applying the file again goes on from there.
//
// # How it works
//
// Parse turns YAML into trees (yaml.go, tree.go), and the trees into objects by the table of kinds (spec.go,
// file.go); references by name are found in references.go. FromValue does the same with decoded data.
//
// Apply reads the part of the API's fleet that the file speaks of (state.go), compares (plan.go) and writes (apply.go).
// Any Craton v1 API will do, the original server included. Reads are listings by pages; the number of requests
// does not grow with the objects beyond the pages, except on the original server, which shows labels one device
// at a time (Q15), and for interfaces whose variables the file gives. Writes go level by level — project, clouds,
// regions, cells, networks, devices below their parents, interfaces — and side by side within a level; each
// object takes one request, and at most one more each for its variables and its labels.
//
// Quirks of the v1 contract (§10) that it answers to: Q2 project ids in two spellings, Q3 addresses that come back
// normalised, Q4 speeds that come back as text, Q5 and Q6 (in the client library) updates of what is gone and duplicates
// answered with 500, Q8 by comparing own variables only, Q12 creates and listings that are not found because of a
// parent in another project, Q14 look-ups by name that fail, Q15 labels that are never shown, Q20 admins who
// see every tenant, Q25 names that differ in case only.
package fleetfile
