// Package show writes the results of commands: tables for people, with colours and names on a terminal, and JSON, YAML
// and CSV for programs.
//
//	p := show.Printer{Streams: streams, Format: show.FormatTable}
//	err := p.PrintList(objects, []string{"id", "name"})
//
// Tables and JSON are byte for byte what python-cratonclient printed. On a terminal, control sequences from the API
// have no effect: see [Clean].
package show
