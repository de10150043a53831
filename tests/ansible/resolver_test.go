package ansible_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"gopkg.in/yaml.v3"
)

// fleet is a fleet file, read without the program's own code.
type fleet struct {
	Project level   `yaml:"project"`
	Clouds  []level `yaml:"clouds"`
}

// level is an object with variables: the project, a cloud, a region, a cell, a host or a network device.
type level struct {
	Name           string         `yaml:"name"`
	Parent         string         `yaml:"parent"`
	Variables      map[string]any `yaml:"variables"`
	Regions        []level        `yaml:"regions"`
	Cells          []level        `yaml:"cells"`
	Hosts          []level        `yaml:"hosts"`
	NetworkDevices []level        `yaml:"network_devices"`
}

// resolve returns the variables that each host must have, by the simplest implementation of the rule: project < cloud <
// region < cell < parents, outermost first < host, each key as a whole. Bare names of parents must be unique in the
// file.
func resolve(t *testing.T, path string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var f fleet
	if err := yaml.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}

	devices := map[string]level{}
	hosts := map[string]any{}
	each(f, func(_ []level, device level, _ bool) { devices[device.Name] = device })
	each(f, func(above []level, device level, isHost bool) {
		if !isHost {
			return
		}
		chain := []level{device}
		for at := device; at.Parent != ""; {
			parent, ok := devices[at.Parent]
			if !ok {
				t.Fatalf("%s has the parent %q, which %s does not name", at.Name, at.Parent, path)
			}
			chain = append([]level{parent}, chain...)
			at = parent
		}
		vars := map[string]any{}
		for _, l := range append(append([]level{}, above...), chain...) {
			for key, value := range l.Variables {
				vars[key] = value
			}
		}
		hosts[device.Name] = vars
	})

	// Into the shapes that a JSON document is read in.
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(hosts); err != nil {
		t.Fatal(err)
	}
	return decode(t, b.String())
}

// each visits every device with the levels above it, outermost first.
func each(f fleet, visit func(above []level, device level, isHost bool)) {
	devices := func(above []level, l level) {
		for _, host := range l.Hosts {
			visit(above, host, true)
		}
		for _, device := range l.NetworkDevices {
			visit(above, device, false)
		}
	}
	for _, cloud := range f.Clouds {
		for _, region := range cloud.Regions {
			devices([]level{f.Project, cloud, region}, region)
			for _, cell := range region.Cells {
				devices([]level{f.Project, cloud, region, cell}, cell)
			}
		}
	}
}
