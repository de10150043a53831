// Command build updates the generated files of the collection, and packs it:
//
//	build generate
//	build tarball -version 0.1.0 -commit abc1234 -o dist [OS/ARCH]...
//
// It runs in any directory of the repository.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/craton-fleet/craton/modules"
	"github.com/craton-fleet/craton/tools/collection"
	"github.com/craton-fleet/craton/tools/compile"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "collection:", err)
		os.Exit(1) //nolint:gocritic // there is nothing left to stop
	}
}

func run(ctx context.Context, args []string) error {
	root, err := compile.Root(ctx)
	if err != nil {
		return err
	}
	if len(args) > 0 && args[0] == "tarball" {
		return tarball(ctx, root, args[1:])
	}
	if len(args) == 1 && args[0] == "generate" {
		tree, err := collection.Generate(modules.Specs())
		if err != nil {
			return err
		}
		return tree.Write(root)
	}
	return errors.New("say generate, or tarball with its flags")
}

// tarball builds the program for each platform and packs the collection.
func tarball(ctx context.Context, root string, args []string) error {
	flags := flag.NewFlagSet("tarball", flag.ContinueOnError)
	version := flags.String("version", "", "version of the program and of the collection")
	commit := flags.String("commit", "unknown", "commit that the program names")
	dir := flags.String("o", "dist", "directory of the tarball")
	if err := flags.Parse(args); err != nil {
		return err
	}
	tree, err := collection.Generate(modules.Specs())
	if err != nil {
		return err
	}
	if stale, err := tree.Stale(root); err != nil {
		return err
	} else if len(stale) > 0 {
		return fmt.Errorf("not up to date: %s; run: go generate ./tools/collection", strings.Join(stale, " "))
	}
	programs := filepath.Join(root, ".cache", "collection") // where go build finds unchanged programs
	platforms := collection.Platforms()
	if flags.NArg() > 0 {
		platforms = nil
	}
	for _, name := range flags.Args() {
		p, err := collection.ParsePlatform(name)
		if err != nil {
			return err
		}
		platforms = append(platforms, p)
	}
	begun := time.Now()
	step := func(format string, args ...any) {
		fmt.Printf("%5.1f s  %s\n", time.Since(begun).Seconds(), fmt.Sprintf(format, args...))
	}
	for i := range platforms {
		p := &platforms[i]
		p.Program = filepath.Join(programs, p.OS+"-"+p.Arch)
		step("building the program for %s/%s", p.OS, p.Arch)
		if err := (compile.Program{OS: p.OS, Arch: p.Arch, Tags: collection.Tag, Version: *version, Commit: *commit}).Build(ctx, p.Program); err != nil {
			return err
		}
	}
	step("packing")
	file, size, err := collection.Build(ctx, root, *version, *dir, collection.Smallest, platforms)
	if err != nil {
		return err
	}
	step("%s (%.1f MB)", file, float64(size)/1e6)
	return nil
}
