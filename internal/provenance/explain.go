package provenance

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/schema"
)

// Explanation describes where each variable of an object comes from.
type Explanation struct {
	Chain
	Variables []Variable // sorted by name

	// Setters are, for each level, the changes that set its variables; nil if they were not read.
	Setters []map[string]*craton.Change
}

// Variable is one variable: the first of its values wins, the others are overridden.
type Variable struct {
	Name     string
	Values   []hierarchy.At // one of each level that has the variable, nearest first; null is a value
	Excluded bool           // the inventory leaves it out
}

// Explain reads where an object's variables come from. excludes reports which of them the inventory leaves out.
func Explain(ctx context.Context, c *craton.Client, k *schema.Kind, id string, excludes func(string) bool) (*Explanation, error) {
	fields, err := c.Collection(craton.Kind(k.Name)).Get(ctx, id)
	if err != nil {
		return nil, err
	}
	return ExplainObject(ctx, c, k, *fields, excludes)
}

// ExplainObject is like [Explain], for an object that was already read with only its own variables.
func ExplainObject(ctx context.Context, c *craton.Client, k *schema.Kind, object craton.Object, excludes func(string) bool) (*Explanation, error) {
	chain, err := chainOf(ctx, c, k, object)
	if err != nil {
		return nil, err
	}
	e := &Explanation{Chain: *chain}
	e.Resolve(excludes)
	return e, nil
}

// Resolve lists the values of all levels by variable.
func (e *Explanation) Resolve(excludes func(string) bool) {
	levels := make([]hierarchy.Variables, len(e.Levels))
	for i := range levels {
		levels[i] = e.Levels[i].Variables
	}
	for name, values := range hierarchy.Explain(levels...) {
		e.Variables = append(e.Variables, Variable{name, values, excludes(name)})
	}
}

// Find returns the index of a variable among them.
func (e *Explanation) Find(name string) (int, bool) {
	return slices.BinarySearchFunc(e.Variables, name, func(v Variable, name string) int { return strings.Compare(v.Name, name) })
}

// ReadSetters finds the last change that set each variable of each level: with one request per level, or several if the
// server only offers its complete log. It needs a server with a change log; can is its capabilities, nil if not read
// yet.
func (e *Explanation) ReadSetters(ctx context.Context, c *craton.Client, can *craton.Capabilities) (err error) {
	if can == nil {
		if can, err = c.Capabilities(ctx); err != nil {
			return err
		}
	}
	if !can.Has("changes") {
		return c.RequireFeature(ctx, "changes")
	}
	e.Setters = make([]map[string]*craton.Change, len(e.Levels))
	g, ctx := errgroup.WithContext(ctx)
	for i, l := range e.Levels {
		if len(l.Variables) == 0 || l.Kind == schema.Project.Name && !e.Complete {
			continue
		}
		g.Go(func() error {
			set := map[string]*craton.Change{}
			for change, err := range c.Changes(ctx, craton.ChangeOptions{Kind: l.Kind, ID: l.ID, Setters: can.Has("setters")}) {
				if err != nil {
					return fmt.Errorf("the changes of %s: %w", l, err)
				}
				for _, v := range l.Variables {
					if change.After.Has(v.Name) {
						set[v.Name] = change
					}
				}
			}
			e.Setters[i] = set
			return nil
		})
	}
	return g.Wait()
}

// HasSetters reports whether the setters of the variables were read.
func (e *Explanation) HasSetters() bool { return e.Setters != nil }

// SetBy returns the change that set a variable of a level; nil if the log does not have it, or was not read.
func (e *Explanation) SetBy(level int, name string) *craton.Change {
	if e.Setters == nil {
		return nil
	}
	return e.Setters[level][name]
}

// Unknown reports whether the setter of a level's variable cannot be known: the caller may not read the project.
func (e *Explanation) Unknown(level int) bool {
	return e.Levels[level].Kind == schema.Project.Name && !e.Complete
}

// The documents for programs.
type (
	// LevelDocument is an object from which variables are inherited.
	LevelDocument struct {
		Type string  `json:"type"`
		ID   any     `json:"id"`   // a number; a UUID for a project
		Name *string `json:"name"` // null for a project that the caller may not read
	}
	// VariableDocument is a variable: the winning value, and those that it overrides.
	VariableDocument struct {
		ValueDocument
		Shadows  []ValueDocument `json:"shadows"`
		Excluded bool            `json:"excluded"`
	}
	// ValueDocument is a value and its source.
	ValueDocument struct {
		Value json.RawMessage `json:"value"`
		From  LevelDocument   `json:"from"`
		Set   *SetterDocument `json:"set,omitempty"` // missing if the log does not have it, or was not read
	}
	// SetterDocument is the change that set a value.
	SetterDocument struct {
		User      string           `json:"user"`
		Time      craton.Timestamp `json:"time"`
		Revision  int64            `json:"revision"`
		RequestID string           `json:"request_id"`
		Address   string           `json:"address,omitempty"`
		Message   string           `json:"message"`
	}
)

// DocumentOf returns the document of a level.
func DocumentOf(l hierarchy.Level) LevelDocument {
	d := LevelDocument{Type: l.Kind, ID: l.ID}
	if n, err := strconv.Atoi(l.ID); err == nil {
		d.ID = n
	}
	if l.Name != "" || l.Kind != schema.Project.Name {
		d.Name = &l.Name
	}
	return d
}

// Order returns the document of the levels, nearest first.
func (e *Explanation) Order() []LevelDocument {
	order := make([]LevelDocument, len(e.Levels))
	for i, l := range e.Levels {
		order[i] = DocumentOf(l)
	}
	return order
}

// Document returns the document of the variables, by their names.
func (e *Explanation) Document() map[string]VariableDocument {
	all := make(map[string]VariableDocument, len(e.Variables))
	order := e.Order()
	for _, v := range e.Variables {
		values := make([]ValueDocument, len(v.Values))
		for i, value := range v.Values {
			values[i] = ValueDocument{json.RawMessage(value.Value), order[value.Level], e.setter(value.Level, v.Name)}
		}
		all[v.Name] = VariableDocument{values[0], values[1:], v.Excluded}
	}
	return all
}

func (e *Explanation) setter(level int, name string) *SetterDocument {
	c := e.SetBy(level, name)
	if c == nil {
		return nil
	}
	return &SetterDocument{c.User, c.Time, c.Revision, c.RequestID, c.Address, c.Message}
}
