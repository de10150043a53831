package fleetfile

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// account returns all that a file came to, or what is wrong with it.
func account(f *File, err error) string {
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, o := range f.objects {
		fmt.Fprintf(&b, "%d %s %s (%s %s)\n", o.Line, o.Path, o.Qualified(), o.Kind.Name, o.Noun)
		for _, option := range o.Order {
			if v, ok := o.Values[o.Kind.ByOption(option).Key]; ok {
				fmt.Fprintf(&b, " %s = %#v", option, v)
			}
			if ref := o.Refs[option]; ref != nil {
				fmt.Fprintf(&b, " %s = %q on line %d, %s", option, ref.Text, ref.Line, ref.Path)
				if ref.Target != nil {
					fmt.Fprintf(&b, ", which is on line %d", ref.Target.Line)
				}
			}
		}
		fmt.Fprintf(&b, " %q", o.Labels)
		for _, key := range o.Variables.Keys() {
			fmt.Fprintf(&b, " %s: %s", key, o.Variables[key])
		}
		b.WriteByte('\n')
	}
	return b.String() + strings.Join(f.Warnings(), "\n")
}

// sameInParts compares what a file is in parts with what it is in one piece.
func sameInParts(t *testing.T, text string) {
	t.Helper()
	want := account(parseInParts("f", strings.NewReader(text), len(text)+1))
	for _, size := range []int{1, 40, 300, 2000} {
		if diff := cmp.Diff(want, account(parseInParts("f", strings.NewReader(text), size))); diff != "" {
			t.Fatalf("parts of %d bytes, of\n%s\n(-whole +parts):\n%s", size, text, diff)
		}
	}
}

// partsFile has lists of every kind, in the ways in which people write them, and what looks like a list and is none.
const partsFile = `# a fleet
project: {variables: {hosts: [a]}}
clouds:
- name: east

  # the first
  note: |
    hosts:
      - name: no
    # none
  variables:
    hosts:
      - a
      - {b: 1}
    text: "one
      hosts:
      - two"
  regions:
    - networks:
      - name: n1
        cidr: 10.0.0.0/8
        gateway: 10.0.0.1
        netmask: 255.0.0.0
      -
        name: n2
        cidr: 11.0.0.0/8
        gateway: 11.0.0.1
        netmask: 255.0.0.0
      name: dfw
      hosts:   
# a comment
          - {name: a, ip_address: 10.0.0.1, device_type: server}
          - name: b
            ip_address: 10.0.0.2
            device_type: server
            note: >+

              folded


          - name: c
            note: one
                two
            labels: [x,
              y]
            ip_address: 10.0.0.3
            device_type: server
            parent: a
            variables: {when: 2024-01-02 03:04:05, t: "{{ a }}"}
            interfaces:
            - name: eth0
              interface_type: ethernet
              ip_address: 10.0.0.4
            - name: eth1
              interface_type: ethernet
              ip_address: 10.0.0.7
              network: n2
    # the last
      cells:
      - name: c1
        hosts:
        - name: d
          ip_address: 10.0.0.5
          device_type: server
        network_devices:
        - name: e
          ip_address: 10.0.0.6
          device_type: switch
      - hosts: []
        name: c2
- name: west
`

