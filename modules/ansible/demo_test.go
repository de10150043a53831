package ansible

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary be a module: when its name begins with AnsiballZ_, as that of the copy which Ansible
// runs does, it is a program of the modules below and no test.
func TestMain(m *testing.M) {
	if strings.HasPrefix(filepath.Base(os.Args[0]), "AnsiballZ_") {
		os.Exit(Run(os.Args, os.Stdin, os.Stdout, demoModule))
	}
	os.Exit(m.Run())
}

func demoModule(name string) (*Module, bool) {
	m, ok := demoModules[name]
	return m, ok
}

var demoModules = map[string]*Module{
	"demo_thing":    {Spec: demoSpec, Run: Typed(runDemo)},
	"demo_nocheck":  {Spec: &Spec{Name: "demo_nocheck"}, Run: func(context.Context, *Task) (*Result, error) { return &Result{Changed: true}, nil }},
	"demo_crash":    {Spec: &Spec{Name: "demo_crash", Options: []Option{{Name: "token", NoLog: true}}}, Run: crash},
	"demo_print":    {Spec: &Spec{Name: "demo_print"}, Run: printAround},
	"demo_wait":     {Spec: &Spec{Name: "demo_wait", Options: []Option{{Name: "ready", Type: Path}}}, Run: wait},
	"demo_dispatch": {Spec: &Spec{Name: "demo_dispatch"}, Run: func(context.Context, *Task) (*Result, error) { return nil, nil }},
}

func crash(_ context.Context, task *Task) (*Result, error) {
	panic("cannot use " + task.Params.String("token"))
}

func printAround(context.Context, *Task) (*Result, error) {
	fmt.Println("noise of a library")
	return &Result{}, nil
}

// wait says that it is there and then waits to be stopped.
func wait(ctx context.Context, task *Task) (*Result, error) {
	if f := task.Params.String("ready"); f != "" {
		if err := os.WriteFile(f, nil, 0o600); err != nil {
			return nil, err
		}
	}
	select {
	case <-ctx.Done():
		return &Result{Changed: true}, Fail("half done", Fields{"done": 1})
	case <-time.After(time.Minute):
		return nil, errors.New("nobody stopped it")
	}
}

var demoFragment = &Fragment{
	Name: "demo.things.store",
	Options: []Option{
		{Name: "file", Type: Path, Required: true, Description: []string{"File that holds the things."}},
		{Name: "token", NoLog: true, Env: []string{"DEMO_TOKEN"}, Aliases: []string{"api_token"}, Description: []string{"A secret: 'quoted' too."}},
		{Name: "user", Description: []string{"Who asks."}},
	},
	Rules: Rules{RequiredBy: map[string][]string{"user": {"token"}}},
	Notes: []string{"The store is a file."},
}

