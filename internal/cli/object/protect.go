package object

import (
	"context"
	"fmt"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/reconcile"
)

// Options that say whether an object is kept from being deleted.
var (
	protectedOption   = argparse.Option{Long: "protected", Kind: argparse.SwitchOption, Help: "keep it from being deleted, by itself or with what holds it"}
	unprotectedOption = argparse.Option{Long: "no-protected", Kind: argparse.SwitchOption, Help: "let it be deleted again"}
)

// protects is what a command says about that; nil for nothing. It is an error where the server protects nothing, before anything is written.
func (s *Session) protects(ctx context.Context, c *argparse.Call) (*bool, error) {
	on, off := c.Given(protectedOption.Long), c.Given(unprotectedOption.Long)
	switch {
	case on && off:
		return nil, run.CommandError("--%s and --%s: give one of them", protectedOption.Long, unprotectedOption.Long)
	case !on && !off:
		return nil, nil
	}
	return &on, (&reconcile.Fleet{Client: s.Client}).MayProtect(ctx)
}

func (s *Session) mayProtect(ctx context.Context, c *argparse.Call) error {
	_, err := s.protects(ctx, c)
	return err
}

// protect does what a command says about that.
func (s *Session) protect(ctx context.Context, r *Resource, id string, c *argparse.Call) error {
	on := c.Given(protectedOption.Long)
	if !on && !c.Given(unprotectedOption.Long) {
		return nil
	}
	return s.collection(r).Protect(ctx, id, on)
}

// kept says why an object is not deleted, and what to do: it, or something in it, is protected. It is "" otherwise.
func (s *Session) kept(ctx context.Context, r *Resource, id string) (string, error) {
	keepers, err := (&reconcile.Fleet{Client: s.Client}).Keepers(ctx, r.kind, id)
	if err != nil || keepers.String() == "" {
		return "", err
	}
	return fmt.Sprintf("the server refuses it while %s (%s)", keepers, keepers.Unprotect(r.kind, id)), nil
}

// hintProtected adds to the refusal of a delete what to do next.
func hintProtected(err error) error {
	if craton.IsConflict(err) && strings.Contains(err.Error(), "protected") {
		return craton.WithHint(err, "`craton unprotect KIND OBJECT` does")
	}
	return err
}