// TestParts compares files in parts with the same in one piece: good ones, and those that somebody has spoiled.
func TestParts(t *testing.T) {
	t.Parallel()
	texts := []string{partsFile, strings.ReplaceAll(partsFile, "\n", "\r\n"), strings.TrimRight(partsFile, "\n"), "---\n" + partsFile, partsFile + "...\n", partsFile + "---\na: 1\n",
		strings.ReplaceAll(partsFile, "c2", "c1"), strings.ReplaceAll(partsFile, "name: d", "nam: d"), strings.ReplaceAll(partsFile, "[x,", "&a [x,"), "%YAML 1.2\n---\n" + partsFile,
		strings.ReplaceAll(partsFile, "server", "! server"), strings.ReplaceAll(partsFile, "parent: a", "parent: c"), strings.Replace(partsFile, "1}\n", strings.Repeat("[", 190)+strings.Repeat("]", 190)+"}\n", 1),
		strings.Replace(partsFile, "parent: a", "variables: {x: "+strings.Repeat("[", 192)+strings.Repeat("]", 192)+"}", 1), strings.Replace(partsFile, "parent: a", "<<: {parent: a}", 1),
		"clouds:\n- <<: [{hosts:   \n  - a}]\n", "clouds: &a\n- name: *a\n", "hosts:\n- a\n- b\nclouds: []\n", "project:\n  variables:\n    hosts:\n    - a\n    - b\n", "clouds:\n- a\n -b\n", "clouds:\n- name: 'x\n- name: y'\n"}
	for _, name := range []string{"../../examples/fleet.yml", "../../../shared/data/fedora-fleet.yml"} {
		if text, err := os.ReadFile(filepath.FromSlash(name)); err == nil { // the second is not part of the project
			texts = append(texts, string(text))
		}
	}
	for _, text := range texts {
		sameInParts(t, text)
	}
	p, tree := inParts([]byte(partsFile), 40)
	if p == nil {
		t.Fatal("nothing was cut")
	}
	if _, err := read("f", tree); err != nil || p.isComplete() { // with a list in the variables, which is not to be cut
		t.Errorf("read with %v, whole: %t", err, p.isComplete())
	}
	cleaned := strings.NewReplacer("    hosts:\n      - name: no\n", "", "    hosts:\n      - a\n      - {b: 1}\n", "", "      hosts:\n      - two", "        two").Replace(partsFile)
	p, tree = inParts([]byte(cleaned), 40)
	if p == nil {
		t.Fatal("nothing was cut")
	}
	if _, err := read("f", tree); err != nil || !p.isComplete() {
		t.Errorf("read with %v, whole: %t", err, p.isComplete())
	}
	r := rand.New(rand.NewPCG(3, 3)) //nolint:gosec // a test
	for range 2000 {
		sameInParts(t, spoil(r, cleaned))
	}
}

// spoil changes some lines of a file.
func spoil(r *rand.Rand, text string) string {
	lines := strings.SplitAfter(text, "\n")
	some := []string{"- name: x\n", "hosts:\n", "cells:\n", "  \n", "# x\n", "\"\n", "'\n", "]\n", "}\n", "- |\n", "note: |\n", "note: >1\n", "variables:\n", "a: {\n", "- [\n", "---\n", "...\n", "\t- x\n", "? hosts:\n", "- hosts:\n", "-\n", "- - x\n", "interfaces: [\n", "&a\n", "*a\n", "<<:\n", "x\r", "\"hosts:\n", "hosts: # x\n", "!x\n"}
	for range 1 + r.IntN(3) {
		i := r.IntN(len(lines))
		switch r.IntN(6) {
		case 0:
			lines = append(lines[:i:i], lines[i+1:]...)
		case 1:
			lines[i] = " " + lines[i]
		case 2:
			lines[i] = strings.TrimPrefix(lines[i], "  ")
		case 3:
			lines[i] = strings.Repeat(" ", r.IntN(14)) + some[r.IntN(len(some))] + lines[i]
		case 4:
			at := r.IntN(len(lines[i]) + 1)
			lines[i] = lines[i][:at] + string(`"'[]{}|>:-#&*!, `[r.IntN(16)]) + lines[i][at:]
		default:
			lines[i] += lines[r.IntN(len(lines))]
		}
		if len(lines) == 0 {
			lines = []string{"\n"}
		}
	}
	return strings.Join(lines, "")
}

// FuzzParts looks for files that are something else in parts.
func FuzzParts(f *testing.F) {
	f.Add(partsFile)
	f.Fuzz(sameInParts)
}
