package explain

import (
	"context"
	"fmt"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/when"
)

// who finds, for the variables of each level, the last change that set them: some requests for each level.
func (e *explanation) who(ctx context.Context, s *object.Session) error {
	if err := s.Client.NeedLog(ctx, "changes"); err != nil {
		return err
	}
	e.set = make([]map[string]*craton.Change, len(e.levels))
	for i, l := range e.levels {
		if len(l.Variables) == 0 || l.Kind == levelProject && !e.whole {
			continue
		}
		e.set[i] = map[string]*craton.Change{}
		for c, err := range s.Client.Changes(ctx, craton.ChangeOptions{Kind: l.Kind, ID: l.ID}) {
			if err != nil {
				return fmt.Errorf("the changes of %s: %w", l, err)
			}
			for _, v := range l.Variables {
				if c.After.Has(v.Name) {
					e.set[i][v.Name] = c
				}
			}
		}
	}
	return nil
}

// setBy is the change that set a variable of a level; nil if the log does not have it, or was not asked.
func (e *explanation) setBy(level int, name string) *craton.Change {
	if e.set == nil {
		return nil
	}
	return e.set[level][name]
}

// unknownSetter stands for who set what is older than the change log.
const unknownSetter = "before the change log"

// sentence says who set a variable of a level, when and why.
func (e *explanation) sentence(level int, name string) string {
	c := e.setBy(level, name)
	switch {
	case c == nil && e.levels[level].Kind == levelProject && !e.whole:
		return "-"
	case c == nil:
		return unknownSetter
	}
	parts := []string{c.User, when.Format(c.Time.Local())}
	if c.Message != "" {
		parts = append(parts, `"`+c.Message+`"`)
	}
	return show.Clean(strings.Join(parts, ", "))
}

// setterDocument is who set a value, in documents.
type setterDocument struct {
	User      string           `json:"user"`
	Time      craton.Timestamp `json:"time"`
	Revision  int64            `json:"revision"`
	RequestID string           `json:"request_id"`
	Address   string           `json:"address,omitempty"`
	Message   string           `json:"message"`
}

func (e *explanation) setter(level int, name string) *setterDocument {
	c := e.setBy(level, name)
	if c == nil {
		return nil
	}
	return &setterDocument{c.User, c.Time, c.Revision, c.RequestID, c.Address, c.Message}
}
