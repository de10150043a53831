package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/craton-fleet/craton/server"
	"github.com/craton-fleet/craton/tools/collection"
	"github.com/craton-fleet/craton/tools/compile"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1) //nolint:gocritic // there is nothing left to stop
	}
}

// platforms are the platforms of archives; packages are built for those of Linux.
var platforms = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64"}

// release is a release under construction.
type release struct {
	root    string // of the repository
	out     string // the directory for the results
	work    string // a directory for intermediate files
	plain   string // the version in the Makefile
	version string // the version of the result: plain, or a snapshot
	commit  string
	made    time.Time // the time of all files
	schema  int       // the program's database schema
	nfpm    string
	signKey string
	say     func(format string, args ...any)
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	r := release{}
	flags.StringVar(&r.plain, "version", "", "version that the Makefile names")
	flags.StringVar(&r.commit, "commit", "unknown", "commit that the program names")
	flags.StringVar(&r.out, "o", "dist", "folder for what is made")
	flags.StringVar(&r.nfpm, "nfpm", "", "the program nfpm; without it no deb and rpm are made")
	flags.StringVar(&r.signKey, "sign-key", "", "private key of OpenSSH to sign with, or its public half when an agent has it")
	only := flags.Bool("release", false, "refuse what the changelog calls unreleased")
	withCollection := flags.Bool("collection", true, "make the collection too")
	as := flags.String("as", "", "call what is made by this version, and ask no changelog (for tests)")
	flags.IntVar(&r.schema, "schema", server.Schema(), "what packages say of the schema that the program knows (for tests)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var err error
	if r.root, err = compile.Root(ctx); err != nil {
		return err
	}
	if r.made, err = madeAt(ctx, r.root); err != nil {
		return err
	}
	if r.version = *as; r.version == "" {
		log, err := os.ReadFile(filepath.Join(r.root, "CHANGELOG.md"))
		if err != nil {
			return err
		}
		released, err := checkVersion(r.plain, string(log))
		if err != nil {
			return err
		}
		if r.version = r.plain; !released {
			if *only {
				return fmt.Errorf("the newest entry of CHANGELOG.md is Unreleased: call it [%s] - %s, or leave out -release for a trial", r.plain, time.Now().UTC().Format(time.DateOnly))
			}
			r.version = fmt.Sprintf("%s-snapshot.%s.%s", r.plain, r.made.Format("20060102T150405"), r.commit)
		}
	}
	if r.work, err = os.MkdirTemp("", "craton-release"); err != nil {
		return err
	}
	defer os.RemoveAll(r.work) //nolint:errcheck // a temporary directory
	begun := time.Now()
	r.say = func(format string, args ...any) {
		fmt.Printf("%5.1f s  %s\n", time.Since(begun).Seconds(), fmt.Sprintf(format, args...))
	}
	which := flags.Args()
	if len(which) == 0 {
		which = platforms
	}
	return r.make(ctx, which, *withCollection)
}

// make builds everything.
func (r *release) make(ctx context.Context, which []string, withCollection bool) error {
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	common, err := r.common(ctx)
	if err != nil {
		return err
	}
	var made, programs []string
	for _, name := range which {
		p, err := collection.ParsePlatform(name)
		if err != nil {
			return err
		}
		r.say("building the program for %s", name)
		if p, err = r.compile(ctx, p); err != nil {
			return err
		}
		programs = append(programs, p.Program)
		file, err := r.archive(p, common)
		if err != nil {
			return err
		}
		made = append(made, file)
		if p.OS == "linux" && r.nfpm != "" {
			r.say("packing deb and rpm for %s", p.Arch)
			packages, err := r.packages(ctx, p, common)
			if err != nil {
				return err
			}
			made = append(made, packages...)
		}
	}
	bill, err := r.bill(programs)
	if err != nil {
		return err
	}
	made = append(made, bill)
	if withCollection {
		r.say("making the collection; with nothing cached, each of its systems takes a minute or two")
		cmd := exec.CommandContext(ctx, "go", "run", "./tools/collection/build", "tarball", "-version", r.plain, "-commit", r.commit, "-o", absolute(r.out))
		cmd.Dir, cmd.Stderr = r.root, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("the collection: %w", err)
		}
		made = append(made, fmt.Sprintf("%s-%s-%s.tar.gz", collection.Namespace, collection.Name, r.plain))
	}
	if err := r.sums(made); err != nil {
		return err
	}
	signed, err := r.sign(ctx)
	if err != nil {
		return err
	}
	r.say("%d files in %s, %s", len(made)+1, r.out, cmp.Or(signed, "unsigned: SIGN_KEY=FILE names a key to sign with"))
	if r.version != r.plain {
		r.say("a trial, not a release: the version is %s", r.version)
	}
	return nil
}

// compile builds the program of a platform, unless it exists already.
func (r *release) compile(ctx context.Context, p collection.Platform) (collection.Platform, error) {
	p.Program = filepath.Join(r.work, p.OS+"-"+p.Arch, "craton")
	return p, compile.Program{OS: p.OS, Arch: p.Arch, Version: r.version, Commit: r.commit}.Build(ctx, p.Program)
}

// madeAt returns SOURCE_DATE_EPOCH, or the time of the commit.
func madeAt(ctx context.Context, root string) (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		out, err := exec.CommandContext(ctx, "git", "-C", root, "log", "-1", "--format=%ct").Output()
		if err != nil {
			return time.Time{}, errors.New("no clone of the repository: set SOURCE_DATE_EPOCH to the seconds that files are from")
		}
		text = strings.TrimSpace(string(out))
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
