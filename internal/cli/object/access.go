package object

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/when"
)

// Options for users' roles and keys.
const (
	userOption    = "user"
	roleOption    = "role"
	expiresOption = "expires"
)

// keyColumns are the columns of a user's keys.
var keyColumns = []string{keyID, "name", "role", keyCreated, "expires_at", "used_at", "current"}

// whoseOption returns an option for a user.
func whoseOption(r *Resource) argparse.Option {
	o := Reference(userOption, "", userOption, r)
	o.Help += "; by default yourself"
	return o
}

// keyVerbs returns the commands for keys, which only users have.
func keyVerbs(r *Resource) []*Command {
	if r.kind != schema.User {
		return nil
	}
	whose := whoseOption(r)
	return []*Command{
		{Command: argparse.Command{Name: "key-create", Short: "Create an API key for a user", More: []argparse.Positional{{Name: "<name>"}},
			Long: "Create an API key for yourself or another user. The key is shown only once; it cannot be read later.\n" +
				"A key has its user's role, or a lower one with --role, but never a higher role than the key with which this command signs in.",
			Options: []argparse.Option{whose,
				{Long: roleOption, Meta: "<role>", Choices: schema.Roles(), Help: "highest role of the key"},
				{Long: expiresOption, Meta: "<time>", Help: "when it expires: after a period such as 90d, or on a date such as 2027-01-31; by default never"}},
			Example: exampleOf(r.Name + "-key-create")}, run: createKey},
		{Command: argparse.Command{Name: "key-delete", Short: "Delete an API key of a user", More: []argparse.Positional{{Name: "<key>", Asked: true}},
			Long:    "Delete an API key, by name or id. It stops working immediately. To delete the key with which this command signs in,\nconfirm it on a terminal, or give --yes.",
			Options: []argparse.Option{whose, YesOption}, Example: exampleOf(r.Name + "-key-delete")}, run: deleteKey},
		{Command: argparse.Command{Name: "key-list", Short: "List the API keys of a user", Options: []argparse.Option{whose}, Example: exampleOf(r.Name + "-key-list")}, reads: true, run: listKeys},
	}
}

// roleVerbs returns the commands for roles.
func roleVerbs(r *Resource) []*Command {
	if r.kind != schema.User {
		return nil
	}
	role := argparse.Positional{Name: "<role>", Choices: schema.Roles()}
	return []*Command{
		{Command: argparse.Command{Name: "role-get", Short: "Show the role of a user", Options: []argparse.Option{whoseOption(r)}}, reads: true, run: getRole},
		{Command: argparse.Command{Name: "role-set", Short: "Set the role of a user", Target: true, More: []argparse.Positional{role},
			Long:    "Set the role of a user. Admins can assign reader, member and admin; only root can assign or remove root.",
			Example: exampleOf(r.Name + "-role-set")}, run: func(ctx context.Context, s *Session, c *argparse.Call) error {
			_, err := s.withObject(ctx, r, c.Target, func(id string) error { return s.Client.Users.SetRole(ctx, number(id), craton.Role(c.Words[0])) })
			if err != nil {
				return err
			}
			return s.printRole(c.Words[0])
		}},
	}
}

func number(id string) int {
	n, _ := strconv.Atoi(id) // if it is an id: see reconcile.ID
	return n
}

// whose returns the user of a command.
func (s *Session) whose(ctx context.Context, c *argparse.Call, do func(user int) error) error {
	if !c.Given(userOption) {
		return do(craton.Self)
	}
	users := resourcesOf(c.Values[userOption].Of)
	_, err := s.withObject(ctx, users[0], c.Text(userOption), func(id string) error { return do(number(id)) })
	return err
}

// fillRoles adds the roles to users, which the API returns separately, and reports whether there are any. Other objects
// are not changed.
func (s *Session) fillRoles(ctx context.Context, r *Resource, users []gjson.Result) (some bool, err error) {
	if r.kind != schema.User || len(users) == 0 {
		return false, nil
	}
	var ids []int
	for _, o := range users {
		ids = append(ids, number(o.Get(keyID).Raw))
	}
	roles, err := reconcile.Roles(ctx, s.Client, ids)
	for i, id := range ids {
		if roles[id] != "" {
			users[i] = With(users[i], roleOption, string(jsonOf(roles[id])))
		}
	}
	return len(roles) > 0, err
}

func getRole(ctx context.Context, s *Session, c *argparse.Call) (err error) {
	var role craton.Role
	err = s.whose(ctx, c, func(user int) error {
		role, err = s.Client.Users.Role(ctx, user)
		return err
	})
	if err != nil {
		return err
	}
	return s.printRole(string(role))
}

func (s *Session) printRole(role string) error {
	return s.PrintObject(gjson.ParseBytes(jsonOf(map[string]string{"role": role})))
}

func listKeys(ctx context.Context, s *Session, c *argparse.Call) error {
	keys, err := s.keys(ctx, c)
	if err != nil {
		return err
	}
	rows := make([]gjson.Result, len(keys))
	for i, k := range keys {
		rows[i] = keyRow(k, false)
	}
	return s.PrintView(rows, keyColumns, show.View{})
}

func (s *Session) keys(ctx context.Context, c *argparse.Call) (keys []*craton.UserKey, err error) {
	err = s.whose(ctx, c, func(user int) error {
		keys, err = s.Client.Users.Keys(ctx, user)
		return err
	})
	return keys, err
}

// keyRow returns a key as a document, with or without its secret.
func keyRow(k *craton.UserKey, secret bool) gjson.Result {
	doc := map[string]any{keyID: k.ID, "name": k.Name, "role": nil, keyCreated: k.CreatedAt, "expires_at": k.ExpiresAt, "used_at": k.UsedAt, "current": k.Current}
	if k.Role != "" {
		doc["role"] = k.Role
	}
	if secret {
		doc["key"] = k.Key
	}
	return gjson.ParseBytes(jsonOf(doc))
}

func createKey(ctx context.Context, s *Session, c *argparse.Call) (err error) {
	key := craton.UserKeyCreate{Name: c.Words[0], Role: craton.Role(c.Text(roleOption))}
	if c.Given(expiresOption) {
		if key.ExpiresAt, err = when.ParseFuture(c.Text(expiresOption), time.Now()); err != nil {
			return argparse.Misused("%s", "argument --"+expiresOption+": "+err.Error())
		}
	}
	var made *craton.UserKey
	err = s.whose(ctx, c, func(user int) error {
		made, err = s.Client.Users.CreateKey(ctx, user, key)
		return err
	})
	if err != nil {
		return err
	}
	return s.PrintObject(keyRow(made, true))
}

func deleteKey(ctx context.Context, s *Session, c *argparse.Call) error {
	word := c.Words[0]
	keys, err := s.keys(ctx, c)
	if err != nil {
		return err
	}
	var key *craton.UserKey
	for _, k := range keys { // a number is an id if a key has it
		if strconv.Itoa(k.ID) == word || k.Name == word && key == nil {
			key = k
		}
	}
	if key == nil {
		return run.CommandError("The user has no key %q.", word)
	}
	if key.Current && !c.Given("yes") {
		if err := Consent(s.Streams, fmt.Sprintf("This command signs in with the key %q.", key.Name)); err != nil {
			return err
		}
	}
	if err := s.whose(ctx, c, func(user int) error { return s.Client.Users.DeleteKey(ctx, user, key.ID) }); err != nil {
		return err
	}
	s.Say("Key %s was successfully deleted.", key.Name)
	return nil
}
