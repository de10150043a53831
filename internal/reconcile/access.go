package reconcile

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/craton"
)

// Keys of a user's role and keys, which an object has only if they are wanted.
const (
	KeyRole    = "role"
	KeyAPIKeys = "api_keys"
)

// Access is the wanted role and keys of a user.
type Access struct {
	Role craton.Role // "": not given
	Keys []WantedKey
}

// WantedKey is a wanted key, identified by its name.
type WantedKey struct {
	Name    string
	Absent  bool
	Role    craton.Role // "": the role of the user
	Expires time.Time   // of a new key; zero: never
}

// accessStep is a planned change of a user's role and keys.
type accessStep struct {
	role craton.Role // to set; "": none
	make []WantedKey
	drop []*craton.UserKey
}

func (a *accessStep) changes() bool {
	return a != nil && (a.role != "" || len(a.make)+len(a.drop) > 0)
}

// firstKey is the name of the key with which a user is created.
const firstKey = "api_key"

// planAccess compares a user's role and keys with what is wanted.
func (fl *Fleet) planAccess(ctx context.Context, w *Wanted, st *Step) (err error) {
	switch {
	case w.Absent:
		return nil
	case w.Access == nil && st.Remove && st.Create:
		return fl.keepReader(ctx, st)
	case w.Access == nil:
		return nil
	}
	want, role := w.Access, craton.RoleMember
	var keys []*craton.UserKey
	switch {
	case !st.Create:
		id, _ := strconv.Atoi(st.Before.ID())
		if role, err = fl.Client.Users.Role(ctx, id); err == nil && want.Keys != nil {
			keys, err = fl.Client.Users.Keys(ctx, id)
		}
		if err != nil {
			return err
		}
	case want.Keys != nil:
		keys = []*craton.UserKey{{Name: firstKey}}
	}
	if st.Before != nil && !st.Create {
		st.Before = st.Before.Clone()
		st.Before.setAccess(want, role, keys)
	}
	st.After, st.own, st.access = st.After.Clone(), true, &accessStep{}
	if st.Create && st.After["is_admin"] == true {
		role = craton.RoleAdmin
	}
	if want.Role != "" && want.Role != role {
		st.access.role, role = want.Role, want.Role
		st.After["is_admin"] = role == craton.RoleAdmin || role == craton.RoleRoot
	}
	after, err := st.access.keys(want.Keys, keys)
	if err != nil {
		return fmt.Errorf("the %s %w", Called(st.Kind, st.After), err)
	}
	st.After.setAccess(want, role, after)
	return nil
}

// roleStreams is the number of concurrent requests for roles.
const roleStreams = 8

