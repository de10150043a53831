package keystone

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// LoadCloud reads the cloud of that name from the first clouds.yaml that there is, as openstackclient does:
//
//   - the file that OS_CLIENT_CONFIG_FILE names, else clouds.yaml (or .yml, .json) in the working directory, in openstack
//     of the user's configuration folder ($XDG_CONFIG_HOME, or ~/.config), in /etc/xdg/openstack or in /etc/openstack;
//   - over it what secure.yaml says of the cloud: the file that OS_CLIENT_SECURE_FILE names, else the one beside
//     clouds.yaml, else one of the other places;
//   - below it, if the cloud has a profile, that of clouds-public.yaml.
//
// Of a cloud with regions the named one counts, or the first if none is named. What a Config does not know is ignored.
//
// gophercloud's clouds.Parse is not used: it drops auth_type and the files of certificates, which the service needs
// as well, panics on a cloud without auth, and brings a second YAML library.
func LoadCloud(name, region string) (Config, error) {
	return defaultPlaces(os.Getenv).load(name, region)
}

// places are the files that may be there, in the order in which they are looked for.
type places struct {
	named   string // clouds.yaml that was asked for, so it must be there
	secure  string // secure.yaml that was asked for
	folders []string
}

func defaultPlaces(env func(string) string) places {
	p := places{named: env("OS_CLIENT_CONFIG_FILE"), secure: env("OS_CLIENT_SECURE_FILE"), folders: []string{"."}}
	user := env("XDG_CONFIG_HOME")
	if user == "" {
		if home, err := os.UserHomeDir(); err == nil {
			user = filepath.Join(home, ".config")
		}
	}
	if user != "" {
		p.folders = append(p.folders, filepath.Join(user, "openstack"))
	}
	p.folders = append(p.folders, "/etc/xdg/openstack", "/etc/openstack")
	return p
}

// find is the first file of that name, or "".
func (p places) find(name string, first ...string) (string, error) {
	for _, folder := range append(first, p.folders...) {
		for _, ending := range []string{".yaml", ".yml", ".json"} {
			path := filepath.Join(folder, name+ending)
			if _, err := os.Stat(path); err == nil {
				return path, nil
			} else if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
				return "", fmt.Errorf("keystone: %w", err)
			}
		}
	}
	return "", nil
}

func (p places) load(name, region string) (Config, error) {
	path, err := p.named, error(nil)
	if path == "" {
		if path, err = p.find("clouds"); err != nil {
			return Config{}, err
		}
	}
	if path == "" {
		return Config{}, fmt.Errorf("keystone: cloud %q is not known, for there is no clouds.yaml in %s; OS_CLIENT_CONFIG_FILE may name one elsewhere",
			name, strings.Join(p.folders, ", "))
	}
	clouds, err := readClouds(path, "clouds")
	if err != nil {
		return Config{}, err
	}
	cloud := clouds[name]
	if cloud == nil {
		return Config{}, fmt.Errorf("keystone: %s has no cloud %q; it has %s", path, name, listOf(clouds))
	}
	if cloud.Kind != yaml.MappingNode {
		return Config{}, fmt.Errorf("keystone: %s:%d: cloud %q must be a mapping", path, cloud.Line, name)
	}
	layers := []*yaml.Node{cloud}

	secure := p.secure
	if secure == "" {
		if secure, err = p.find("secure", filepath.Dir(path)); err != nil {
			return Config{}, err
		}
	}
	if secure != "" {
		secrets, err := readClouds(secure, "clouds")
		if err != nil {
			return Config{}, err
		}
		if secrets[name] != nil {
			layers = append(layers, secrets[name])
		}
	}
	of := members(cloud)
	if profile := cmp.Or(word(of["profile"]), word(of["cloud"])); profile != "" {
		public, err := p.profile(profile)
		if err != nil {
			return Config{}, err
		}
		if public != nil {
			layers = slices.Insert(layers, 0, public)
		}
	}

	var c overlay
	for _, layer := range layers {
		if err := c.add(layer); err != nil {
			return Config{}, fmt.Errorf("keystone: cloud %q of %s: %w", name, path, err)
		}
	}
	if err := c.region(region); err != nil {
		return Config{}, fmt.Errorf("keystone: cloud %q of %s %w", name, path, err)
	}
	if c.config.AuthType == "None" { // as openstacksdk reads it
		c.config.AuthType = None
	}
	if c.config.AuthURL == "" && !c.config.StandsAlone() {
		if _, err := c.config.method(); err != nil {
			return Config{}, fmt.Errorf("%w, and %s and %s for Ironic alone (cloud %q of %s)", err, None, HTTPBasic, name, path)
		}
		return Config{}, fmt.Errorf("keystone: cloud %q of %s has no auth.auth_url, and no profile of a clouds-public.yaml that has one", name, path)
	}
	return c.config, nil
}

