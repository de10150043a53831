package packages

import (
	"archive/tar"
	"compress/gzip"
	"debug/elf"
	"debug/macho"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestEveryPlatform: without a word on platforms, a release has an archive for each of four, with a program for it, and
// packages for both processors; each file is in the sums.
func TestEveryPlatform(t *testing.T) {
	nfpm := os.Getenv(variable)
	if nfpm == "" {
		t.Skip("takes minutes: make release-test")
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "run", "./tools/release", "-version", "0.1.0", "-as", first, "-nfpm", nfpm, "-collection=false", "-o", dir)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	sums, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	files := []string{"craton_" + first + ".cdx.json", "craton_" + first + "-1_amd64.deb", "craton_" + first + "-1_arm64.deb", "craton-" + first + "-1.x86_64.rpm", "craton-" + first + "-1.aarch64.rpm"}
	for platform, is := range map[string]func(*os.File) bool{
		"linux_amd64":  func(f *os.File) bool { b, err := elf.NewFile(f); return err == nil && b.Machine == elf.EM_X86_64 },
		"linux_arm64":  func(f *os.File) bool { b, err := elf.NewFile(f); return err == nil && b.Machine == elf.EM_AARCH64 },
		"darwin_amd64": func(f *os.File) bool { b, err := macho.NewFile(f); return err == nil && b.Cpu == macho.CpuAmd64 },
		"darwin_arm64": func(f *os.File) bool { b, err := macho.NewFile(f); return err == nil && b.Cpu == macho.CpuArm64 },
	} {
		archive := "craton_" + first + "_" + platform + ".tar.gz"
		files = append(files, archive)
		names, program := unpack(t, filepath.Join(dir, archive))
		if !is(program) {
			t.Errorf("%s: the program is for something else", archive)
		}
		for _, want := range []string{"/bin/craton-inventory", "/share/man/man1/craton.1", "/share/bash-completion/completions/craton", "craton.yml"} {
			if !slices.ContainsFunc(names, func(name string) bool { return strings.HasSuffix(strings.TrimSuffix(name, ".gz"), want) }) {
				t.Errorf("%s lacks %s: %q", archive, want, names)
			}
		}
	}
	slices.Sort(files)
	var summed []string
	for line := range strings.Lines(string(sums)) {
		_, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		summed = append(summed, name)
	}
	if slices.Sort(summed); !slices.Equal(files, summed) {
		t.Errorf("summed are %q, want %q", summed, files)
	}
}

// unpack tells what is in an archive, and gives the program in it.
func unpack(t *testing.T, file string) (names []string, program *os.File) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if program, err = os.Create(filepath.Join(t.TempDir(), "craton")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = program.Close() })
	for archive := tar.NewReader(z); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return names, program
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
		if h.Typeflag == tar.TypeReg && strings.HasSuffix(h.Name, "/bin/craton") {
			if _, err := io.Copy(program, archive); err != nil { //nolint:gosec // our own
				t.Fatal(err)
			}
		}
	}
}
