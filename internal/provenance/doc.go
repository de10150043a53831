// Package provenance finds where the values of variables come from: which object each comes from, which others it
// shadows, who set it, and what a variable resolves to across a fleet. `craton explain` and the page show it, each in
// its own form.
//
//	e, err := provenance.Explain(ctx, client, schema.Host, "12", func(string) bool { return false })
//	err = e.ReadSetters(ctx, client, nil)
//	for _, v := range e.Variables {
//		counts, hidden := v.Values[0], v.Values[1:]
//		by := e.SetBy(counts.Level, v.Name)
//
// The levels are read with some requests for the object, whatever the size of the fleet. [SpreadOf] looks at a whole
// fleet that package snapshot has read.
package provenance
