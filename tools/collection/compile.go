package collection

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Root returns the directory of the repository that contains the working directory.
func Root(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("go list: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// ParsePlatform parses OS/ARCH.
func ParsePlatform(name string) (Platform, error) {
	goos, goarch, ok := strings.Cut(name, "/")
	if !ok {
		return Platform{}, fmt.Errorf("%q is not OS/ARCH", name)
	}
	return Platform{OS: goos, Arch: goarch}, nil
}

// Compile builds the program of the repository at root for p, into the file p.Program, with build tags ("" for none),
// like `make build`. The result depends on the sources, the version, the commit and the toolchain, and not on the
// directory or the state of the clone.
func Compile(ctx context.Context, root string, p Platform, tags, version, commit string) error {
	cmd := exec.CommandContext(ctx, "make", "--silent", "--directory", root, "build",
		"PROGRAM="+p.Program, "TAGS="+tags, "VERSION="+version, "COMMIT="+commit)
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "GOOS="+p.OS, "GOARCH="+p.Arch)
	if os.Getenv("GOGC") == "" { // the compiler spends a quarter of its time on collecting garbage
		cmd.Env = append(cmd.Env, "GOGC=400")
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("make build for %s/%s: %w", p.OS, p.Arch, err)
	}
	return nil
}
