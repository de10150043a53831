package undo

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/value"
)

// document is an undo for programs. Its times have a zone, as in a history.
type document struct {
	Writes []write `json:"undone"`
	*craton.UndoResult
}

// write is a write that is reversed.
type write struct {
	Revision  string    `json:"revision"`
	Time      time.Time `json:"time"`
	User      string    `json:"user"`
	RequestID string    `json:"request_id"`
	Message   string    `json:"message"`
}

func documentOf(u *craton.UndoResult) document {
	d := document{[]write{}, u}
	for _, w := range u.Undone {
		d.Writes = append(d.Writes, write{w.Revision, w.Time.UTC(), w.User, w.RequestID, w.Message})
	}
	return d
}

// printDocument writes an undo in a format other than a table: as CSV, the action on each object.
func printDocument(s *run.Session, u *craton.UndoResult) error {
	if s.Format != show.FormatCSV {
		return show.WriteDocument(s.Out, s.Format, documentOf(u))
	}
	rows := [][]string{{"action", "kind", "id", "path", "fields", "keys", "labels"}}
	for _, step := range u.Steps {
		keys := []byte("[]")
		if step.Keys != nil {
			var err error
			if keys, err = json.Marshal(step.Keys); err != nil { // they may contain any character
				return err
			}
		}
		rows = append(rows, []string{step.Action, step.Kind, value.IDText(step.ID), step.Path, strings.Join(step.Fields, " "), string(keys), strconv.FormatBool(step.Labels)})
	}
	if more := total(u) - len(u.Steps); more > 0 {
		if _, err := fmt.Fprintf(s.Err, "and %d more, which are not shown\n", more); err != nil {
			return err
		}
	}
	return show.WriteCSV(s.Out, rows)
}

// total returns the number of objects in an undo.
func total(u *craton.UndoResult) int {
	all := 0
	for _, n := range u.Counts {
		all += n
	}
	return all
}
