package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// component is a part of a CycloneDX bill.
type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	PURL       string     `json:"purl"`
	Properties []property `json:"properties,omitempty"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn,omitempty"`
}

// bill writes the modules in the programs of a release, as CycloneDX 1.5. They are read from what the toolchain has
// written into the programs, so they are exactly the linked ones.
func (r *release) bill(programs []string) (string, error) {
	found := map[string]component{}
	for _, program := range programs {
		b, err := buildinfo.ReadFile(program)
		if err != nil {
			return "", err
		}
		version := strings.TrimPrefix(b.GoVersion, "go")
		found["std"] = component{Type: "library", Ref: "pkg:golang/std@" + version, Name: "std", Version: version, PURL: "pkg:golang/std@" + version}
		for _, m := range b.Deps {
			if m.Replace != nil {
				m = m.Replace
			}
			purl := "pkg:golang/" + m.Path + "@" + m.Version
			found[purl] = component{Type: "library", Ref: purl, Name: m.Path, Version: m.Version, PURL: purl, Properties: []property{{"golang:h1", m.Sum}}}
		}
	}
	const module = "github.com/craton-fleet/craton"
	ref := "pkg:golang/" + module + "@v" + r.version
	main := component{Type: "application", Ref: ref, Name: "craton", Version: r.version, PURL: ref}
	components := make([]component, 0, len(found))
	depends := []dependency{{Ref: ref}}
	for _, key := range slices.Sorted(maps.Keys(found)) {
		components = append(components, found[key])
		depends[0].DependsOn = append(depends[0].DependsOn, found[key].Ref)
	}
	text, err := json.Marshal(components)
	if err != nil {
		return "", err
	}
	// The same components give the same bill: its id is a UUID of version 8, which is a hash of them.
	id := sha256.Sum256(append([]byte(ref), text...))
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80
	h := hex.EncodeToString(id[:16])
	text, err = json.MarshalIndent(map[string]any{
		"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
		"serialNumber": fmt.Sprintf("urn:uuid:%s-%s-%s-%s-%s", h[:8], h[8:12], h[12:16], h[16:20], h[20:]),
		"metadata":     map[string]any{"timestamp": r.made.Format("2006-01-02T15:04:05Z"), "component": main},
		"components":   components, "dependencies": depends,
	}, "", "  ")
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("craton_%s.cdx.json", r.version)
	return name, os.WriteFile(filepath.Join(r.out, name), append(text, '\n'), 0o644)
}
