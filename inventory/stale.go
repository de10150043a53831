package inventory

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// hostsBegin is the line of a document after which each host has its own line.
const hostsBegin = "{\"_meta\":{\"hostvars\":{\n"

var errNotDocument = errors.New("not an inventory")

// keptHosts calls host with the line of each host of a document, and other with the rest; either may be nil.
func keptHosts(document io.Reader, host func(name string, line []byte) error, other func(line []byte) error) error {
	r := bufio.NewReaderSize(document, 256<<10)
	if other == nil {
		other = func([]byte) error { return nil }
	}
	inside := false
	for n := 0; ; n++ {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case n == 0:
			inside = string(line) == hostsBegin
			err = other(line)
		case inside && line[0] == '"':
			err = host(jsontext.NewSkimmer(jsontext.Text(line)).Str(), line)
		default:
			inside = false
			err = other(line)
		}
		if err != nil {
			return err
		}
	}
}

// writeStale writes a document that is no longer current, and marks each host as stale. facts is the name of the facts,
// "" without them.
func writeStale(w io.Writer, document io.Reader, facts string) error {
	path := staleVariable
	if facts != "" {
		path = facts + "." + staleFact
	}
	out := bufio.NewWriterSize(w, 256<<10)
	write := func(line []byte) error { _, err := out.Write(line); return err }
	err := keptHosts(document, func(_ string, line []byte) error {
		object := bytes.IndexByte(line[value.StringEnd(jsontext.Text(line), 0):], '{') + value.StringEnd(jsontext.Text(line), 0)
		said := gjson.GetBytes(line[object:], path)
		if said.Raw != "false" || said.Index == 0 {
			return errNotDocument
		}
		at := object + said.Index
		if err := write(line[:at]); err != nil {
			return err
		}
		if _, err := out.WriteString("true"); err != nil {
			return err
		}
		return write(line[at+len("false"):])
	}, write)
	if err != nil {
		return err
	}
	return out.Flush()
}
