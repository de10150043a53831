package object

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/run"
)

// The commands for variables send the original's sequence of requests, and use its words for every error (contract
// §8.4).

func varsGetVerb(r *Resource) *Command {
	long := ""
	if r.inherits() {
		long = "Show the variables of a " + r.Noun() + ", including those inherited from its parents, cell, region, cloud and project."
	}
	return &Command{
		Command: argparse.Command{Name: "vars-get", Short: "Show the variables of a " + r.Noun(), Long: long, Target: true, Example: exampleOf(r.Name + "-vars-get")},
		reads:   true,
		run: func(ctx context.Context, s *Session, c *argparse.Call) error {
			id, _, err := s.get(ctx, r, c.Target)
			var vars gjson.Result
			if err == nil {
				vars, err = s.variables(ctx, r, id)
			}
			if err != nil {
				return r.varsError("get", c.Target, err)
			}
			return s.PrintVariables(vars)
		},
	}
}

// inherits reports whether vars-get shows resolved variables: only for hosts (contract §2.3).
func (r *Resource) inherits() bool { return r.path == "/hosts" }

func varsSetVerb(r *Resource) *Command {
	return r.bulkVerb(&Command{
		Command: argparse.Command{Name: "vars-set", Short: "Set or delete variables of a " + r.Noun(), Target: true, Rest: true, Example: exampleOf(r.Name + "-vars-set"), Long: "Set variables of a " + r.Noun() + `, given as key=value, and show all its variables. key= deletes a variable.

Values are typed as in Ansible's YAML: numbers, true and false (also yes, no, on, off) and null; {...} and [...] are read as
JSON. Everything else is text, and so is anything in double quotes: key='"5"'. Without arguments, a JSON object is read from
standard input; its nulls are set. An argument with a leading dash is data unless it is a known option. After --, all arguments are data.`},
		run: func(ctx context.Context, s *Session, c *argparse.Call) error {
			vars, err := s.set(ctx, r, c)
			if err != nil {
				return r.varsError("set", c.Target, err)
			}
			return s.PrintVariables(vars)
		},
	}, func(s *Session, _ context.Context, c *argparse.Call) (e craton.BulkEdit, err error) {
		for _, word := range c.Words {
			if !strings.Contains(word, "=") {
				return e, argparse.Misused("%s", argparse.Quoted(word)+" is not key=value, and --where allows no "+r.Noun()+" as an argument")
			}
		}
		if e.Variables, e.RemoveVariables, err = s.varsToSet(c.Words); err != nil && len(c.Words) == 0 {
			err = argparse.Misused("%s", "the following arguments are required: key=value, or a JSON object on standard input: "+err.Error())
		}
		return e, err
	})
}

func (s *Session) set(ctx context.Context, r *Resource, c *argparse.Call) (gjson.Result, error) {
	set, remove, err := s.varsToSet(c.Words)
	if err != nil {
		return gjson.Result{}, err
	}
	id, _, err := s.get(ctx, r, c.Target)
	if err != nil {
		return gjson.Result{}, err
	}
	path := r.at(id) + "/variables"
	if len(remove) > 0 {
		if _, err := s.Client.Do(ctx, http.MethodDelete, path, nil, remove); err != nil {
			return gjson.Result{}, err
		}
	}
	if _, err := s.Client.Do(ctx, http.MethodPut, path, nil, set); err != nil {
		return gjson.Result{}, err
	}
	return s.variables(ctx, r, id)
}

func varsDeleteVerb(r *Resource) *Command {
	return r.bulkVerb(&Command{
		Command: argparse.Command{Name: "vars-delete", Short: "Delete variables of a " + r.Noun(), Target: true, Rest: true, Example: exampleOf(r.Name + "-vars-delete"), Long: "Delete variables of a " + r.Noun() + " by key. Keys that it does not have are ignored. Without arguments, a JSON array of keys is\n" +
			"read from standard input."},
		run: func(ctx context.Context, s *Session, c *argparse.Call) error {
			keys, err := s.varsToDelete(c.Words)
			var id string
			if err == nil {
				id, _, err = s.get(ctx, r, c.Target)
			}
			if err == nil {
				_, err = s.Client.Do(ctx, http.MethodDelete, r.at(id)+"/variables", nil, keys)
			}
			if err != nil {
				return r.varsError("delete", c.Target, err)
			}
			s.Say("Variables successfully deleted.")
			return nil
		},
	}, func(s *Session, _ context.Context, c *argparse.Call) (e craton.BulkEdit, err error) {
		if e.RemoveVariables, err = s.varsToDelete(c.Words); err != nil && len(c.Words) == 0 {
			err = argparse.Misused("%s", "the following arguments are required: keys, or a JSON array of them on standard input: "+err.Error())
		}
		return e, err
	})
}

// variables reads an object's variables: resolved for hosts, own for others.
func (s *Session) variables(ctx context.Context, r *Resource, id string) (gjson.Result, error) {
	o, err := s.send(ctx, http.MethodGet, r.at(id)+"/variables", nil)
	if err != nil {
		return o, err
	}
	vars := o.Get(keyVariables)
	if !vars.IsObject() {
		return vars, fmt.Errorf("GET %s/variables: the response is not a Craton v1 response: it has no variables", r.at(id))
	}
	return vars, nil
}

func (r *Resource) varsError(verb, target string, err error) error {
	return run.Wrapped(err, fmt.Sprintf("Failed to %s variables for %s %s", verb, r.Noun(), target))
}

// varsToSet reads variables from words, or from standard input if there are none.
func (s *Session) varsToSet(words []string) (set craton.Variables, remove []string, err error) {
	if len(words) > 0 {
		set, remove, notes, err := parseVariables(words)
		s.warn(notes)
		return set, remove, err
	}
	if AtTerminal(s.In) {
		return nil, nil, run.CommandError(`Nothing to update... Please specify variables to set in the following format: "key=value". ` +
			`You may also specify variables to delete by key using the format: "key="`)
	}
	doc, err := ReadJSON(s.In)
	if err != nil {
		return nil, nil, err
	}
	if !doc.IsObject() {
		return nil, nil, run.NewWordedError("TypeError", `Standard input must contain a JSON object: {"key": value}.`, "", nil)
	}
	set = craton.Variables{}
	doc.ForEach(func(key, value gjson.Result) bool {
		set[key.Str] = []byte(value.Raw)
		return true
	})
	return set, nil, nil
}

// varsToDelete reads keys from words, or from standard input if there are none.
func (s *Session) varsToDelete(words []string) ([]string, error) {
	if len(words) > 0 {
		return words, nil
	}
	if AtTerminal(s.In) {
		return nil, run.CommandError("Nothing to delete... Please specify variables to delete by listing the keys you wish to delete separated by spaces.")
	}
	doc, err := ReadJSON(s.In)
	if err != nil {
		return nil, err
	}
	what := run.NewWordedError("TypeError", `Standard input must contain a JSON array of keys: ["key"].`, "", nil)
	if !doc.IsObject() && !doc.IsArray() {
		return nil, what
	}
	keys := []string{}
	doc.ForEach(func(key, value gjson.Result) bool {
		if doc.IsObject() {
			value = key
		}
		if value.Type != gjson.String {
			err = what
		}
		keys = append(keys, value.Str)
		return err == nil
	})
	return keys, err
}
