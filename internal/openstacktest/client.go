package openstacktest

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/craton-fleet/craton/internal/skip"
)

//go:embed client.py
var clientProgram string

// toolsPython names a Python that has what Debian's Ironic does not bring along: sushy-tools and python-ironicclient.
// tests/newest-ironic installs them, and sets it.
const toolsPython = "CRATON_TEST_IRONIC_TOOLS_PYTHON"

// tools is that Python. The test is skipped where there is none.
func tools(t testing.TB, what string) string {
	t.Helper()
	python := os.Getenv(toolsPython)
	if python == "" {
		skip.Target(t, "newest-ironic", what)
	}
	return python
}

// Client is one of OpenStack's own clients, in Python, at work on an Ironic that asks for no credentials.
type Client struct {
	name string
	mu   sync.Mutex
	in   io.Writer
	out  *bufio.Reader
}

// SDK starts openstacksdk for a test. It is there where Ironic is, which needs it. What it is told to call are the
// functions of its Bare Metal service, such as get_node.
func (i *Ironic) SDK(t testing.TB) *Client {
	t.Helper()
	from, err := ironicSourceHere()
	if err != nil {
		t.Fatal(err)
	}
	return i.client(t, from.python, "openstacksdk")
}

// IronicClient starts python-ironicclient for a test, which is skipped where it is not installed. What it is told to
// call are the functions of its managers, such as node.get.
func (i *Ironic) IronicClient(t testing.TB) *Client {
	t.Helper()
	return i.client(t, tools(t, "python-ironicclient"), "python-ironicclient")
}

func (i *Ironic) client(t testing.TB, python, name string) *Client {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, python, "-I", "-c", clientProgram, name, i.URL)
	cmd.Env, cmd.Stderr = environment(t.TempDir(), nil), os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close() // which ends it
		_ = cmd.Wait()
		cancel()
	})
	return &Client{name: name, in: in, out: bufio.NewReader(out)}
}

// Options are the named arguments of a call.
type Options = map[string]any

// Call calls a function of the client, and decodes what it returns into out unless that is nil: an object of the
// service is decoded as the service sent it.
func (c *Client) Call(out any, call string, options Options, args ...any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if options == nil {
		options = Options{}
	}
	line, err := json.Marshal(map[string]any{"call": call, "args": append([]any{}, args...), "options": options})
	if err != nil {
		return err
	}
	if _, err := c.in.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("%s: %s: %w", c.name, call, err)
	}
	text, err := c.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("%s: %s: %w", c.name, call, err)
	}
	var answer struct {
		Is     json.RawMessage
		Failed string
	}
	switch err := json.Unmarshal(text, &answer); {
	case err != nil:
		return err
	case answer.Failed != "":
		return fmt.Errorf("%s: %s%v: %s", c.name, call, args, answer.Failed)
	case out == nil:
		return nil
	}
	return json.Unmarshal(answer.Is, out)
}
