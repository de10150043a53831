package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/craton-fleet/craton/tools/compile"
)

// TestLoad: a small load on a real server has no errors, and each route is in the report.
func TestLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	binary := filepath.Join(dir, "craton")
	if err := (compile.Program{}).Build(t.Context(), binary); err != nil {
		t.Fatal(err)
	}
	f, err := loadServer(t.Context(), binary, "sqlite:"+filepath.Join(dir, "fleet.db"), "small", pressure{hosts: 100, clients: 8, duration: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	missing := func(p string) bool { return strings.Contains(p, "nobody did") } // there was little time
	if problems := slices.DeleteFunc(f.problems(), missing); len(problems) > 0 {
		t.Error(strings.Join(problems, "\n"))
	}
	var b strings.Builder
	f.report(&b)
	for i := range loadRoutes {
		if !strings.Contains(b.String(), loadRoutes[i].name+"  ") {
			t.Errorf("%s is not told of:\n%s", loadRoutes[i].name, &b)
		}
	}
	for _, want := range []string{"100 hosts, 8 clients", ", 0 errors", "p99, ms"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("lacks %q:\n%s", want, &b)
		}
	}
	if len(f.resident) < 5 || f.resident[0] < 1<<20 {
		t.Errorf("memory: %v", f.resident)
	}
}

// TestLoadProblems: what fails, grows or is not done is told.
func TestLoadProblems(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]loadFigure{
		"":             {resident: []int64{1 << 20, 90 << 20, 100 << 20, 100 << 20, 110 << 20, 120 << 20}},
		"memory grows": {resident: []int64{1 << 20, 90 << 20, 100 << 20, 100 << 20, 110 << 20, 130 << 20}},
		"2 requests":   {failed: 2, errors: []string{"GET /: EOF"}},
		"nobody did x": {rows: []loadRow{{name: "x"}}},
	} {
		if got := strings.Join(f.problems(), "\n"); !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("want %q, got %q", want, got)
		}
	}
}
