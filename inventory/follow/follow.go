package follow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/retry"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/inventory"
	"github.com/craton-fleet/craton/inventory/internal/ansible"
)

// Options determine what is reported, and from which point on.
type Options struct {
	After   string        // a cursor: changes after it; "" means from now on
	Wait    time.Duration // how long a server may hold back a response without changes
	Page    int           // the maximum number of changes in a response; 0: the server's maximum
	Kinds   []string      // only changes of these kinds; none: all
	Actions []string      // only create, update, move or delete; none: all
	Keys    []string      // only changes of variables that match one of these patterns; none: all
	Felt    bool          // only changes that alter the variables of a host
	Values  bool          // include values of variables, which may be secrets

	Hostname       inventory.Hostname // how hosts are named
	NetworkDevices bool               // whether network devices are hosts
	MaxHosts       int                // of one event; a change with more is split

	// Log is called with a line about each problem with the server or the request; nil discards them.
	Log func(text string)
}

// Line is one line of output: an event, or only the position up to which the log has been read.
type Line struct {
	// Resume is the position from which to continue if this line was the last.
	Resume string `json:"resume"`
	Event  *Event `json:"event,omitempty"`
}

// pauses are the waits between attempts while a server does not respond.
var pauses = retry.Pauses{First: time.Second, Max: time.Minute}

// minPause is the minimum time between two requests, in case a server does not hold back a response without changes.
const minPause = time.Second

type follower struct {
	Options
	client *craton.Client
	tell   func(Line) error

	fleet  *fleet
	after  string // the position up to which the log has been read
	resume string // the position from which to continue: see Line
}

// Run reports changes until the context ends, which is not an error, or tell returns one. If the server refuses a
// request, that is an error only before the first line; if it cannot be reached, or fails, the request is retried.
func Run(ctx context.Context, c *craton.Client, o Options, tell func(Line) error) error {
	if o.Log == nil {
		o.Log = func(string) {}
	}
	f := &follower{Options: o, client: c, tell: tell}
	err := f.retry(ctx, "the fleet cannot be read", func(ctx context.Context) error { return f.begin(ctx, o.After) })
	for {
		if isUnknown(err) {
			err = f.restart(ctx, err)
		}
		if err != nil {
			break
		}
		err = f.retry(ctx, "the changes cannot be read", f.page)
	}
	if ctx.Err() != nil {
		return nil //nolint:nilerr // it was told to end
	}
	return err
}

// isUnknown reports whether err means that the log does not have the cursor.
func isUnknown(err error) bool { return craton.StatusOf(err) == http.StatusGone }

// retry tries until it succeeds, the cursor is unknown, or the context ends.
func (f *follower) retry(ctx context.Context, what string, try func(context.Context) error) error {
	failed := false
	return pauses.Do(ctx, func(n int) (bool, error) {
		err := try(ctx)
		said := (*reportedError)(nil)
		switch {
		case err == nil:
			if failed {
				f.Log("the server is available again")
			}
			return false, nil
		case ctx.Err() != nil || isUnknown(err) || errors.As(err, &said) || f.fleet == nil && !isUnavailable(err):
			return false, err
		}
		failed = true
		f.Log(fmt.Sprintf("%s: %s; retrying in %s", what, output.OneLine(err), pauses.After(n)))
		return true, err
	})
}

// isUnavailable reports whether err comes from a server that may respond later.
func isUnavailable(err error) bool {
	none := (*craton.ConnectionError)(nil)
	return craton.StatusOf(err) >= http.StatusInternalServerError || errors.As(err, &none)
}

// reportedError is an error that tell has returned.
type reportedError struct{ error }

func (e *reportedError) Unwrap() error { return e.error }

// begin reads the fleet as of a cursor, and reports that.
func (f *follower) begin(ctx context.Context, after string) error {
	for _, feature := range []string{"changes", "fleet"} {
		if err := f.client.RequireFeature(ctx, feature); err != nil {
			return err
		}
	}
	fleet, at, err := load(ctx, f.client, after, f.NetworkDevices)
	if err != nil {
		return err
	}
	f.fleet, f.after, f.resume = fleet, at, at
	return f.emit(nil)
}

