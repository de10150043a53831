package doctor

import (
	"errors"
	"io"
	"strings"

	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/table"
	"github.com/craton-fleet/craton/internal/value/python"
)

// doctorPrinter writes findings for people as they arrive. Checks skipped for the same reason share a line.
type doctorPrinter struct {
	w       io.Writer
	look    show.Appearance
	skipped []string // skipped checks for the next line
	why     string
}

func newDoctorPrinter(w io.Writer) *doctorPrinter {
	return &doctorPrinter{w: w, look: show.AppearanceOf(w)}
}

func (p *doctorPrinter) print(f finding) {
	if f.Status == skipped {
		if p.why != f.Message {
			p.flush()
		}
		p.skipped, p.why = append(p.skipped, f.Check), f.Message
		return
	}
	p.flush()
	p.line(f.Status, f.Check+": "+f.Message)
	if f.Advice != "" {
		p.write(indent + "-> " + f.Advice) // not wrapped: it may be a command to copy
	}
}

func (p *doctorPrinter) flush() {
	if len(p.skipped) > 0 {
		p.line(skipped, strings.Join(p.skipped, ", ")+": "+p.why)
	}
	p.skipped, p.why = nil, ""
}

// line writes a line of the outcome.
func (p *doctorPrinter) line(h health, message string) {
	paint := map[health]func(string) string{
		healthy: p.look.Green, warning: p.look.Yellow, problem: func(s string) string { return p.look.Red(p.look.Bold(s)) }, skipped: p.look.Dim,
	}[h]
	p.write(paint(table.Pad(string(h), len(indent)-1)) + " " + p.wrap(message))
}

// indent is the column of the text of a line, after its health.
const indent = "         "

// wrap breaks a text that is too wide for the terminal, between words.
func (p *doctorPrinter) wrap(message string) string {
	room := p.look.Width - len(indent)
	if room <= len(indent) || table.Width(message) <= room {
		return message
	}
	return strings.Join(python.Wrap(message, room, nil), "\n"+indent)
}

func (p *doctorPrinter) write(line string) { _, _ = io.WriteString(p.w, line+"\n") }

// doctorDocument is the document for --format json and yaml.
type doctorDocument struct {
	Status   health    `json:"status"` // the worst of the checks
	Problems int       `json:"problems"`
	Warnings int       `json:"warnings"`
	Checks   []finding `json:"checks"`
}

// write ends the report in a format, and returns an error if there is a problem.
func (d *doctor) write(w io.Writer, format string) error {
	doc := doctorDocument{healthy, d.count(problem), d.count(warning), d.findings}
	switch {
	case doc.Problems > 0:
		doc.Status = problem
	case doc.Warnings > 0:
		doc.Status = warning
	}
	var err error
	switch format {
	case show.FormatTable: // printed already
	case show.FormatCSV:
		rows := [][]string{{"check", "status", "message", "advice"}}
		for _, f := range d.findings {
			rows = append(rows, []string{f.Check, string(f.Status), f.Message, f.Advice})
		}
		err = show.WriteCSV(w, rows)
	default:
		err = show.WriteDocument(w, format, doc)
	}
	if err == nil && doc.Problems > 0 {
		return errors.New(plural(doc.Problems, "problem"))
	}
	return err
}
