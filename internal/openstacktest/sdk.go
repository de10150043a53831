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
)

//go:embed sdk.py
var sdkProgram string

// SDK is openstacksdk, the client of OpenStack itself, at work on an Ironic that asks for no credentials. It is there where Ironic is,
// which needs it.
type SDK struct {
	mu  sync.Mutex
	in  io.Writer
	out *bufio.Reader
}

// SDK starts openstacksdk for a test.
func (i *Ironic) SDK(t testing.TB) *SDK {
	t.Helper()
	from, err := ironicSourceHere()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, from.python, "-I", "-c", sdkProgram, i.URL)
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
	return &SDK{in: in, out: bufio.NewReader(out)}
}

// Options are the named arguments of a call.
type Options = map[string]any

// Call calls a function of openstacksdk's Bare Metal service, and decodes what it gives into out unless that is nil: of an object of
// the service, the object as the service sent it.
func (s *SDK) Call(out any, call string, options Options, args ...any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if options == nil {
		options = Options{}
	}
	line, err := json.Marshal(map[string]any{"call": call, "args": append([]any{}, args...), "options": options})
	if err != nil {
		return err
	}
	if _, err := s.in.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("openstacksdk: %s: %w", call, err)
	}
	text, err := s.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("openstacksdk: %s: %w", call, err)
	}
	var answer struct {
		Is     json.RawMessage
		Failed string
	}
	switch err := json.Unmarshal(text, &answer); {
	case err != nil:
		return err
	case answer.Failed != "":
		return fmt.Errorf("openstacksdk: %s%v: %s", call, args, answer.Failed)
	case out == nil:
		return nil
	}
	return json.Unmarshal(answer.Is, out)
}
