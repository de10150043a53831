package collection

import (
	"fmt"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/modules/ansible"
)

// release is a release of ansible-core, with what is specific to its `ansible-test sanity`.
type release struct {
	name    string
	pythons []string // Pythons that it runs on, with which it compiles the files in bin
	reads   []string // tests that read the files in bin as text
}

// Tests of older releases that fail on files that are not text.
var (
	until216 = []string{"no-basestring", "no-dict-iteritems", "no-dict-iterkeys", "no-dict-itervalues", "no-unicode-literals"}
	until215 = append([]string{"no-get-exception", "replace-urlopen", "use-compat-six"}, until216...)
)

var releases = []release{
	{"2.14", []string{"3.9", "3.10", "3.11"}, until215},
	{"2.15", []string{"3.9", "3.10", "3.11"}, until215},
	{"2.16", []string{"3.10", "3.11", "3.12"}, until216},
	{"2.17", []string{"3.10", "3.11", "3.12"}, nil},
	{"2.18", []string{"3.11", "3.12", "3.13"}, nil},
	{"2.19", []string{"3.11", "3.12", "3.13"}, nil},
	{"2.20", []string{"3.12", "3.13", "3.14"}, nil},
	{"2.21", []string{"3.12", "3.13", "3.14"}, nil},
	{"2.22", []string{"3.13", "3.14", "3.15"}, nil},
}

// ignore returns the findings of a release's `ansible-test sanity` that are intended, each with its reason, and no
// others: it also reports entries that are not needed.
func (r release) ignore(specs []*ansible.Spec) []byte {
	var lines []string
	add := func(path, test, why string) { lines = append(lines, fmt.Sprintf("%s %s # %s\n", path, test, why)) }

	add("plugins/action/craton.py", "action-plugin-docs", "it runs all modules, and each has documentation of its own")
	tests := append([]string{"pep8", "pylint"}, r.reads...)
	for _, python := range r.pythons {
		tests = append(tests, "compile-"+python)
	}
	for _, file := range []string{Platforms()[0].file(), packedFile, packedList} {
		for _, test := range tests {
			add(file, test+"!skip", "what is in bin is taken for Python")
		}
	}
	var licensed []string
	for _, p := range inventoryPlugins {
		licensed = append(licensed, "plugins/inventory/"+p.name+".py")
	}
	for _, s := range specs {
		licensed = append(licensed, "plugins/modules/"+s.Name+".py")
	}
	for _, path := range licensed {
		add(path, "validate-modules:missing-gplv3-license", "the licence is Apache-2.0")
	}
	slices.Sort(lines)
	return []byte(strings.Join(lines, ""))
}
