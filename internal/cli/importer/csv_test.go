package importer_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/internal/cli"
	"github.com/craton-fleet/craton/internal/cli/export"
	"github.com/craton-fleet/craton/internal/cli/importer"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/inventory"
)

// TestTablesOfExport: what export writes as CSV is imported as the same fleet, whatever is in it.
func TestTablesOfExport(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "config.yml")
	if err := os.WriteFile(config, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	names := []string{"a", "b*", "bx", "[x]", "=1+1", "-x", "a b", "a,b", "a;b", "{{ x }}", "\"q\"", "'q", "é", "../x", "#a", "yes", "null", "vars.a", "$(id)", "web-01", "10.0.0.9", "labels"}
	groups := map[string]bool{} // of two names that Ansible's groups could not tell apart, one would be another one
	names = slices.DeleteFunc(names, func(name string) bool {
		group := inventory.GroupName("label", name)
		defer func() { groups[group] = true }()
		return groups[group]
	})
	texts := append([]string{"x\ny", " lead", "trail ", "\t", "{\"a\": 1}", "1", "null", "[1]", "a\x1b[31mb", "'", "\"", "{% x %}"}, names...)
	called := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return inventory.CheckHostName(name) != nil }) // others are refused
	n := 0
	check := func(t *rapid.T, dir string) {
		run := func(args ...string) string {
			var out, errs bytes.Buffer
			s := output.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}
			if code := cli.Run(t.Context(), append(args, "--config", config, "--craton-url", "sqlite:"+filepath.Join(dir, "fleet.db")), s, cli.Version{}, export.New(s), importer.New(s)); code != 0 && code != 3 { // 3: a plan has changes
				file, _ := os.ReadFile(filepath.Join(dir, "hosts.csv"))
				t.Fatalf("%v: exit %d\n%s%s\n%s", args, code, &out, &errs, file)
			}
			return out.String()
		}
		var hosts []any
		name := rapid.SampledFrom(names)
		var clouds []any
		used := map[string]bool{}
		for _, cloud := range rapid.SliceOfNDistinct(name, 1, 3, rapid.ID).Draw(t, "clouds") {
			var regions []any
			for _, region := range rapid.SliceOfNDistinct(name, 1, 2, rapid.ID).Draw(t, "regions") {
				hosts = nil
				for _, h := range rapid.SliceOfNDistinct(rapid.SampledFrom(called), 1, 4, rapid.ID).Draw(t, "hosts") {
					if used[h] {
						continue
					}
					used[h] = true
					vars := map[string]string{}
					for _, k := range []string{"a", "ntp", "x.y"} {
						if rapid.Bool().Draw(t, "has "+k) {
							vars[k] = rapid.SampledFrom(texts).Draw(t, k)
						}
					}
					hosts = append(hosts, map[string]any{"name": h, "ip_address": fmt.Sprintf("10.0.0.%d", len(used)), "device_type": rapid.SampledFrom([]string{"server", "vm", "a b"}).Draw(t, "type"),
						"labels": rapid.SliceOfNDistinct(name, 0, 3, rapid.ID).Draw(t, "labels"), "variables": vars})
				}
				if hosts != nil {
					regions = append(regions, map[string]any{"name": region, "hosts": hosts[:1], "cells": []any{map[string]any{"name": region, "hosts": hosts[1:]}}})
				}
			}
			if regions != nil {
				clouds = append(clouds, map[string]any{"name": cloud, "regions": regions})
			}
		}
		file, err := json.Marshal(map[string]any{"clouds": clouds})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "fleet.json"), file, 0o600); err != nil {
			t.Fatal(err)
		}
		run("apply", filepath.Join(dir, "fleet.json"))
		table, out := filepath.Join(dir, "hosts.csv"), filepath.Join(dir, "imported")
		run("export", "--format", "csv", "--raw", "--columns", "name,ip_address,device_type,cloud,region,cell,labels,vars.a,vars.ntp,vars.x.y", "--output", table)
		run("import", "csv", table, "--no-verify", "--output", out)
		text := run("--format", "json", "plan", filepath.Join(out, "fleet.yml"))
		var plan struct {
			Counts  struct{ Created, Moved, Unchanged int }
			Effects struct{ Hosts int }
			Changes []struct{ Type string }
		}
		if err := json.Unmarshal([]byte(text), &plan); err != nil {
			t.Fatal(err)
		}
		ofHosts := false // what all hosts of a place have may stand on the place
		for _, c := range plan.Changes {
			ofHosts = ofHosts || c.Type == "host"
		}
		if plan.Counts.Created+plan.Counts.Moved+plan.Effects.Hosts > 0 || ofHosts {
			file, _ := os.ReadFile(table)
			t.Fatalf("the table is another fleet:\n%s\n%s", text, file)
		}
	}
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		n++
		one := filepath.Join(dir, fmt.Sprint(n))
		if err := os.Mkdir(one, 0o700); err != nil {
			t.Fatal(err)
		}
		check(t, one)
	})
}
