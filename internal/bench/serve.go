package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"

	"github.com/craton-fleet/craton/craton"
)

// served is a running `craton server`.
type served struct {
	binary, url, key, projectID string
	client                      *craton.Client
	process                     *exec.Cmd
}

// serve bootstraps a database and starts the server on a free port.
func serve(ctx context.Context, binary, file string) (*served, error) {
	out, err := exec.CommandContext(ctx, binary, "server", "bootstrap", "--database", "sqlite:"+file).Output()
	if err != nil {
		return nil, fmt.Errorf("bootstrap: %w", err)
	}
	s := &served{binary: binary}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch name {
		case "ProjectId":
			s.projectID = value
		case "APIKey":
			s.key = value
		}
	}
	s.process = exec.CommandContext(ctx, binary, "server", "--database", "sqlite:"+file, "--listen", "127.0.0.1:0")
	stderr, err := s.process.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(stderr)
	for s.url == "" && lines.Scan() {
		if _, rest, ok := strings.Cut(lines.Text(), "url="); ok {
			s.url, _, _ = strings.Cut(rest, " ")
		}
	}
	if s.url == "" {
		return nil, errors.New("the server did not start")
	}
	go func() { _, _ = io.Copy(io.Discard, stderr) }()
	s.client, err = craton.New(s.url, craton.WithLocalAuth("bootstrap", s.key, s.projectID))
	return s, err
}

func (s *served) stop() {
	_ = s.process.Process.Signal(syscall.SIGTERM)
	_ = s.process.Wait()
}
