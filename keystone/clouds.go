package keystone

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/nearest"
)

// LoadCloud reads the cloud with a name from the first existing clouds.yaml, as openstackclient does:
//
//   - the file that OS_CLIENT_CONFIG_FILE names, else clouds.yaml (or .yml, .json) in the working directory, in openstack
//     of the user's configuration folder ($XDG_CONFIG_HOME, or ~/.config), in /etc/xdg/openstack or in /etc/openstack;
//   - over it what secure.yaml says of the cloud: the file that OS_CLIENT_SECURE_FILE names, else the one beside
//     clouds.yaml, else one of the other places;
//   - below it, if the cloud has a profile, that of clouds-public.yaml.
//
// For a cloud with regions, the given one is used, or the first if none is given. A key below auth that belongs to no
// way of signing in is an error; other unknown keys are ignored.
//
// gophercloud's clouds.Parse is not used: it drops auth_type and the certificate files, which the service needs as
// well, panics for a cloud without auth, and needs a second YAML library.
func LoadCloud(name, region string) (Config, error) {
	return defaultPlaces(os.Getenv).load(name, wanted{region: region})
}

// LoadCloudInRegion is like [LoadCloud], for a region from a setting that may be meant for something else, such as an
// environment variable: it is used if the cloud has no region, or to select one of the cloud's. If the cloud has
// another one, that is an error, as in openstackclient. from names the source of the region for that error, such as
// "environment OS_REGION_NAME".
func LoadCloudInRegion(name, region, from string) (Config, error) {
	return defaultPlaces(os.Getenv).load(name, wanted{region, from})
}

// wanted is the requested region.
type wanted struct {
	region string // "" is any
	from   string // its source if it may be meant for something else; "" if it is meant for the cloud
}

