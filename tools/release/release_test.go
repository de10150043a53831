package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestVersion: the Makefile and the changelog name one version, and a version is released once.
func TestVersion(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		changelog, fault string
		released         bool
	}{
		"released":       {changelog: "# Changelog\n\n## [0.2.0] - 2026-11-30\n\n- x\n\n## [0.1.0] - 2026-01-02\n", released: true},
		"unreleased":     {changelog: "## [Unreleased]\n\n## [0.1.0] - 2026-01-02\n"},
		"first":          {changelog: "## [Unreleased]\n"},
		"another":        {changelog: "## [0.3.0] - 2026-11-30\n", fault: "newest entry of CHANGELOG.md is 0.3.0"},
		"no date":        {changelog: "## [0.2.0]\n", fault: "has no date"},
		"no entry":       {changelog: "# Changelog\n", fault: "has no entry"},
		"released twice": {changelog: "## [Unreleased]\n\n## [0.2.0] - 2026-01-02\n", fault: "has released 0.2.0"},
	} {
		released, err := checkVersion("0.2.0", c.changelog)
		if released != c.released || (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: %t, %v", name, released, err)
		}
	}
	makefile, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(filepath.Join("..", "..", "CHANGELOG.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(makefile), "\nVERSION := ")
	version, _, _ := strings.Cut(text, "\n")
	if _, err := checkVersion(version, string(log)); err != nil {
		t.Error(err)
	}
}

// TestSigned: sha256sum and ssh-keygen take the sums and their signature, and notice what is changed.
func TestSigned(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := release{out: dir, signKey: filepath.Join(t.TempDir(), "key")}
	in := func(stdin, name string, args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(stdin)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := in("", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "releaser", "-f", r.signKey); err != nil {
		t.Skip("no ssh-keygen:", err, out)
	}
	for _, name := range []string{"b.deb", "a.tar.gz"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.sums([]string{"b.deb", "a.tar.gz"}); err != nil {
		t.Fatal(err)
	}
	if said, err := r.sign(t.Context()); err != nil || said != "signed: SHA256SUMS.sig" {
		t.Fatal(said, err)
	}
	if out, err := in("", "sha256sum", "-c", sumsFile); err != nil {
		t.Error(err, out)
	}
	public, err := os.ReadFile(r.signKey + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "allowed"), append([]byte("releaser "), public...), 0o600); err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(dir, sumsFile))
	if err != nil {
		t.Fatal(err)
	}
	verify := []string{"-Y", "verify", "-f", "allowed", "-I", "releaser", "-n", "file", "-s", signatureFile}
	if out, err := in(string(sums), "ssh-keygen", verify...); err != nil {
		t.Error(err, out)
	}
	if out, err := in(string(sums)+"x", "ssh-keygen", verify...); err == nil {
		t.Error("other sums were taken:", out)
	}
	r.signKey = ""
	if said, err := r.sign(t.Context()); err != nil || said != "" {
		t.Error(said, err)
	}
	if _, err := os.Stat(filepath.Join(dir, signatureFile)); !os.IsNotExist(err) {
		t.Error("an old signature was left:", err)
	}
}

// TestBill: it has what is in a program, each part once, and is the same when made again.
func TestBill(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for range 2 {
		r := release{out: t.TempDir(), version: "0.2.0", made: time.Unix(1_796_000_000, 0).UTC()}
		name, err := r.bill([]string{self, self})
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(r.out, name))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	if texts[0] != texts[1] {
		t.Error("made twice, it is not the same")
	}
	var bill struct {
		Format       string `json:"bomFormat"`
		Metadata     struct{ Component component }
		Components   []component
		Dependencies []dependency
	}
	if err := json.Unmarshal([]byte(texts[0]), &bill); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range bill.Components {
		if seen[c.Name] || c.Version == "" || c.PURL == "" {
			t.Errorf("%+v", c)
		}
		seen[c.Name] = true
	}
	if bill.Format != "CycloneDX" || !seen["std"] || !seen["modernc.org/sqlite"] || bill.Metadata.Component.Version != "0.2.0" || len(bill.Dependencies[0].DependsOn) != len(bill.Components) {
		t.Errorf("%+v", bill)
	}
}
