package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
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

// serve bootstraps a database (sqlite:PATH, postgres://...) and starts the server on a free port.
func serve(ctx context.Context, binary, database string) (*served, error) {
	out, err := exec.CommandContext(ctx, binary, "server", "bootstrap", "--database", database).Output()
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
	return s, s.start(ctx, database)
}

// start serves a database that was bootstrapped, on a free port.
func (s *served) start(ctx context.Context, database string) error {
	process := exec.CommandContext(ctx, s.binary, "server", "--database", database, "--listen", "127.0.0.1:0")
	stderr, err := process.StderrPipe()
	if err != nil {
		return err
	}
	if err := process.Start(); err != nil {
		return err
	}
	s.process, s.url = process, ""
	lines := bufio.NewScanner(stderr)
	for s.url == "" && lines.Scan() {
		if _, rest, ok := strings.Cut(lines.Text(), "url="); ok {
			s.url, _, _ = strings.Cut(rest, " ")
		}
	}
	if s.url == "" {
		return errors.New("the server did not start")
	}
	go func() { _, _ = io.Copy(io.Discard, stderr) }()
	s.client, err = craton.New(s.url, craton.WithLocalAuth("bootstrap", s.key, s.projectID))
	return err
}

func (s *served) stop() {
	_ = s.process.Process.Signal(syscall.SIGTERM)
	_ = s.process.Wait()
}

// environment is what a program needs to use the server, by its own URL or that of a proxy. Inventories are read, and
// not kept.
func (s *served) environment(url string) []string {
	return append(os.Environ(), "CRATON_URL="+url, "OS_USERNAME=bootstrap", "OS_PASSWORD="+s.key, "OS_PROJECT_ID="+s.projectID, "CRATON_INVENTORY_CACHE=off")
}

// oneHost makes a host in a cloud and a region of their own, whose names end in suffix.
func (s *served) oneHost(ctx context.Context, suffix string) (*craton.Cloud, *craton.Region, *craton.Host, error) {
	c, err := s.client.Clouds.Create(ctx, craton.CloudCreate{Name: "east" + suffix})
	if err != nil {
		return nil, nil, nil, err
	}
	r, err := s.client.Regions.Create(ctx, craton.RegionCreate{Name: "dfw" + suffix, CloudID: c.ID})
	if err != nil {
		return nil, nil, nil, err
	}
	h, err := s.client.Hosts.Create(ctx, craton.HostCreate{Name: "web1", IPAddress: "192.0.2.10", DeviceType: "server", CloudID: c.ID, RegionID: r.ID,
		Variables: craton.Vars(map[string]any{"role": "frontend", "workers": 8})})
	return c, r, h, err
}
