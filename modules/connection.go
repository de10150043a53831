package modules

import (
	"context"
	"errors"

	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/modules/ansible"
	"github.com/craton-fleet/craton/modules/internal/options"
)

// fragmentName is the doc fragment with the connection options.
const fragmentName = "craton.fleet.connection"

// connection returns the fragment that every module includes: the settings for the location of the fleet.
func connection() *ansible.Fragment {
	return &ansible.Fragment{Name: fragmentName, Options: options.Of(settings.Connection), Notes: []string{
		"Settings that neither an option nor an environment variable sets are read from the configuration file on the machine that runs the module: the file in E(CRATON_CONFIG), or else C(~/.config/craton/config.yml), or else C(/etc/craton/config.yml).",
		"With C(url: sqlite:PATH) the fleet is a SQLite file on the machine that runs the module, and no server or credentials are needed. All tasks for one file must run on one machine, so use C(delegate_to) or C(connection: local).",
		"With O(auth_url) or O(os_cloud), or their environment variables, users and projects are those of Keystone. The module caches tokens for other tasks in C(~/.cache/craton/tokens) of the user that runs the module; see O(no_token_cache).",
		"Set the connection once for all modules with C(module_defaults) and the group C(craton.fleet.craton).",
	}}
}

// connectionSettings returns the task's connection options over its environment, the configuration file and the
// defaults.
func connectionSettings(p ansible.Params) (*settings.Values, error) {
	v, err := options.Settings(p, settings.Connection)
	if err != nil {
		return nil, err
	}
	if v.String("url") == "" && !connect.UsesKeystone(v) {
		return nil, errors.New("no fleet is configured: set the option url, or CRATON_URL in the task's environment, to the URL of a Craton API such as http://craton.example:7780, or to sqlite:PATH; or for Keystone os_cloud or auth_url")
	}
	return v, nil
}

// open connects a task to its fleet. done closes the connection.
//
// A task that may create something creates a missing SQLite file; in check mode it predicts that.
func open(ctx context.Context, task *ansible.Task, creates bool) (fl *reconcile.Fleet, done func() error, err error) {
	v, err := connectionSettings(task.Params)
	if err != nil {
		return nil, nil, err
	}
	mode := connect.ReadOnly
	switch {
	case creates && task.CheckMode:
		mode = connect.Predict
	case creates:
		mode = connect.Create
	}
	connection, err := connect.Open(ctx, v, mode)
	if err != nil {
		return nil, nil, err
	}
	project, err := connection.Project(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, connection.Close())
	}
	return &reconcile.Fleet{Client: connection.Client, Project: project}, connection.Close, nil
}
