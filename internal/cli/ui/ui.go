package ui

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/inventory"
)

// New returns the command `craton ui`.
func New(s output.Streams) *cobra.Command {
	var port int
	var noOpen bool
	cmd := &cobra.Command{
		Use:   "ui",
		Short: "View the fleet in a browser",
		Long: `Serve a read-only web page of the fleet on this machine, until Ctrl-C, and open it in your browser. The page shows clouds,
regions, cells and hosts, the variables of each object, where they come from, what they shadow and who set them, now or at
another time.

The address that the command prints works once, in one browser, so that no other user of this machine can use it. As for all
commands, CRATON_URL selects the fleet.`,
		Example: `  craton ui
  craton ui --port 8080 --no-open`,
		Args: argparse.ExactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if port < 0 || port > 65535 {
				return argparse.Mistake(cmd, "argument --port: %d is not a port", port)
			}
			if err := run.CheckFlags(cmd); err != nil {
				return err
			}
			v, err := settings.Load(cmd.Flags(), settings.Connection, settings.CLI, settings.Inventory)
			if err != nil {
				return err
			}
			o, err := inventory.FromSettings(v)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			c, err := connect.Open(ctx, v, connect.ReadOnly)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, c.Close()) }()
			return serve(ctx, s, c, &o, port, !noOpen)
		},
	}
	run.AddFleetFlags(cmd)
	cmd.Flags().IntVar(&port, "port", 0, "`PORT` on 127.0.0.1; 0 for any free port")
	cmd.Flags().BoolVar(&noOpen, "no-open", false, "print the address without opening a browser")
	return cmd
}

// serve serves the page until ctx ends.
func serve(ctx context.Context, s output.Streams, c *connect.Connection, o *inventory.Options, port int, open bool) error {
	if _, err := c.Capabilities(ctx); err != nil { // a page of errors helps nobody
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	handler, url, err := page(c, o, listener.Addr())
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	hs := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
	failed := make(chan error, 1)
	go func() { failed <- hs.Serve(listener) }()
	if _, err := fmt.Fprintln(s.Out, url); err != nil {
		return errors.Join(err, hs.Close())
	}
	_, _ = fmt.Fprintln(s.Err, "The address works once, in one browser. Press Ctrl-C to stop.")
	if open {
		clean, err := browse(ctx, url)
		if err != nil {
			_, _ = fmt.Fprintf(s.Err, "No browser was opened (%v): open the address in one.\n", err)
		}
		defer clean()
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return hs.Close()
	}
}

// browse opens the address in the user's browser. Arguments are visible to every user of the machine, and the address
// contains the token, so the browser opens a file that redirects there, which only the user can read. clean removes it.
func browse(ctx context.Context, url string) (clean func(), err error) {
	clean = func() {}
	program := map[string]string{"darwin": "open", "windows": "explorer"}[runtime.GOOS]
	if program == "" {
		program = "xdg-open"
		if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
			return clean, errors.New("there is no display")
		}
	}
	if program, err = exec.LookPath(program); err != nil {
		return clean, err
	}
	dir, err := os.MkdirTemp("", "craton-ui-") // inaccessible to others
	if err != nil {
		return clean, err
	}
	clean = func() { _ = os.RemoveAll(dir) }
	file := filepath.Join(dir, "open.html")
	text := `<!doctype html><meta charset="utf-8"><title>craton</title><meta http-equiv="refresh" content="0; url=` + url + `">`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return clean, err
	}
	cmd := exec.CommandContext(ctx, program, file) //nolint:gosec // one of three programs, and a file of our own
	if err := cmd.Start(); err != nil {
		return clean, err
	}
	go func() { _ = cmd.Wait() }()
	return clean, nil
}
