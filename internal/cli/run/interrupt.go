package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Interruptible returns a context that ends with SIGINT, SIGTERM or SIGHUP, so that a command can say how far it got.
// The second signal ends the process. Signals that were ignored when the process started, as with nohup, stay ignored.
func Interruptible(ctx context.Context) (interrupted context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			cancel(&InterruptionError{s.(syscall.Signal)}) //nolint:forcetypeassert // the three above are
		case <-ctx.Done():
		}
	}()
	return ctx, func() { signal.Stop(signals); cancel(nil) }
}

// InterruptionError is the error of a command that a signal has stopped.
type InterruptionError struct{ signal syscall.Signal }

// Error names the signal.
func (i *InterruptionError) Error() string {
	return map[syscall.Signal]string{syscall.SIGINT: "SIGINT", syscall.SIGTERM: "SIGTERM", syscall.SIGHUP: "SIGHUP"}[i.signal]
}

// Unwrap makes it a [context.Canceled].
func (i *InterruptionError) Unwrap() error { return context.Canceled }

// status returns the exit status of a process that the signal has ended, as in a shell.
func (i *InterruptionError) status() int { return 128 + int(i.signal) }

// Interrupted returns the error of a command that a signal has stopped, with its consequences; nil if there was no
// signal.
func Interrupted(ctx context.Context, what string) error {
	if i, ok := errors.AsType[*InterruptionError](context.Cause(ctx)); ok {
		return fmt.Errorf("interrupted: %w\n%s", i, what)
	}
	return nil
}
