package ansible_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/craton-fleet/craton/modules/ansible"
)

var greeting = &ansible.Spec{
	Name:        "greeting",
	Short:       "Write a greeting into a file",
	Description: []string{"Writes a greeting into a file, if it is not there."},
	Options: []ansible.Option{
		{Name: "path", Type: ansible.Path, Required: true, Description: []string{"The file."}},
		{Name: "name", Default: "world", Description: []string{"Who is greeted."}},
		{Name: "token", NoLog: true, Env: []string{"GREETING_TOKEN"}, Description: []string{"A secret."}},
	},
	SupportsCheckMode: true,
	SupportsDiff:      true,
	Examples: `
- name: Greet
  greeting:
    path: /tmp/greeting
`,
	Returns: []ansible.Return{
		{Name: "greeting", Description: []string{"The greeting."}, Returned: "success", Type: ansible.Str, Sample: "hello, world"},
	},
}

type greetingArgs struct {
	Path  string  `arg:"path"`
	Name  string  `arg:"name"`
	Token *string `arg:"token"` // nil if there is none
}

func greet(_ context.Context, task *ansible.Task, args greetingArgs) (*ansible.Result, error) {
	want := "hello, " + args.Name + "\n"
	have, err := os.ReadFile(args.Path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	result := &ansible.Result{
		Changed: string(have) != want,
		Fields:  ansible.Fields{"greeting": want},
		Diff:    []ansible.Diff{{Before: string(have), After: want}},
	}
	if !result.Changed || task.CheckMode {
		return result, nil
	}
	return result, os.WriteFile(args.Path, []byte(want), 0o600)
}

func lookup(name string) (*ansible.Module, bool) {
	return &ansible.Module{Spec: greeting, Run: ansible.Typed(greet)}, name == "greeting"
}

// A program's main is os.Exit(ansible.Run(os.Args, os.Stdin, os.Stdout, lookup)).
func ExampleRun() {
	dir, err := os.MkdirTemp("", "greeting")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // temporary
	args := fmt.Sprintf(`{"path": %q, "name": "you", "_ansible_inject_invocation": false}`, filepath.Join(dir, "greeting"))
	for range 2 {
		status := ansible.Run([]string{"AnsiballZ_greeting", "-"}, strings.NewReader(args), os.Stdout, lookup)
		fmt.Println(status)
	}
	ansible.Run([]string{"AnsiballZ_greeting", "-"}, strings.NewReader(`{"path": "x", "nmae": "you", "_ansible_inject_invocation": false}`), os.Stdout, lookup)
	// Output:
	// {"changed":true,"greeting":"hello, you\n"}
	// 0
	// {"changed":false,"greeting":"hello, you\n"}
	// 0
	// {"changed":false,"failed":true,"msg":"Unsupported parameters for (greeting) module: nmae. Supported parameters include: name, path, token. Did you mean name instead of nmae?"}
}

// NewTask is for tests of a module's function.
func ExampleNewTask() {
	task, err := ansible.NewTask(greeting, map[string]any{"path": "$DIR/greeting", "token": "hunter2"}, func(name string) (string, bool) {
		return "/srv", name == "DIR"
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(task.Params.String("path"), task.Params.String("name"), task.Params.Source("name") == ansible.FromDefault)
	// Output: /srv/greeting world true
}

func ExampleSpec_Sidecar() {
	sidecar, err := greeting.Sidecar()
	if err != nil {
		panic(err)
	}
	fmt.Print(string(sidecar[:strings.Index(string(sidecar), "attributes")]))
	// Output:
	// DOCUMENTATION:
	//   module: greeting
	//   short_description: Write a greeting into a file
	//   description:
	//     - Writes a greeting into a file, if it is not there.
}
