package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// The Makefile sets these; a binary from `go install` finds them in its build information.
var (
	version string
	commit  string
)

// release returns the version alone, such as 0.1.0.
func release() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return strings.TrimPrefix(info.Main.Version, "v")
	}
	return "dev"
}

// versionLine returns the output of --version: version, commit and Go version.
func versionLine() string {
	c := commit
	if info, ok := debug.ReadBuildInfo(); ok && c == "" {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				c = s.Value[:min(len(s.Value), 12)]
			}
		}
	}
	if c == "" {
		c = "unknown"
	}
	return fmt.Sprintf("%s (commit %s, %s)", release(), c, runtime.Version())
}
