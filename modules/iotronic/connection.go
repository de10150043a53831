package iotronic

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/settings"
	api "github.com/craton-fleet/craton/iotronic"
	"github.com/craton-fleet/craton/modules/ansible"
	"github.com/craton-fleet/craton/modules/internal/options"
)

// fragmentName is the doc fragment of the connection options.
const fragmentName = "craton.fleet.iotronic"

// sections are the settings for the location of the API and for credentials.
var sections = []settings.Section{settings.SignIn, settings.Iotronic}

// connection is the documentation fragment that every module includes.
func connection() *ansible.Fragment {
	return &ansible.Fragment{Name: fragmentName, Options: options.Of(sections...), Notes: []string{
		"Credentials are the first of these that is set: O(cloud); O(url) with O(token), which is used as it is; credentials for Keystone, with O(os_cloud) or O(auth_url); none, for a standalone Ironic, or O(username) and O(password) with O(auth_type=http_basic). Users of Craton itself do not work here.",
		"Settings that neither an option nor an environment variable sets are read from the configuration file on the machine that runs the module: the file in E(CRATON_CONFIG), or else C(~/.config/craton/config.yml), or else C(/etc/craton/config.yml). There the settings of Ironic and Iotronic are in the mapping C(iotronic).",
		"Tokens of Keystone are cached for other tasks in C(~/.cache/craton/tokens) of the user that the module runs as; see O(no_token_cache).",
		"To set the connection once for all of these modules, use C(module_defaults) with the group C(craton.fleet.iotronic). Settings that are the same for Craton, such as O(os_cloud), can be set for both with the group C(craton.fleet.all).",
	}}
}

// service is the API from the perspective of a task.
type service struct {
	client  *api.Client
	dialect api.Dialect
	again   bool // failed requests, such as those about a locked node, are retried
}

// open connects a task to the API, which must support the objects of the module.
func open(ctx context.Context, task *ansible.Task, plural string) (*service, error) {
	v, err := options.Settings(task.Params, sections...)
	if err != nil {
		return nil, err
	}
	client, err := connect.Iotronic(v)
	switch {
	case errors.Is(err, connect.ErrNoIotronic):
		return nil, fmt.Errorf("%w: set the option url, or CRATON_IOTRONIC_URL in the task's environment, to the URL of its API, such as http://ironic.example:6385; or for Keystone os_cloud or auth_url", connect.ErrNoIotronic)
	case err != nil:
		return nil, err
	}
	s := &service{client: client, again: v.Int("iotronic.max_retries") > 0}
	if s.dialect, err = client.Dialect(ctx); err != nil {
		client.CloseIdleConnections()
		return nil, err
	}
	if err := s.has(ctx, plural); err != nil {
		client.CloseIdleConnections()
		return nil, err
	}
	return s, nil
}

// has returns an error if the dialect has no such objects; the error names the dialects that do.
func (s *service) has(ctx context.Context, plural string) error {
	var there, use []string
	for _, k := range kinds {
		if slices.Contains(k.dialects, s.dialect) {
			there = append(there, k.plural)
			for _, name := range append(k.writers(), k.infoName()) {
				use = append(use, fullName(name))
			}
		}
	}
	if slices.Contains(there, plural) {
		return nil
	}
	url, err := s.client.URL(ctx)
	if err != nil {
		return err
	}
	return fmt.Errorf("%s speaks %s, which has %s and no %s; use %s",
		url, s.dialect, listed(there), plural, strings.Join(use, " or "))
}

// listed joins words with commas, and "and" before the last.
func listed(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// fullName returns the name of a module in a playbook.
func fullName(name string) string { return "craton.fleet." + name }
