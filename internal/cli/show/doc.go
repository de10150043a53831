// Package show is how commands show their results: tables for people, with
// colours and names on a terminal, and JSON, YAML and CSV for programs.
//
//	p := show.Printer{Streams: streams, Format: show.FormatTable}
//	err := p.PrintList(objects, []string{"id", "name"})
//
// Tables and JSON are byte for byte what python-cratonclient printed. On a
// terminal nothing that the API says is obeyed: see [Clean].
package show
