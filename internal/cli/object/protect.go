package object

import (
	"context"
	"fmt"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/where"
)

// Options for protection from deletion.
var (
	protectedOption   = argparse.Option{Long: "protected", Kind: argparse.SwitchOption, Help: "protect it from deletion, by itself or together with what contains it"}
	unprotectedOption = argparse.Option{Long: "no-protected", Kind: argparse.SwitchOption, Help: "remove this protection from deletion"}
)

// protects returns the protection in a command; nil if it has none.
func protects(c *argparse.Call) *bool {
	on := c.Given(protectedOption.Long)
	if !on && !c.Given(unprotectedOption.Long) {
		return nil
	}
	return &on
}

// checkProtect returns an error, before anything is written, if a command sets protection and the server does not
// support it.
func (s *Session) checkProtect(ctx context.Context, c *argparse.Call) error {
	switch {
	case c.Given(protectedOption.Long) && c.Given(unprotectedOption.Long):
		return argparse.Misused("argument --%s: not allowed with argument --%s", protectedOption.Long, unprotectedOption.Long)
	case protects(c) == nil:
		return nil
	}
	return (&reconcile.Fleet{Client: s.Client}).CheckProtect(ctx)
}

// protect sets the protection in a command.
func (s *Session) protect(ctx context.Context, r *Resource, id string, c *argparse.Call) error {
	on := protects(c)
	if on == nil {
		return nil
	}
	return s.collection(r).Protect(ctx, id, *on)
}

// fillProtected adds to each object of a list whether it is protected.
func (s *Session) fillProtected(ctx context.Context, r *Resource, objects []gjson.Result) error {
	ids := make([]string, len(objects))
	for i, o := range objects {
		ids[i] = o.Get(keyID).String()
	}
	on, err := (&reconcile.Fleet{Client: s.Client}).Protected(ctx, r.kind, ids)
	if err != nil {
		return err
	}
	for i, id := range ids {
		objects[i] = With(objects[i], where.KeyProtected, strconv.FormatBool(on[id]))
	}
	return nil
}

// protectionHint returns why an object is not deleted, and what to do: it, or something in it, is protected. It is ""
// otherwise.
func (s *Session) protectionHint(ctx context.Context, r *Resource, id string) (string, error) {
	keepers, err := (&reconcile.Fleet{Client: s.Client}).Keepers(ctx, r.kind, id)
	if err != nil || keepers.String() == "" {
		return "", err
	}
	return fmt.Sprintf("the server refuses this while %s (%s)", keepers, keepers.Unprotect(r.kind, id)), nil
}