// restart continues from the present, because the log does not have the cursor.
func (f *follower) restart(ctx context.Context, why error) error {
	var said *craton.Error
	text := output.OneLine(why)
	if errors.As(why, &said) {
		text = said.Message
	}
	f.Log(fmt.Sprintf("the change log does not know the cursor %q: %s Changes up to now are not reported; it continues from the current state", f.Resumed(), text))
	return f.retry(ctx, "the fleet cannot be read", func(ctx context.Context) error {
		fleet, at, err := load(ctx, f.client, "", f.NetworkDevices)
		if err != nil {
			return err
		}
		f.fleet, f.after, f.resume = fleet, at, at
		return f.emit(resetEvent(at, fleet.count()))
	})
}

// Resumed returns the position from which the run was to continue.
func (f *follower) Resumed() string {
	if f.after != "" {
		return f.after
	}
	return f.Options.After
}

func (f *follower) emit(e *Event) error {
	if err := f.tell(Line{Resume: f.resume, Event: e}); err != nil {
		return &reportedError{err}
	}
	return nil
}

// page reads one page of the log, and reports it.
func (f *follower) page(ctx context.Context) error {
	began := time.Now()
	page, err := f.client.ChangePage(ctx, craton.ChangeOptions{After: f.after, Wait: f.Wait, Limit: f.Page})
	if err != nil {
		return err
	}
	for i, c := range page.Changes {
		hosts := f.fleet.apply(c)
		events := f.events(c, hosts)
		for n, e := range events {
			if i == len(page.Changes)-1 && n == len(events)-1 && page.Complete() {
				f.resume = page.Next
			}
			if err := f.emit(e); err != nil {
				return err
			}
		}
	}
	f.after = page.Next
	if page.Complete() && f.resume != page.Next {
		f.resume = page.Next
		if err := f.emit(nil); err != nil {
			return err
		}
	}
	if len(page.Changes) == 0 {
		return retry.Wait(ctx, minPause-time.Since(began))
	}
	return nil
}

// events returns the events of a change.
func (f *follower) events(c *craton.Change, hosts []*object) []*Event {
	switch {
	case len(f.Kinds) > 0 && !slices.Contains(f.Kinds, c.Kind),
		len(f.Actions) > 0 && !slices.Contains(f.Actions, c.Action),
		f.Felt && len(hosts) == 0:
		return nil
	case len(f.Keys) > 0:
		touches := func(s *craton.Side) bool {
			for key := range s.Variables {
				if value.MatchesKey(f.Keys, key) {
					return true
				}
			}
			for key := range s.Hashed {
				if value.MatchesKey(f.Keys, key) {
					return true
				}
			}
			return false
		}
		if !touches(&c.Before) && !touches(&c.After) {
			return nil
		}
	}
	names, omitted := f.names(hosts)
	return f.parts(c, names, omitted)
}

// names returns the names of hosts in the inventory, sorted, without those that it refuses.
func (f *follower) names(hosts []*object) (names []string, omitted int) {
	for _, h := range hosts {
		name := h.name
		switch f.Hostname {
		case inventory.ByIPAddress:
			name = h.address
		case inventory.Qualified:
			region, cloud := f.fleet.up(h, "region_id"), f.fleet.up(h, "cloud_id")
			if region == nil || cloud == nil {
				omitted++
				continue
			}
			name = cloud.name + "/" + region.name + "/" + h.name
		}
		if err := f.check(name); err != nil {
			f.Log(fmt.Sprintf("%s %s is omitted from the hosts of an event: the name %q %s", h.kind.Noun(), h.id, name, err))
			omitted++
			continue
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names, omitted
}

// check refuses names that no inventory has, and that would mean more than the host in a --limit.
func (f *follower) check(name string) error {
	if name == "all" || name == "ungrouped" {
		return errors.New("is the name of a group")
	}
	parts := 1
	if f.Hostname == inventory.Qualified {
		parts = 3
	}
	return ansible.CheckHostName(name, parts)
}

// Encode returns a line as it is printed, with the newline.
func (l Line) Encode() ([]byte, error) {
	text, err := json.Marshal(l)
	return append(text, '\n'), err
}
