// Package compile builds the program of this repository, for releases, the collection, benchmarks and tests. All of
// them build it with `make build`: what tests run is what users get, and packages that one of them compiled are not
// compiled again for another.
package compile

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Program says what to build. The zero value is the program as `make build` builds it, for this machine.
type Program struct {
	// OS and Arch are the platform, such as linux and amd64; empty for this machine's.
	OS, Arch string
	// Tags are build tags, separated by commas.
	Tags string
	// Version and Commit are what `craton --version` prints; empty for those of the Makefile and of the clone.
	Version, Commit string
}

// Build builds the program into a file. The result depends on the sources, on p and on the toolchain, and not on the
// directory or the state of the clone. The working directory must be in the repository.
func (p Program) Build(ctx context.Context, file string) error {
	root, err := Root(ctx)
	if err != nil {
		return err
	}
	if file, err = filepath.Abs(file); err != nil {
		return err
	}
	args := []string{"--silent", "--directory", root, "build", "PROGRAM=" + file, "TAGS=" + p.Tags}
	for name, value := range map[string]string{"VERSION": p.Version, "COMMIT": p.Commit} {
		if value != "" {
			args = append(args, name+"="+value)
		}
	}
	cmd := exec.CommandContext(ctx, "make", args...) //nolint:gosec // the names are ours
	cmd.Env = append(os.Environ(), "GOOS="+p.OS, "GOARCH="+p.Arch)
	if os.Getenv("GOGC") == "" { // the compiler spends a quarter of its time on collecting garbage
		cmd.Env = append(cmd.Env, "GOGC=400")
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.TrimSpace("make build "+p.OS+" "+p.Arch), err, bytes.TrimSpace(out))
	}
	return nil
}

// Root returns the directory of the repository that contains the working directory.
func Root(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("go list: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}
