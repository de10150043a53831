// Package fleetfile makes a fleet what a YAML file says: it reads what `craton apply FILE` applies. It writes such
// files, too.
//
// A fleet file describes clouds, their regions, cells, hosts, network devices, networks and interfaces, with
// variables, labels, notes and parents by name (docs/fleet-file.md is its manual):
//
//	f, err := fleetfile.Parse("fleet.yml", file)      // the whole file is validated, nothing is sent
//	r, err := fleetfile.Apply(ctx, client, f, fleetfile.Options{Check: true})
//	r, err = fleetfile.Apply(ctx, client, f, fleetfile.Options{})
//	fmt.Println(r.Created, r.Updated, r.Unchanged)
//
//	err = fleetfile.Write(file, tree, "a comment")  // what Parse reads as the same tree
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
// Parse turns YAML into trees (yaml.go, tree.go), that of a large file some objects at a time (parts.go), without the
// library where it is plain (plain.go), and the trees into wanted objects by the table of kinds (spec.go, file.go);
// references by name are found in references.go. FromValue does the same with decoded data.
//
// Write (write.go) makes JSON of one wanted object after the other, in the order that people expect, has the same
// reader look at it, and writes it as YAML by internal/yaml11.
//
// Apply is internal/reconcile's: it reads the part of the API's fleet that the file speaks of (tree_state.go), compares
// (tree_plan.go) and writes (tree_apply.go).
package fleetfile
