package main

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/craton-fleet/craton/tools/collection"
)

// The contents of craton.bench, a second collection.
var (
	//go:embed host.py
	pythonModule []byte
	//go:embed become.py
	plainBecome []byte
	// emptyModule is a module that does nothing: it takes the time that Ansible needs to copy and run one.
	emptyModule = []byte("#!/bin/sh\n# WANT_JSON\necho '{\"changed\": false}'\n")
)

// ansible is a release of ansible-core with an empty home, into which craton.fleet was installed from its tarball.
type ansible struct {
	release   string
	bin, home string
	env       []string
}

// releases returns the bin directories of the Ansible releases to measure: those of CRATON_TEST_ANSIBLE, or those that
// tests/ansible/venvs creates, the oldest and the newest that run here.
func releases(ctx context.Context) ([]string, error) {
	list := os.Getenv("CRATON_TEST_ANSIBLE")
	if list == "" {
		cmd := exec.CommandContext(ctx, filepath.Join("tests", "ansible", "venvs"), "--path")
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("tests/ansible/venvs: %w; or set CRATON_TEST_ANSIBLE to bin directories with ansible-playbook", err)
		}
		list = strings.TrimSpace(string(out))
	}
	return filepath.SplitList(list), nil
}

// packCollection builds the tarball of craton.fleet, with the measured program.
func packCollection(ctx context.Context, binary, dir string) (string, error) {
	text, err := os.ReadFile("galaxy.yml")
	if err != nil {
		return "", err
	}
	var galaxy struct{ Version string }
	if err := yaml.Unmarshal(text, &galaxy); err != nil {
		return "", fmt.Errorf("galaxy.yml: %w", err)
	}
	file, _, err := collection.Build(ctx, ".", galaxy.Version, dir, collection.Quickest,
		[]collection.Platform{{OS: runtime.GOOS, Arch: runtime.GOARCH, Program: binary}})
	return file, err
}

// newAnsible returns a release with an empty home.
func newAnsible(ctx context.Context, bin, tarball, home string) (*ansible, error) {
	a := &ansible{bin: bin, home: home, release: "?"}
	config := filepath.Join(home, "ansible.cfg")
	a.env = []string{
		"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + home, "LC_ALL=C.UTF-8", "TERM=dumb",
		"ANSIBLE_CONFIG=" + config, "ANSIBLE_NOCOLOR=1", "ANSIBLE_LOCALHOST_WARNING=0",
		// Otherwise the first Python module would pay for the search.
		"ANSIBLE_PYTHON_INTERPRETER=" + filepath.Join(bin, "python3"),
	}
	beside := filepath.Join(home, ".ansible", "collections", "ansible_collections", "craton", "bench", "plugins")
	for file, data := range map[string][]byte{
		config: nil, // the user's settings are ignored
		filepath.Join(beside, "modules", "host.py"): pythonModule,
		filepath.Join(beside, "modules", "nothing"): emptyModule,
		filepath.Join(beside, "become", "plain.py"): plainBecome,
	} {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(file, data, 0o644); err != nil {
			return nil, err
		}
	}
	version, err := a.command(ctx, "ansible-playbook", "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("%s: ansible-playbook --version: %w", bin, err)
	}
	if m := regexp.MustCompile(`core ([^\]]+)`).FindSubmatch(version); m != nil {
		a.release = string(m[1])
	}
	if out, err := a.command(ctx, "ansible-galaxy", "collection", "install", "--offline", tarball).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("ansible-galaxy: %w\n%s", err, out)
	}
	return a, nil
}

func (a *ansible) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(a.bin, name), args...)
	cmd.Dir, cmd.Env = a.home, a.env
	return cmd
}

// task is a task of a play, as in YAML.
type task map[string]any

// play runs tasks on localhost, which must succeed, and returns the time of each: from its announcement by Ansible to
// the next. Ansible's own start and end are not included.
func (a *ansible) play(ctx context.Context, vars string, tasks []task, args ...string) (took []time.Duration, output string, err error) {
	play := map[string]any{"hosts": "localhost", "connection": "local", "gather_facts": false, "tasks": tasks}
	if vars != "" {
		play["vars_files"] = []string{vars}
	}
	file := filepath.Join(a.home, "play.yml")
	if err := writeJSON(file, []any{play}); err != nil {
		return nil, "", err
	}
	cmd := a.command(ctx, "ansible-playbook", append([]string{"-i", "localhost,", file}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	var all, stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	var announced []time.Time
	lines := bufio.NewReader(out)
	for {
		line, readErr := lines.ReadString('\n')
		if strings.HasPrefix(line, "TASK [") || strings.HasPrefix(line, "PLAY RECAP") {
			announced = append(announced, time.Now())
		}
		all.WriteString(line)
		if readErr != nil {
			break
		}
	}
	if err := cmd.Wait(); err != nil {
		return nil, "", fmt.Errorf("ansible-playbook of %s: %w\n%s%s", a.release, err, tail(all.String()), tail(stderr.String()))
	}
	for i := 1; i < len(announced); i++ {
		took = append(took, announced[i].Sub(announced[i-1]))
	}
	if len(took) != len(tasks) {
		return nil, "", errors.New("ansible-playbook did not announce each task")
	}
	return took, all.String(), nil
}

// tail returns the end of an output, for an error.
func tail(text string) string {
	return text[max(0, len(text)-2000):]
}