// places are the possible files, in the order in which they are searched.
type places struct {
	named   string // an explicit clouds.yaml, which must exist
	secure  string // an explicit secure.yaml
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

// find returns the first existing file with a name, or "".
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

func (p places) load(name string, want wanted) (Config, error) {
	path, err := p.named, error(nil)
	if path == "" {
		if path, err = p.find("clouds"); err != nil {
			return Config{}, err
		}
	}
	if path == "" {
		return Config{}, advice.With(fmt.Errorf("keystone: cloud %q is unknown, because there is no clouds.yaml in %s", name, strings.Join(p.folders, ", ")), "set OS_CLIENT_CONFIG_FILE if it is elsewhere")
	}
	clouds, err := readClouds(path, "clouds")
	if err != nil {
		return Config{}, err
	}
	cloud := clouds[name]
	if cloud == nil {
		return Config{}, advice.With(fmt.Errorf("keystone: %s has no cloud %q", path, name), fmt.Sprintf("it has %s", listOf(clouds)))
	}
	if cloud.Kind != yaml.MappingNode {
		return Config{}, fmt.Errorf("keystone: %s:%d: cloud %q must be a mapping", path, cloud.Line, name)
	}
	layers := []layer{{cloud, path}}

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
			layers = append(layers, layer{secrets[name], secure})
		}
	}
	of := members(cloud)
	if profile := cmp.Or(word(of["profile"]), word(of["cloud"])); profile != "" {
		public, file, err := p.profile(profile)
		if err != nil {
			return Config{}, err
		}
		if public != nil {
			layers = slices.Insert(layers, 0, layer{public, file})
		}
	}

	var c overlay
	for _, l := range layers {
		if l.node == cloud && of["region_name"] != nil { // which overrides the regions of a profile
			c.regions = nil
		}
		if err := c.add(l.node, l.file); err != nil {
			return Config{}, fmt.Errorf("keystone: cloud %q of %w", name, err)
		}
	}
	if err := c.checkKeys(); err != nil {
		return Config{}, fmt.Errorf("keystone: cloud %q of %w", name, err)
	}
	if err := c.region(want); err != nil {
		return Config{}, fmt.Errorf("keystone: cloud %q of %s %w", name, path, err)
	}
	if err := c.checkKeys(); err != nil { // of the region
		return Config{}, fmt.Errorf("keystone: cloud %q of %w", name, err)
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

// profile returns what clouds-public.yaml has for a provider, and that file; nil if nothing.
func (p places) profile(name string) (*yaml.Node, string, error) {
	path, err := p.find("clouds-public")
	if err != nil || path == "" {
		return nil, "", err
	}
	public, err := readClouds(path, "public-clouds")
	return public[name], path, err
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

// members returns the pairs of a mapping, including merged ones (<<); for anything else there are none.
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

// target returns the node to which an alias refers.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// word returns the text of a scalar, and "" for anything else.
func word(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return ""
	}
	return n.Value
}

// words returns a text, or several joined by commas: the interfaces of a cloud may be a list.
func words(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.SequenceNode {
		return word(n)
	}
	var all []string
	for _, item := range n.Content {
		all = append(all, word(item))
	}
	return strings.Join(all, ",")
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

// layer is what one file has for a cloud.
type layer struct {
	node *yaml.Node
	file string
}

// overlay combines the layers of a cloud.
type overlay struct {
	config  Config
	regions *yaml.Node
	file    string       // of the last layer
	unknown []unknownKey // below auth
}

// unknownKey is an unknown key below auth.
type unknownKey struct {
	file string
	line int
	name string
}

// former are older names of keys.
var former = map[string]string{
	"tenant_id": "project_id", "tenant_name": "project_name", "user_name": "username", "endpoint_type": "interface",
	"auth_plugin": "auth_type", "default_domain_id": "default_domain", "auth_token": "token",
}

// foreignKeys are the keys below auth for keystoneauth's ways of signing in that a Config does not have: they are for
// other ways, or not used here.
var foreignKeys = []string{
	"access_key", "access_secret", "access_token", "access_token_endpoint", "access_token_type", "auth_methods", "authorization_code",
	"client_id", "client_secret", "code", "code_challenge_method", "consumer_key", "consumer_secret", "default_domain_name",
	"device_authorization_endpoint", "discovery_endpoint", "identity_provider", "identity_provider_url", "idp_otp_key", "login_timeout",
	"mutual_auth", "oauth2_client_id", "oauth2_client_secret", "oauth2_endpoint", "openid_scope", "passcode", "protocol", "redirect_host",
	"redirect_port", "redirect_uri", "scope", "service_provider_endpoint", "service_provider_entity_id", "url",
}

// authKeys are all keys that are allowed below auth.
var authKeys = sync.OnceValue(func() (known []string) {
	known = slices.Clone(foreignKeys)
	for older := range former {
		known = append(known, older)
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		if name := field.Tag.Get("yaml"); name != "-" {
			known = append(known, name)
		}
	}
	slices.Sort(known)
	return known
})

// add overlays a cloud: its own keys, because old files have credentials there, then those of auth.
func (o *overlay) add(cloud *yaml.Node, file string) error {
	of := members(cloud)
	if of["regions"] != nil {
		o.regions = of["regions"]
	}
	o.file = file
	services := map[string]string{}
	for key, value := range of {
		services[strings.ReplaceAll(key, "-", "_")] = words(value)
	}
	o.config.ofServices(services)
	if err := o.keys(of); err != nil || of["auth"] == nil {
		return o.in(err)
	}
	auth := members(of["auth"])
	for key, value := range auth {
		if !slices.Contains(authKeys(), strings.ReplaceAll(key, "-", "_")) {
			o.unknown = append(o.unknown, unknownKey{file, value.Line, key})
		}
	}
	return o.in(o.keys(auth))
}

func (o *overlay) in(err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", o.file, err)
	}
	return nil
}

// checkKeys returns an error for unknown keys below auth. An unsupported way of signing in, which may have other keys,
// is an error anyway.
func (o *overlay) checkKeys() error {
	if _, err := o.config.method(); err != nil && !o.config.StandsAlone() || len(o.unknown) == 0 {
		return nil
	}
	first := slices.MinFunc(o.unknown, func(a, b unknownKey) int {
		return cmp.Or(strings.Compare(a.file, b.file), a.line-b.line, strings.Compare(a.name, b.name))
	})
	name := strings.ReplaceAll(first.name, "-", "_")
	known := authKeys()
	if nearest.Word(name, known) == "" { // listing those with a meaning here is enough
		known = slices.DeleteFunc(slices.Clone(known), func(key string) bool { return former[key] != "" || slices.Contains(foreignKeys, key) })
	}
	return advice.With(fmt.Errorf("%s:%d: auth has the unknown key %q", first.file, first.line, first.name), nearest.Hint(name, known))
}

// keys overlays the keys that a Config has.
func (o *overlay) keys(of map[string]*yaml.Node) error {
	known := &yaml.Node{Kind: yaml.MappingNode}
	for key, value := range of {
		name := strings.ReplaceAll(key, "-", "_")
		if isServiceKey(name) {
			continue
		}
		if name == "region_name" && o.splitRegions(value) {
			continue
		}
		if now := former[name]; now != "" && of[now] == nil {
			name = now
		}
		if name == "interface" {
			value = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: words(value)}
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
		o.config.Insecure = isOff(verify)
	}
	if insecure := word(of["insecure"]); insecure != "" {
		o.config.Insecure = !isOff(insecure)
	}
	return nil
}

// splitRegions converts a region_name with a list, in YAML or separated by commas as in older files, to regions.
func (o *overlay) splitRegions(value *yaml.Node) bool {
	if value.Kind == yaml.ScalarNode && strings.Contains(value.Value, ",") {
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for name := range strings.SplitSeq(value.Value, ",") {
			list.Content = append(list.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: strings.TrimSpace(name)})
		}
		value = list
	}
	if value.Kind != yaml.SequenceNode {
		return false
	}
	if o.regions == nil {
		o.regions = value
	}
	return true
}

// region overlays the values of the region.
func (o *overlay) region(want wanted) error {
	own := o.config.Region
	if want.region == "" {
		want.from = "" // which names none
	} else {
		o.config.Region = want.region
	}
	if o.regions == nil || o.regions.Kind != yaml.SequenceNode || len(o.regions.Content) == 0 {
		if want.from != "" && own != "" && own != want.region {
			return want.notFound(own)
		}
		return nil
	}
	var names []string
	for _, n := range o.regions.Content {
		n = target(n)
		of := n.Value
		if n.Kind == yaml.MappingNode {
			of = word(members(n)["name"])
		}
		names = append(names, of)
		if o.config.Region != "" && o.config.Region != of {
			continue
		}
		if values := members(n)["values"]; values != nil {
			if err := o.add(values, o.file); err != nil {
				return err
			}
		}
		o.config.Region = of
		return nil
	}
	if want.from != "" {
		return want.notFound(names...)
	}
	return advice.With(fmt.Errorf("has no region %q", o.config.Region), fmt.Sprintf("it has %s", strings.Join(names, ", ")))
}

// notFound returns the error for a region that a cloud does not have, in openstackclient's words.
func (w wanted) notFound(valid ...string) error {
	return advice.With(fmt.Errorf("is in another region: %s, which %s names, is not a valid region name for it. Valid choices are %s, and they are case sensitive", w.region, w.from, strings.Join(valid, ", ")), "unset the one, or say which is meant with --os-region-name or the option os_region_name")
}

// isOff reports whether verify is off, read as openstacksdk does, since it may be text.
func isOff(s string) bool {
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
