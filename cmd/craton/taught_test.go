package main_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// bareInventory is the inventory by its name alone, which Ansible does not find on PATH: it goes on without hosts.
var bareInventory = regexp.MustCompile(`(-i|--inventory)[ =]['"]?(craton|iotronic)-inventory`)

// TestDocsUseFullNames: no page and no help gives Ansible the inventory by its name alone.
func TestDocsUseFullNames(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	read := 0
	for _, place := range []string{"README.md", "docs", "examples", "plugins", "internal/cli", "inventory", "modules"} {
		err := filepath.WalkDir(filepath.Join(root, place), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() && d.Name() == "reference" { // which says what Ansible makes of it
				return filepath.SkipDir
			}
			if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") || !d.Type().IsRegular() {
				return err
			}
			text, err := os.ReadFile(path)
			if found := bareInventory.Find(text); found != nil {
				t.Errorf("%s teaches %s", path, found)
			}
			read++
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if read < 50 {
		t.Errorf("only %d files were read", read)
	}
	bin := binaries(t)
	for _, words := range []string{"--help", "help inventory", "help iotronic-inventory", "inventory --help", "help doctor"} {
		out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "craton"), strings.Fields(words)...).Output()
		if err != nil || bareInventory.Match(out) {
			t.Errorf("craton %s: %v\n%s", words, err, out)
		}
		if !strings.HasSuffix(words, "doctor") && !regexp.MustCompile(`-i "\$\(command -v (craton|iotronic)-inventory\)"`).Match(out) {
			t.Errorf("craton %s does not teach what works:\n%s", words, out)
		}
	}
}
