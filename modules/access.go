package modules

import (
	"errors"
	"fmt"
	"time"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/when"
	"github.com/craton-fleet/craton/modules/ansible"
)

// Options of craton_user for roles and keys.
const (
	optRole    = "role"
	optKeys    = "keys"
	optExpires = "expires"
	optIsAdmin = "is_admin"

	newKeys = "new_keys" // the member of a result with their secrets
)

// roles returns the choices of an option.
func roles() (all []any) {
	for _, role := range schema.Roles() {
		all = append(all, role)
	}
	return all
}

// accessOptions returns the options that only users have.
func accessOptions() []ansible.Option {
	return []ansible.Option{
		{Name: optRole, Choices: roles(), Description: []string{
			"What the user may do in its project: V(reader) only reads, V(member) also makes changes, V(admin) also manages users, V(root) may do everything in every project.",
			"Without it, a new user is an admin if O(is_admin=true), and a member otherwise; an existing user keeps its role.",
			"An admin can grant roles up to V(admin), only root can grant V(root). Requires C(craton server).",
		}},
		{Name: optKeys, Type: ansible.List, Elements: ansible.Dict, Description: []string{
			"API keys of the user, by name. Other keys stay as they are. The key that a user is created with is called C(api_key).",
			"A new key is in the result of the task once, as RV(user.new_keys); it cannot be read later. Use C(no_log: true), or store it at once.",
			"A key cannot be changed: an O(keys[].role) other than its current one is an error. Requires C(craton server).",
		}, Options: []ansible.Option{
			{Name: optName, Required: true, Description: []string{"The name of the key, unique among those of the user."}},
			{Name: optState, Default: present, Choices: []any{present, absent}, Description: []string{
				"V(present) creates the key if none has the name, or if that key has expired. V(absent) deletes it.",
			}},
			{Name: optRole, Choices: roles(), Description: []string{"The role of the key, which limits what the key may do. By default, the key may do whatever the user may do. A key never has more rights than its user."}},
			{Name: optExpires, Description: []string{
				"When a new key expires: after a duration such as V(90d), or at a time such as V(2027-01-31T00:00:00Z). By default, never. The expiry of an existing key does not change.",
			}},
		}},
	}
}

// accessReturns documents them.
func accessReturns() []ansible.Return {
	return []ansible.Return{
		{Name: optRole, Type: ansible.Str, Sample: "member", Returned: "when the task gives O(role) or O(keys)", Description: []string{"The role of the user."}},
		{Name: reconcile.KeyAPIKeys, Type: ansible.List, Elements: ansible.Dict, Returned: "when the task gives O(keys)",
			Sample:      []any{map[string]any{"expires_at": "2027-02-27T09:30:00.000000", "id": 12, "name": "ci", "role": "reader"}},
			Description: []string{"The keys of the user, without their secrets. In check mode the id of a new one is null."}},
		{Name: newKeys, Type: ansible.Dict, Sample: map[string]any{"ci": "crn_4y2XqLw8ZtKc0vRb7JmN5sHdA1eG3f"}, Returned: "by the task that created keys, only once",
			Description: []string{"The secrets of the keys that the task created, by name."}},
	}
}

// access reads the role and keys that a task sets for a user; nil for none.
func access(p ansible.Params) (*reconcile.Access, error) {
	if !p.Has(optRole) && !p.Has(optKeys) {
		return nil, nil //nolint:nilnil // nothing is said
	}
	a := &reconcile.Access{}
	if p.Has(optRole) {
		a.Role = craton.Role(p.String(optRole))
	}
	if !p.Has(optKeys) {
		return a, nil
	}
	a.Keys = []reconcile.WantedKey{}
	seen := map[string]bool{}
	for _, one := range p.Subs(optKeys) {
		k := reconcile.WantedKey{Name: one.String(optName), Absent: one.String(optState) == absent}
		if err := reconcile.CheckName(k.Name); err != nil {
			return nil, fmt.Errorf("keys: the name %q %w", k.Name, err)
		}
		if seen[k.Name] {
			return nil, fmt.Errorf("keys: %q is there twice", k.Name)
		}
		seen[k.Name] = true
		if one.Has(optRole) {
			k.Role = craton.Role(one.String(optRole))
		}
		if one.Has(optExpires) {
			var err error
			if k.Expires, err = when.ParseFuture(one.String(optExpires), time.Now()); err != nil {
				return nil, fmt.Errorf("keys: %q: expires: %w", k.Name, err)
			}
		}
		if k.Absent && (k.Role != "" || one.Has(optExpires)) {
			return nil, errors.New("keys: one that is to be absent has neither role nor expires")
		}
		a.Keys = append(a.Keys, k)
	}
	return a, nil
}
