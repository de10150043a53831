package export

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/nearest"
	"github.com/craton-fleet/craton/internal/value"
)

// column is one of the available columns, in addition to vars.NAME.
type column struct {
	name string
	of   func(*host) string
}

var columns = []column{
	{"name", func(h *host) string { return h.Name }},
	{"inventory_name", func(h *host) string { return h.name }},
	{"id", func(h *host) string { return strconv.Itoa(h.ID) }},
	{"kind", func(h *host) string { return h.Kind.String() }},
	{"ip_address", func(h *host) string { return h.IPAddress }},
	{"device_type", func(h *host) string { return h.DeviceType }},
	{"active", func(h *host) string { return strconv.FormatBool(h.Active) }},
	{"cloud", func(h *host) string { return h.cloud }},
	{"region", func(h *host) string { return h.region }},
	{"cell", func(h *host) string { return h.cell }},
	{"parent", func(h *host) string { return h.parent }},
	{"labels", func(h *host) string { return joinLabels(h.Labels) }},
	{"project_id", func(h *host) string { return h.ProjectID }},
}

// variableColumn is the prefix of a column with a variable.
const variableColumn = "vars."

func columnNames() []string {
	var names []string
	for _, c := range columns {
		names = append(names, c.name)
	}
	return names
}

func checkColumns(names []string) error {
	for _, name := range names {
		if cellOf(name) == nil {
			return advice.With(fmt.Errorf("unknown column %q", value.Brief(name)), nearest.Hint(name, append(columnNames(), variableColumn+name)))
		}
	}
	return nil
}

// cellOf returns the cell of a host in a column; nil for an unknown column. number is set for a JSON number, which is
// not a formula.
func cellOf(name string) func(h *host) (text string, number bool) {
	if key, ok := strings.CutPrefix(name, variableColumn); ok && key != "" {
		return func(h *host) (string, bool) {
			raw, ok := h.variable(key)
			if !ok {
				return "", false
			}
			v := gjson.Parse(raw)
			if v.Type == gjson.String {
				return v.Str, false
			}
			return raw, v.Type == gjson.Number
		}
	}
	for _, c := range columns {
		if c.name == name {
			return func(h *host) (string, bool) { return c.of(h), false }
		}
	}
	return nil
}

// joinLabels joins labels with commas; if one contains a comma, semicolon or space, or looks like a list, the cell is a
// JSON list, which craton import csv reads.
func joinLabels(labels []string) string {
	for _, l := range labels {
		if strings.ContainsAny(l, ",; ") || l[0] == '[' {
			raw, _ := value.Encode(labels)
			return string(raw)
		}
	}
	return strings.Join(labels, ",")
}

// writeCSV returns the format csv: RFC 4180, with the names of the columns in the first line.
func writeCSV(e *exporter, w io.Writer, hosts []host) error {
	var line []byte
	cells := make([]func(*host) (string, bool), len(e.columns))
	for i, name := range e.columns {
		if i > 0 {
			line = append(line, ',')
		}
		line = appendCell(line, e.guard(e.shown(name), false))
		cells[i] = cellOf(name)
	}
	line = append(line, "\r\n"...)
	if _, err := w.Write(line); err != nil {
		return err
	}
	for i := range hosts {
		line = line[:0]
		for j, cell := range cells {
			if j > 0 {
				line = append(line, ',')
			}
			text, number := cell(&hosts[i])
			line = appendCell(line, e.guard(e.shown(text), number))
		}
		if _, err := w.Write(append(line, "\r\n"...)); err != nil {
			return err
		}
	}
	return nil
}

// guard puts an apostrophe before a text that a spreadsheet would execute as a formula, and before an apostrophe, so
// that removing one always restores the text.
func (e *exporter) guard(text string, number bool) string {
	if text == "" || number || e.raw {
		return text
	}
	first := []rune(text)[0]
	if strings.ContainsRune("=+-@\t\r\n'\uff1d\uff0b\uff0d\uff20", first) {
		return "'" + text
	}
	return text
}

// appendCell appends a cell, in quotes if necessary.
func appendCell(dst []byte, text string) []byte {
	if !strings.ContainsAny(text, ",\"\r\n") && strings.TrimSpace(text) == text {
		return append(dst, text...)
	}
	return append(append(append(dst, '"'), strings.ReplaceAll(text, `"`, `""`)...), '"')
}