// Roles returns the roles of users, by their ids; nil if the server has no roles. Users that are gone, or that the
// caller may not read, are left out.
func Roles(ctx context.Context, client *craton.Client, users []int) (map[int]craton.Role, error) {
	has, err := (&Fleet{Client: client}).has(ctx, "roles")
	if err != nil || !has {
		return nil, err
	}
	var mu sync.Mutex
	roles := map[int]craton.Role{}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(roleStreams)
	for _, id := range users {
		g.Go(func() error {
			role, err := client.Users.Role(gctx, id)
			switch {
			case craton.IsNotFound(err), craton.IsForbidden(err):
				return nil
			case err != nil:
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			roles[id] = role
			return nil
		})
	}
	return roles, g.Wait()
}

// keepReader makes a recreated user a reader again: v1 only shows that a user is not an admin.
func (fl *Fleet) keepReader(ctx context.Context, st *Step) error {
	if st.Before["is_admin"] == true || st.After["is_admin"] == true {
		return nil
	}
	id, _ := strconv.Atoi(st.Before.ID())
	role, err := fl.Client.Users.Role(ctx, id)
	if craton.StatusOf(err) == http.StatusNotFound { // there are no roles
		return nil
	}
	if err == nil && role == craton.RoleReader {
		st.access = &accessStep{role: role}
	}
	return err
}

// keys plans changes of keys, and returns the resulting keys.
func (a *accessStep) keys(want []WantedKey, have []*craton.UserKey) (after []*craton.UserKey, err error) {
	after = slices.Clone(have)
	for _, w := range want {
		i := slices.IndexFunc(after, func(k *craton.UserKey) bool { return k.Name == w.Name })
		if i >= 0 {
			k := after[i]
			over := !k.ExpiresAt.IsZero() && !k.ExpiresAt.After(time.Now())
			switch {
			case w.Absent || over: // expired keys do not count
				a.drop, after = append(a.drop, k), slices.Delete(after, i, i+1)
			case k.Role != w.Role && w.Role != "":
				return nil, fmt.Errorf("has a key %q whose role is not %s, and the role of a key cannot be changed; delete the key with state: absent, or give the new one another name", w.Name, w.Role)
			default:
				continue
			}
		}
		if !w.Absent {
			a.make = append(a.make, w)
			after = append(after, &craton.UserKey{Name: w.Name, Role: w.Role, ExpiresAt: craton.Timestamp{Time: w.Expires}})
		}
	}
	return after, nil
}

// setAccess sets the role and keys of an object, as far as they are wanted.
func (o Object) setAccess(want *Access, role craton.Role, keys []*craton.UserKey) {
	o[KeyRole] = string(role)
	if want.Keys == nil {
		return
	}
	list := make([]any, len(keys))
	for i, k := range keys {
		one := map[string]any{KeyID: nil, "name": k.Name, KeyRole: nil, "expires_at": k.ExpiresAt}
		if k.ID != 0 {
			one[KeyID] = k.ID
		}
		if k.Role != "" {
			one[KeyRole] = string(k.Role)
		}
		list[i] = one
	}
	o[KeyAPIKeys] = list
}

// grant applies the planned changes of a user's role and keys. A new key replaces an expired one of the same name; all
// other new keys are created before any key is deleted, and the key that the client itself uses is deleted last.
func (fl *Fleet) grant(ctx context.Context, st *Step, done *Done) error {
	a := st.access
	if a == nil {
		return nil
	}
	id, _ := strconv.Atoi(done.Object.ID())
	users := fl.Client.Users
	if a.role != "" && !st.Create { // set at creation
		if err := users.SetRole(ctx, id, a.role); err != nil {
			return err
		}
		done.Wrote = true
		now, err := fl.Get(ctx, st.Kind, done.Object.ID())
		if err != nil || now == nil {
			return err
		}
		done.Object = now
	}
	drop := slices.Clone(a.drop)
	if st.Create && len(drop) > 0 { // the new keys have ids
		keys, err := users.Keys(ctx, id)
		if err != nil {
			return err
		}
		drop = slices.DeleteFunc(keys, func(k *craton.UserKey) bool {
			return !slices.ContainsFunc(a.drop, func(d *craton.UserKey) bool { return d.Name == k.Name })
		})
	}
	replaced := func(k *craton.UserKey) bool {
		return slices.ContainsFunc(a.make, func(m WantedKey) bool { return m.Name == k.Name })
	}
	remove := func(which func(*craton.UserKey) bool) error {
		for _, k := range drop {
			if !which(k) {
				continue
			}
			if err := users.DeleteKey(ctx, id, k.ID); err != nil && !craton.IsNotFound(err) {
				return err
			}
			done.Wrote = true
			if k.Name == firstKey {
				done.APIKey = "" // it cannot be used
			}
		}
		return nil
	}
	if err := remove(replaced); err != nil {
		return err
	}
	for _, m := range a.make {
		made, err := users.CreateKey(ctx, id, craton.UserKeyCreate{Name: m.Name, Role: m.Role, ExpiresAt: m.Expires})
		if err != nil {
			return err
		}
		done.Wrote = true
		if done.Keys == nil {
			done.Keys = map[string]string{}
		}
		done.Keys[made.Name] = string(made.Key)
	}
	if err := remove(func(k *craton.UserKey) bool { return !replaced(k) && !k.Current }); err != nil {
		return err
	}
	if err := remove(func(k *craton.UserKey) bool { return !replaced(k) && k.Current }); err != nil {
		return err
	}
	if slices.ContainsFunc(drop, func(k *craton.UserKey) bool { return k.Current }) { // the client can no longer sign in
		done.Object[KeyRole], done.Object[KeyAPIKeys] = st.After[KeyRole], st.After[KeyAPIKeys]
		return nil
	}
	if _, told := st.After[KeyRole]; !told {
		return nil
	}
	want := &Access{}
	var keys []*craton.UserKey
	if _, told := st.After[KeyAPIKeys]; told {
		want.Keys = []WantedKey{}
		var err error
		if keys, err = users.Keys(ctx, id); err != nil {
			return err
		}
	}
	done.Object.setAccess(want, craton.Role(st.After.Text(KeyRole)), keys)
	return nil
}