var demoSpec = &Spec{
	Name:         "demo_thing",
	Short:        "Manage things in a file",
	Description:  []string{"Makes, changes and removes things: what they are does not matter."},
	VersionAdded: "1.0.0",
	Author:       []string{"A. Nonymous (@nobody)"},
	Requirements: []string{"A file system"},
	Notes:        []string{"A note: with a colon."},
	SeeAlso: []SeeAlso{
		{Module: "ansible.builtin.copy"},
		{Name: "Things", Link: "https://example.org/things", Description: "All about things."},
	},
	Options: []Option{
		{Name: "name", Required: true, Aliases: []string{"thing"}, Description: []string{"The name."}},
		{Name: "state", Default: "present", Choices: []any{"present", "absent"}, Description: []string{"Whether it is there."}},
		{Name: "size", Type: Int, Description: []string{"How big it is."}, VersionAdded: "1.1.0"},
		{Name: "shiny", Type: Bool, Default: false, Description: []string{"Whether it shines."}},
		{Name: "labels", Type: List, Elements: Str, Default: []string{}, Description: []string{"Words."}},
		{Name: "settings", Type: Dict, Description: []string{"Anything."}},
		{Name: "weight", Type: Float, Description: []string{"Kilograms."}, Deprecated: &Deprecated{Version: "9.0.0", Collection: "demo.things", Why: "Things float.", Alternatives: "I(size)"}},
		{
			Name: "parts", Type: List, Elements: Dict, Description: []string{"What it is made of."},
			Options: []Option{
				{Name: "id", Type: Int, Required: true, Description: []string{"Number."}},
				{Name: "key", NoLog: true, Description: []string{"A secret."}},
				{Name: "on", Default: "yes", Choices: []any{"yes", "no"}, Description: []string{"A word that YAML takes for a boolean."}},
			},
		},
	},
	Rules: Rules{
		MutuallyExclusive: [][]string{{"size", "weight"}},
		RequiredIf:        []RequiredIf{{Option: "shiny", Value: true, Requires: []string{"size", "weight"}, Any: true}},
	},
	Fragments:         []*Fragment{demoFragment},
	SupportsCheckMode: true,
	SupportsDiff:      true,
	Examples: `- name: Make a thing
  demo.things.demo_thing:
    name: a
    file: /tmp/things
    size: 5
`,
	Returns: []Return{
		{Name: "thing", Description: []string{"The thing: as it is."}, Returned: "always", Type: Dict, Sample: map[string]any{"name": "a", "size": 5, "x": 1.0, "on": nil}, Contains: []Return{
			{Name: "name", Description: []string{"Its name."}, Returned: "always", Type: Str, Sample: "yes"},
			{Name: "size", Description: []string{"Its size."}, Returned: "if it has one", Type: Int},
		}},
	},
}

type demoArgs struct {
	Store
	Name     string
	NameTag  string          `arg:"name"`
	State    string          `arg:"state"`
	Size     *int64          `arg:"size"`
	Shiny    bool            `arg:"shiny"`
	Labels   []string        `arg:"labels"`
	Settings json.RawMessage `arg:"settings"`
	Parts    []demoPart      `arg:"parts"`
}

// Store are the options of demoFragment.
type Store struct {
	File  string  `arg:"file"`
	Token string  `arg:"token"`
	User  *string `arg:"user"`
}

type demoPart struct {
	ID  uint16 `arg:"id"`
	Key string `arg:"key"`
}

type demoThing struct {
	Name     string          `json:"name"`
	Size     *int64          `json:"size,omitempty"`
	Shiny    bool            `json:"shiny"`
	Labels   []string        `json:"labels"`
	Settings json.RawMessage `json:"settings,omitempty"`
}

// runDemo returns a module as it should be: what to do is decided first, check mode only leaves out the doing.
func runDemo(_ context.Context, task *Task, args demoArgs) (*Result, error) {
	task.Secret("issued-" + args.NameTag)
	things := map[string]demoThing{}
	data, err := os.ReadFile(args.File)
	if err == nil {
		err = json.Unmarshal(data, &things)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the things: %w", err)
	}
	before, have := things[args.NameTag]
	after := demoThing{Name: args.NameTag, Size: args.Size, Shiny: args.Shiny, Labels: args.Labels, Settings: args.Settings}
	result := &Result{Msg: "owned with " + args.Token, Fields: Fields{"thing": nil}}
	diff := Diff{BeforeHeader: "before " + args.NameTag, AfterHeader: "after " + args.NameTag, Before: map[string]any{}, After: map[string]any{}}
	if have {
		diff.Before = before
	}
	if args.State == "present" {
		diff.After = after
		result.Fields["thing"] = after
		things[args.NameTag] = after
	} else {
		delete(things, args.NameTag)
	}
	x, _ := json.Marshal(diff.Before)
	y, _ := json.Marshal(diff.After)
	if result.Changed = string(x) != string(y); !result.Changed {
		return result, nil
	}
	if task.DiffMode {
		result.Diff = []Diff{diff}
	}
	if len(args.Labels) > 3 {
		task.Warnf("%s has %d labels", args.NameTag, len(args.Labels))
	}
	if task.CheckMode {
		return result, nil
	}
	data, err = json.Marshal(things)
	if err != nil {
		return nil, err
	}
	return result, os.WriteFile(args.File, data, 0o600)
}