// profile is what clouds-public.yaml says of a provider; nil if it says nothing.
func (p places) profile(name string) (*yaml.Node, error) {
	path, err := p.find("clouds-public")
	if err != nil || path == "" {
		return nil, err
	}
	public, err := readClouds(path, "public-clouds")
	return public[name], err
}

// readClouds reads the clouds of a file.
func readClouds(path, key string) (map[string]*yaml.Node, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("keystone: %w", err)
	}
	var file map[string]yaml.Node
	if err := yaml.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("keystone: %s: %w", path, err)
	}
	top := file[key]
	return members(&top), nil
}

// members are the pairs of a mapping, merged ones (<<) included; of anything else there are none.
func members(n *yaml.Node) map[string]*yaml.Node {
	found := map[string]*yaml.Node{}
	var merged []*yaml.Node
	n = target(n)
	if n.Kind != yaml.MappingNode {
		return found
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], target(n.Content[i+1])
		switch {
		case key.Tag != "!!merge":
			found[key.Value] = value
		case value.Kind == yaml.SequenceNode:
			merged = append(merged, value.Content...)
		default:
			merged = append(merged, value)
		}
	}
	for _, m := range merged { // the first counts
		m = target(m)
		for i := 0; i+1 < len(m.Content) && m.Kind == yaml.MappingNode; i += 2 {
			if key := m.Content[i].Value; found[key] == nil {
				found[key] = target(m.Content[i+1])
			}
		}
	}
	return found
}

// target is what an alias stands for.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// word is the text of a scalar, and "" of everything else.
func word(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return ""
	}
	return n.Value
}

func listOf(clouds map[string]*yaml.Node) string {
	names := make([]string, 0, len(clouds))
	for name := range clouds {
		names = append(names, name)
	}
	if len(names) == 0 {
		return "none"
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// overlay puts layers of a cloud above each other.
type overlay struct {
	config  Config
	regions *yaml.Node
}

// former are older names of keys.
var former = map[string]string{
	"tenant_id": "project_id", "tenant_name": "project_name", "user_name": "username", "endpoint_type": "interface",
	"auth_plugin": "auth_type", "default_domain_id": "default_domain",
}

// add lays a cloud over what there is: its own keys, since old files have credentials there, then those of auth.
func (o *overlay) add(cloud *yaml.Node) error {
	of := members(cloud)
	if of["regions"] != nil {
		o.regions = of["regions"]
	}
	if err := o.keys(of); err != nil || of["auth"] == nil {
		return err
	}
	return o.keys(members(of["auth"]))
}

// keys lays the keys that a Config knows over it.
func (o *overlay) keys(of map[string]*yaml.Node) error {
	known := &yaml.Node{Kind: yaml.MappingNode}
	for key, value := range of {
		name := strings.ReplaceAll(key, "-", "_")
		if service, ok := strings.CutSuffix(name, "_endpoint_override"); ok && word(value) != "" {
			if o.config.Endpoints == nil {
				o.config.Endpoints = map[string]string{}
			}
			o.config.Endpoints[service] = word(value)
			continue
		}
		if now := former[name]; now != "" && of[now] == nil {
			name = now
		}
		if word(value) != "" {
			known.Content = append(known.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: name}, value)
		}
	}
	if err := known.Decode(&o.config); err != nil {
		return err
	}
	for _, path := range []*string{&o.config.CACert, &o.config.Cert, &o.config.Key} {
		*path = expandHome(*path)
	}
	if verify := word(of["verify"]); verify != "" {
		o.config.Insecure = falsy(verify)
	}
	if insecure := word(of["insecure"]); insecure != "" {
		o.config.Insecure = !falsy(insecure)
	}
	return nil
}

// region lays the values of the region over the others.
func (o *overlay) region(name string) error {
	if name != "" {
		o.config.Region = name
	}
	if o.regions == nil || o.regions.Kind != yaml.SequenceNode || len(o.regions.Content) == 0 {
		return nil
	}
	var names []string
	for _, n := range o.regions.Content {
		of := n.Value
		if n.Kind == yaml.MappingNode {
			of = word(members(n)["name"])
		}
		names = append(names, of)
		if o.config.Region != "" && o.config.Region != of {
			continue
		}
		if values := members(n)["values"]; values != nil {
			if err := o.add(values); err != nil {
				return err
			}
		}
		o.config.Region = of
		return nil
	}
	return fmt.Errorf("has no region %q; it has %s", o.config.Region, strings.Join(names, ", "))
}

// falsy is how openstacksdk reads verify, which may be text.
func falsy(s string) bool {
	switch strings.ToLower(s) {
	case "false", "no", "off", "0", "n", "f":
		return true
	}
	return false
}

// expandHome expands a leading ~/.
func expandHome(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	return path
}
