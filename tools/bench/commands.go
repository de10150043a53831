package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// commands returns the median wall times of `craton --version`, and of `craton host-show` against a server.
func commands(ctx context.Context, binary string, runs int) (version, show time.Duration, err error) {
	dir, err := os.MkdirTemp("", "craton-bench")
	if err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	s, err := serve(ctx, binary, "sqlite:"+filepath.Join(dir, "fleet.db"))
	if err != nil {
		return 0, 0, err
	}
	defer s.stop()
	_, _, h, err := s.oneHost(ctx, "")
	if err != nil {
		return 0, 0, err
	}
	if version, err = s.startUp(ctx, runs, "--version"); err != nil {
		return 0, 0, err
	}
	show, err = s.startUp(ctx, runs, "host-show", strconv.Itoa(h.ID))
	return version, show, err
}

// startUp returns the median wall time of one command.
func (s *served) startUp(ctx context.Context, runs int, args ...string) (time.Duration, error) {
	var times []time.Duration
	for range runs {
		cmd := exec.CommandContext(ctx, s.binary, args...)
		cmd.Env = s.environment(s.url)
		started := time.Now()
		if err := cmd.Run(); err != nil {
			return 0, fmt.Errorf("craton %s: %w", args[0], err)
		}
		times = append(times, time.Since(started))
	}
	return median(times), nil
}
