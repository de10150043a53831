package iotronic_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/craton-fleet/craton/internal/wording"
	"github.com/craton-fleet/craton/iotronic"
)

// ending is a context that ends with an error when a test says so.
type ending struct {
	context.Context //nolint:containedctx // it is one
	done            chan struct{}
	err             error
}

func (e *ending) Done() <-chan struct{} { return e.done }

func (e *ending) Err() error {
	select {
	case <-e.done:
		return e.err
	default:
		return nil
	}
}

// TestWaitedLong: an error of waiting says what was there last, and why, in words.
func TestWaitedLong(t *testing.T) {
	t.Parallel()
	for err, words := range map[error]string{
		context.DeadlineExceeded: `node n ... "active" ... in time`,
		context.Canceled:         `node n ... "active" ... context canceled`,
	} {
		mux, c := newMux(t, iotronic.WithDialect(iotronic.DialectIronic))
		ctx := &ending{t.Context(), make(chan struct{}), err}
		looks := 0
		mux.HandleFunc("GET /v1/nodes/n/states", func(w http.ResponseWriter, r *http.Request) {
			if looks++; looks == 2 {
				close(ctx.done)
				<-r.Context().Done()
				return
			}
			always(200, `{"provision_state": "wait call-back", "target_provision_state": "active", "last_error": "no answer yet"}`)(w, r)
		})
		got := c.Nodes.WaitProvision(ctx, "n", "active")
		if want := words + ` ... "wait call-back" ... no answer yet`; !is[*iotronic.StateTransitionTimeoutError](got) || !wording.Has(got.Error(), want) || !errors.Is(got, err) {
			t.Errorf("error %v", got)
		}
	}
}

// TestWaiting: what a node says one look after the other, and when that is the end.
func TestWaiting(t *testing.T) {
	t.Parallel()
	power := func(ctx context.Context, c *iotronic.Client) error {
		return c.Nodes.WaitPower(ctx, "n", iotronic.PowerOn)
	}
	provision := func(ctx context.Context, c *iotronic.Client) error { return c.Nodes.WaitProvision(ctx, "n", "active") }
	const (
		on        = `{"power_state": "power on", "target_power_state": null}`
		switching = `{"power_state": "power off", "target_power_state": "power on"}`
		broken    = `{"power_state": "power off", "target_power_state": null, "last_error": "no answer of the BMC"}`
		deploying = `{"provision_state": "deploying", "target_provision_state": "active"}`
		failed    = `{"provision_state": "deploy failed", "target_provision_state": "active", "last_error": "no image"}`
		active    = `{"provision_state": "active", "target_provision_state": null}`
	)
	for name, tt := range map[string]struct {
		wait   func(context.Context, *iotronic.Client) error
		says   []string
		actual string // "" means that it gets there
	}{
		"an error of the power": {power, []string{switching, broken, broken}, "power off"},
		"an error of before":    {power, []string{broken, switching, on}, ""},
		"a deployment":          {provision, []string{deploying, active}, ""},
		"one that fails":        {provision, []string{deploying, failed, failed}, "deploy failed"},
		"one that is repeated":  {provision, []string{failed, deploying, active}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			looks := 0
			mux, c := newMux(t, iotronic.WithDialect(iotronic.DialectIronic))
			mux.HandleFunc("GET /v1/nodes/n/states", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, tt.says[min(looks, len(tt.says)-1)])
				looks++
			})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			err := tt.wait(ctx, c)
			var stays *iotronic.StateTransitionFailedError
			if tt.actual == "" && err != nil || tt.actual != "" && (!errors.As(err, &stays) || stays.Actual != tt.actual || stays.Reason == "") {
				t.Errorf("error %v", err)
			}
			if looks != len(tt.says) {
				t.Errorf("%d looks, not %d", looks, len(tt.says))
			}
		})
	}
}

// TestForgottenReason: Ironic forgets why a deployment has failed when it switches the node off, and has it in the
// node's history.
func TestForgottenReason(t *testing.T) {
	t.Parallel()
	mux, c := newMux(t, iotronic.WithDialect(iotronic.DialectIronic), iotronic.WithVersion(iotronic.Version{Major: 1, Minor: 78}))
	mux.HandleFunc("GET /v1/nodes/n/states", always(200, `{"provision_state": "deploy failed", "target_provision_state": "active", "last_error": null}`))
	mux.HandleFunc("GET /v1/nodes/n/history", always(200, `{"history": [
		{"uuid": "1", "created_at": "2026-11-30T15:00:00+00:00", "severity": "ERROR", "event": "of last week"},
		{"uuid": "3", "created_at": "2026-11-30T15:02:00+00:00", "severity": "ERROR", "event": "no image"},
		{"uuid": "2", "created_at": "2026-11-30T15:01:00+00:00", "severity": "ERROR", "event": "of today"},
		{"uuid": "4", "created_at": "2026-11-30T15:03:00+00:00", "severity": "INFO", "event": "switched off"}]}`))
	err := c.Nodes.WaitProvision(t.Context(), "n", "active")
	if want := `node n ... "deploy failed" ... "active": no image`; err == nil || !wording.Has(err.Error(), want) {
		t.Errorf("error %v", err)
	}
}
