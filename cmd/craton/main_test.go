package main_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/tools/compile"
)

// build makes the program once, under all its names, in a folder that lives as long as the tests.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "craton-bin")
	if err != nil {
		return "", err
	}
	if err := (compile.Program{}).Build(context.Background(), filepath.Join(dir, "craton")); err != nil {
		return "", err
	}
	return dir, os.Symlink("craton", filepath.Join(dir, "craton-inventory"))
})

func binaries(t *testing.T) string {
	t.Helper()
	dir, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestMain(m *testing.M) {
	for _, e := range os.Environ() { // what the developer has set for Craton would show
		name, _, _ := strings.Cut(e, "=")
		if strings.HasPrefix(name, "OS_") || strings.HasPrefix(name, "CRATON_") && !strings.HasPrefix(name, "CRATON_TEST_") {
			_ = os.Unsetenv(name)
		}
	}
	cache, err := os.MkdirTemp("", "craton-cache")
	if err != nil {
		panic(err)
	}
	if kept, err := os.UserCacheDir(); err == nil && os.Getenv("GOCACHE") == "" { // what is built here is built once
		_ = os.Setenv("GOCACHE", filepath.Join(kept, "go-build"))
	}
	_ = os.Setenv("XDG_CACHE_HOME", cache)
	code := m.Run()
	_ = os.RemoveAll(cache)
	if dir, err := build(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// TestScripts runs testdata/script/*.txtar: each is a session of a user with the program.
func TestScripts(t *testing.T) {
	bin := binaries(t)
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
			e.Setenv("BIN", bin)
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("XDG_CONFIG_HOME", e.WorkDir)
			if strings.HasSuffix(e.WorkDir, "iotronic") {
				e.Setenv("BOARDS", iotronictest.Start(t, iotronictest.Boards2019).URL)
				e.Setenv("NODES", iotronictest.Start(t, iotronictest.Nodes2017, iotronictest.NoAuth()).URL)
				e.Setenv("MANAGER", iotronictest.Manager.Token)
			}
			return nil
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}
