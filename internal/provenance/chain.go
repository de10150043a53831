package provenance

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/snapshot"
)

// keyProject and keyParent are references with a special treatment.
const (
	keyProject = "project_id"
	keyParent  = "parent_id"
)

// Chain is an object and everything from which it inherits.
type Chain struct {
	Kind   *schema.Kind
	Object craton.Object // as in the API, with its own variables
	// Levels are the object and everything from which it inherits, nearest first. The last is the project, except for
	// kinds that inherit nothing.
	Levels []hierarchy.Level
	// Complete is set if the caller may read the project. If not, the project's variables are those that the object
	// inherits from it; those that other levels override are unknown.
	Complete bool
}

// levelSource is a level while the chain is being read.
type levelSource struct {
	hierarchy.Level
	fields craton.Object // nil for a project
}

// ReadChain reads an object by its id, and everything from which it inherits: one request for each level, and one more
// if the caller may not read the project.
func ReadChain(ctx context.Context, c *craton.Client, k *schema.Kind, id string) (*Chain, error) {
	fields, err := c.Collection(craton.Kind(k.Name)).Get(ctx, id)
	if err != nil {
		return nil, err
	}
	return chainOf(ctx, c, k, *fields)
}

// chainOf reads everything from which an object inherits.
func chainOf(ctx context.Context, c *craton.Client, k *schema.Kind, object craton.Object) (*Chain, error) {
	self := rungOf(k, object)
	above, parents, project, err := readAbove(ctx, c, k, self)
	if err != nil {
		return nil, err
	}
	chain := &Chain{Kind: k, Object: object, Complete: true}
	for at := range hierarchy.Levels(k, self, func(of levelSource, key string) (levelSource, bool) {
		switch key {
		case keyParent:
			if len(parents) == 0 {
				return levelSource{}, false
			}
			next := parents[0]
			parents = parents[1:]
			return next, true
		case keyProject:
			if project != nil {
				return *project, true
			}
			chain.Complete = false
			return levelSource{Level: hierarchy.Level{Kind: schema.Project.Name, ID: self.fields.Text(keyProject)}}, true
		}
		level, ok := above[key]
		return level, ok
	}) {
		chain.Levels = append(chain.Levels, at.Level)
	}
	if !chain.Complete {
		err = chain.readHidden(ctx, c)
	}
	return chain, err
}

// readAbove reads the objects to which an object refers: its places, its parents and their parents, and its project,
// which is nil if the caller may not read it.
func readAbove(ctx context.Context, c *craton.Client, k *schema.Kind, self levelSource) (above map[string]levelSource, parents []levelSource, project *levelSource, err error) {
	if k.Inherits == nil {
		return nil, nil, nil, nil
	}
	above = map[string]levelSource{}
	places := make([]*levelSource, len(k.Inherits))
	g, ctx := errgroup.WithContext(ctx)
	for i, key := range k.Inherits {
		if key == keyParent {
			g.Go(func() (err error) {
				parents, err = readParents(ctx, c, self)
				return err
			})
			continue
		}
		to := schema.ByName(k.Field(key).To[0])
		if id := self.fields.Text(key); id != "" {
			g.Go(func() error {
				fields, err := c.Collection(craton.Kind(to.Name)).Get(ctx, id)
				if err == nil {
					found := rungOf(to, *fields)
					places[i] = &found
				}
				return err
			})
		}
	}
	g.Go(func() error {
		fields, err := c.Collection(craton.KindProject).Get(ctx, self.fields.Text(keyProject))
		switch {
		case craton.IsForbidden(err) || craton.IsNotFound(err):
			return nil
		case err == nil:
			found := rungOf(schema.Project, *fields)
			project = &found
		}
		return err
	})
	err = g.Wait()
	for i, key := range k.Inherits {
		if places[i] != nil {
			above[key] = *places[i]
		}
	}
	return above, parents, project, err
}

// readParents reads the parent of a device, the parent's parent, and so on, up to a cycle.
func readParents(ctx context.Context, c *craton.Client, of levelSource) (parents []levelSource, err error) {
	seen := map[string]bool{of.ID: true}
	for id := of.fields.Text(keyParent); id != "" && !seen[id]; id = of.fields.Text(keyParent) {
		seen[id] = true
		if of, err = readDevice(ctx, c, id); err != nil {
			return nil, err
		}
		parents = append(parents, of)
	}
	return parents, nil
}

// readDevice reads a device by its id; both kinds share one sequence of ids.
func readDevice(ctx context.Context, c *craton.Client, id string) (levelSource, error) {
	var err error
	for _, name := range schema.Host.Field(keyParent).To {
		var fields *craton.Object
		if fields, err = c.Collection(craton.Kind(name)).Get(ctx, id); err == nil {
			return rungOf(schema.ByName(name), *fields), nil
		}
		if !craton.IsNotFound(err) {
			break
		}
	}
	return levelSource{}, err
}

// readHidden derives the project's variables from the object's resolved ones.
func (chain *Chain) readHidden(ctx context.Context, c *craton.Client) error {
	resolved, err := c.Collection(craton.Kind(chain.Kind.Name)).GetResolved(ctx, chain.Object.ID())
	if err != nil {
		return err
	}
	last := len(chain.Levels) - 1
	below := make([]hierarchy.Variables, last)
	for i := range below {
		below[i] = chain.Levels[i].Variables
	}
	chain.Levels[last].Variables = snapshot.Variables((*resolved)["variables"]).Without(below...)
	return nil
}

func rungOf(k *schema.Kind, fields craton.Object) levelSource {
	return levelSource{hierarchy.Level{Kind: k.Name, ID: fields.ID(), Name: fields.Text(k.Title), Variables: snapshot.Variables(fields["variables"])}, fields}
}

// Name returns the object's name.
func (chain *Chain) Name() string { return chain.Levels[0].Name }

// String describes the object for people.
func (chain *Chain) String() string {
	return fmt.Sprintf("%s %q", chain.Kind.Noun(), chain.Name())
}
