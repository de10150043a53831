package iotronic

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/nearest"
)

// Fields whose filters need more than a comparison.
const (
	fieldFleet   = "fleet"   // a fleet's UUID, for which the filter accepts the name too
	fieldProject = "project" // determines what Iotronic lists
)

// states are the possible words of fields with a fixed set: a filter by such a word is valid even if nothing is in that
// state at the moment.
var states = map[string][]string{
	"status":                 {"registered", "offline", "online", "operative"},
	"power_state":            {"power on", "power off", "rebooting", "soft power off", "soft rebooting", "error"},
	"boot_mode":              {"bios", "uefi"},
	"fault":                  {"power failure", "clean failure", "rescue abort failure", "service failure"},
	"target_power_state":     {"power on", "power off", "rebooting", "soft power off", "soft rebooting"},
	"target_provision_state": {"manageable", "available", "active", "deleted", "rescue"},
	"provision_state": {
		"enroll", "verifying", "manageable", "available", "active", "error", "rebuild", "deploying", "wait call-back", "deploy failed",
		"deploy hold", "deleting", "deleted", "cleaning", "clean wait", "clean failed", "clean hold", "inspecting", "inspect wait",
		"inspect failed", "adopting", "adopt failed", "rescue", "rescuing", "rescue wait", "rescue failed", "unrescuing",
		"unrescue failed", "servicing", "service wait", "service failed", "service hold",
	},
}

// matches reports whether all filters select a machine.
func (l *Listing) matches(m *Machine, filters []Filter) bool {
	for _, f := range filters {
		if !slices.ContainsFunc(l.wordsOf(m, f.Field), func(w string) bool {
			return slices.ContainsFunc(f.Words, func(want string) bool { return same(w, want) })
		}) {
			return false
		}
	}
	return true
}

// same compares a word of the API with one of a filter. True and False match in any case.
func same(word, want string) bool {
	if word == "true" || word == "false" {
		return strings.EqualFold(word, want)
	}
	return word == want
}

// wordsOf returns what a filter compares with; for a fleet, its name too.
func (l *Listing) wordsOf(m *Machine, field string) []string {
	words := m.words(field)
	if field == fieldFleet {
		for _, id := range words {
			if name := l.Fleets[id]; name != "" {
				words = append(words, name)
			}
		}
	}
	return words
}

// checkFilters returns an error for words that match nothing and do not exist, so that a typing error never results in
// an inventory without hosts. all is what was read. It costs a second listing if the server has filtered and a word was
// not found.
func (l *loader) checkFilters(ctx context.Context, list *Listing, all []*Machine) error {
	for _, f := range l.o.Filters {
		if f.Field == fieldProject && l.hasProjects() {
			continue // only Keystone knows them
		}
		for _, word := range f.Words {
			if list.hasWord(all, f.Field, word) {
				continue
			}
			if l.narrowed {
				wide := &loader{client: l.client, o: l.o, dialect: l.dialect}
				var err error
				if all, err = wide.read(ctx); err != nil {
					return err
				}
				if list.Fleets, err = wide.fleets(ctx, all); err != nil {
					return err
				}
				l.narrowed = false
				if list.hasWord(all, f.Field, word) {
					continue
				}
			}
			if err := list.unknown(f.Field, word, all); err != nil {
				return err
			}
		}
	}
	return nil
}

// hasWord reports whether a word of a filter is valid: some machine has it, or it is a possible state.
func (l *Listing) hasWord(all []*Machine, field, word string) bool {
	state := slices.Contains(states[field], word)
	return slices.ContainsFunc(all, func(m *Machine) bool {
		return state && m.lookup(field).Exists() || slices.ContainsFunc(l.wordsOf(m, field), func(w string) bool { return same(w, word) })
	})
}

// unknown returns the error for a filter's word that no machine has; nil if that is no surprise.
func (l *Listing) unknown(field, word string, all []*Machine) error {
	if len(all) == 0 {
		return nil // there is nothing to compare with
	}
	known, fields := map[string]bool{}, map[string]bool{}
	there := false // the field exists, if only as a null
	for _, m := range all {
		there = there || m.lookup(field).Exists()
		for _, w := range l.wordsOf(m, field) {
			known[w] = true
		}
		for name := range m.Fields.All() {
			fields[name] = true
		}
	}
	for _, name := range l.Fleets {
		known[name] = known[name] || field == fieldFleet
	}
	if known["true"] || known["false"] {
		if same("true", word) || same("false", word) {
			return nil
		}
		known["true"], known["false"] = true, true
	}
	for _, s := range states[field] {
		known[s] = known[s] || there
	}
	maps.DeleteFunc(known, func(_ string, is bool) bool { return !is })
	switch {
	case known[word]:
		return nil
	case there || len(known) > 0:
		return advice.With(fmt.Errorf("filters: no %s has %s=%s", all[0].Kind, field, word), hint(word, known))
	}
	return advice.With(fmt.Errorf("filters: no %s has a field %s", all[0].Kind, field), hint(field, fields))
}

// hint returns the advice for an error about an unknown word.
func hint(word string, known map[string]bool) string {
	const most = 30
	words := slices.Sorted(maps.Keys(known))
	if len(words) > most {
		near := nearest.Word(word, words)
		if near == "" {
			return ""
		}
		words = []string{near}
	}
	return nearest.Hint(word, words)
}
