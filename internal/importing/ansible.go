package importing

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/value"
)

// Tool is the user's Ansible: it runs in the working directory, with the environment and ansible.cfg.
type Tool struct {
	// Inventory is the path of ansible-inventory.
	Inventory string
	// Env is added to the environment, and overrides it. Variables whose names begin with one of Without are removed
	// before.
	Env     []string
	Without []string
	// Shown are pairs: a replacement, such as a temporary file, and the user's own name for it, which is used in
	// errors.
	Shown []string
}

// FindTool finds ansible-inventory: at a path, or in PATH.
func FindTool(path string) (*Tool, error) {
	if path == "" {
		path = "ansible-inventory"
	}
	found, err := exec.LookPath(path)
	if err != nil {
		return nil, fmt.Errorf("%s was not found (%w); import uses Ansible to read the inventory: install ansible-core, or set its location with --ansible-inventory PATH", path, errors.Unwrap(err))
	}
	if found, err = filepath.Abs(found); err != nil {
		return nil, err
	}
	return &Tool{Inventory: found}, nil
}

// Sources are the inventory sources given to Ansible.
type Sources struct {
	Inventory   []string // as passed to -i
	PlaybookDir string   // a directory whose group_vars and host_vars apply too; "" is the working directory
}

func (s Sources) arguments() []string {
	var args []string
	for _, i := range s.Inventory {
		args = append(args, "-i", i)
	}
	if s.PlaybookDir != "" {
		args = append(args, "--playbook-dir", s.PlaybookDir)
	}
	return args
}

// dirs returns the directories in which Ansible searches for group_vars and host_vars.
func (s Sources) dirs() (dirs []string) {
	add := func(dir string) {
		if abs, err := filepath.Abs(dir); err == nil && !slices.Contains(dirs, abs) {
			dirs = append(dirs, abs)
		}
	}
	for _, i := range s.Inventory {
		info, err := os.Stat(i)
		switch {
		case err != nil: // a list of hosts
		case info.IsDir():
			add(i)
		default:
			add(filepath.Dir(i))
		}
	}
	add(cmp.Or(s.PlaybookDir, ".")) // Ansible searches there too
	return dirs
}

// unreadable lists possible reasons why Ansible fails, which not every release prints: missing inventories, files of
// variables that are not YAML and, if it cannot decrypt one, encrypted files; "" if there are none.
func (s Sources) unreadable(said string) string {
	missing := slices.DeleteFunc(slices.Clone(s.Inventory), func(i string) bool {
		_, err := os.Stat(i)
		return strings.Contains(i, ",") || !errors.Is(err, fs.ErrNotExist)
	})
	if len(missing) > 0 {
		return "inventory not found: " + advice.Enumerate(missing, 5)
	}
	var bad, encrypted []string
	for _, dir := range s.dirs() {
		for _, name := range []string{"group_vars", "host_vars"} {
			_ = filepath.WalkDir(filepath.Join(dir, name), func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() || !slices.Contains(variableEnds, filepath.Ext(path)) {
					return nil //nolint:nilerr // what cannot be read is Ansible's error
				}
				text, err := os.ReadFile(path)
				if err != nil {
					return nil //nolint:nilerr // likewise
				}
				var top yaml.Node
				if bytes.HasPrefix(text, []byte(vaultHeader)) {
					encrypted = append(encrypted, path)
				} else if err := yaml.Unmarshal(text, &top); err != nil {
					bad = append(bad, fmt.Sprintf("%s (%v)", path, err))
				}
				return nil
			})
		}
	}
	switch {
	case bad != nil:
		return "these files are not YAML: " + advice.Enumerate(bad, 3)
	case encrypted != nil && strings.Contains(said, "Decryption failed"):
		return "these files are encrypted: " + advice.Enumerate(encrypted, 5)
	}
	return ""
}

// variableEnds are the extensions of files of variables.
var variableEnds = []string{"", ".yml", ".yaml", ".json"}

// run runs an Ansible command to its end. Its standard error is part of the error.
func (t *Tool) run(ctx context.Context, name string, args ...string) ([]byte, string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(filepath.Dir(t.Inventory), name), args...)
	if name == "" {
		cmd = exec.CommandContext(ctx, t.Inventory, args...)
	}
	// Cached facts would become variables of hosts; an inventory that cannot be parsed must be an error; and no
	// colours.
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return slices.ContainsFunc(t.Without, func(prefix string) bool { return strings.HasPrefix(v, prefix) })
	})
	cmd.Env = append(env, "ANSIBLE_CACHE_PLUGIN=memory", "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED=true", "ANSIBLE_NOCOLOR=1", "ANSIBLE_FORCE_COLOR=0")
	cmd.Env = append(cmd.Env, t.Env...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, "", context.Cause(ctx)
		}
		return nil, "", fmt.Errorf("%s %s failed: %w\n%s", filepath.Base(cmd.Path), t.shown(strings.Join(args, " ")), err, lastLines(t.shown(said.String())))
	}
	return out.Bytes(), said.String(), nil
}

// shown returns a text with the user's own names. Older releases break lines anywhere within a long path.
func (t *Tool) shown(text string) string {
	for pair := range slices.Chunk(t.Shown, 2) {
		anywhere := regexp.QuoteMeta(pair[0][:1])
		for _, c := range pair[0][1:] {
			anywhere += "\n?" + regexp.QuoteMeta(string(c))
		}
		if broken, err := regexp.Compile(anywhere); err == nil {
			text = broken.ReplaceAllLiteralString(text, pair[1])
		}
	}
	return text
}

// lastLines returns the lines of a command's output that explain its failure: each plugin that tried to read an
// inventory says why it could not, and the right one is not the last.
func lastLines(text string) string {
	const most = 30
	lines := slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return strings.TrimSpace(line) == "" })
	return strings.Join(lines[max(len(lines)-most, 0):], "\n")
}

// List returns what ansible-inventory --list prints.
func (t *Tool) List(ctx context.Context, s Sources, options ...string) ([]byte, error) {
	text, _, err := t.run(ctx, "", append(s.arguments(), append([]string{"--list"}, options...)...)...)
	return text, err
}

// Configured returns the inventories that Ansible reads by default: those of ansible.cfg or ANSIBLE_INVENTORY, or its
// own default. from says which of them it is.
func (t *Tool) Configured(ctx context.Context) (inventory []string, from string, err error) {
	text, _, err := t.run(ctx, "ansible-config", "dump", "--format", "json")
	if err != nil {
		return nil, "", err
	}
	var all []struct { // some releases print other lines in between
		Name, Origin string
		Value        json.RawMessage
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, "", fmt.Errorf("the output of ansible-config dump is not JSON: %w", err)
	}
	for _, c := range all {
		if c.Name == "DEFAULT_HOST_LIST" {
			if err := json.Unmarshal(c.Value, &inventory); err != nil {
				return nil, "", fmt.Errorf("the output of ansible-config dump has no list of inventories: %w", err)
			}
			return inventory, strings.TrimPrefix(c.Origin, "env: "), nil
		}
	}
	return nil, "", nil
}

// Host returns what ansible-inventory --host prints.
func (t *Tool) Host(ctx context.Context, s Sources, host string) ([]byte, error) {
	text, _, err := t.run(ctx, "", append(s.arguments(), "--host="+host)...)
	return text, err
}

// Release returns the version of ansible-core; "?" if it is not printed.
func (t *Tool) Release(ctx context.Context) string {
	text, _, err := t.run(ctx, "", "--version")
	if m := release().FindSubmatch(text); err == nil && m != nil {
		return string(m[1])
	}
	return "?"
}

var release = value.LazyPattern(`\[core ([^\]]+)\]`)

// Read reads an inventory with Ansible, and searches the files of variables for encrypted ones.
func Read(ctx context.Context, t *Tool, s Sources, inert func(string) bool) (*Inventory, error) {
	list, err := t.List(ctx, s)
	if err != nil {
		return nil, advice.With(err, s.unreadable(err.Error()))
	}
	export, err := t.List(ctx, s, "--export")
	if err != nil {
		return nil, err
	}
	v, err := newInventory(list, export, inert, func() (list, export []byte, err error) {
		if list, err = t.List(ctx, s, "--yaml"); err == nil {
			export, err = t.List(ctx, s, "--yaml", "--export")
		}
		return list, export, err
	})
	if err != nil {
		return nil, err
	}
	v.Encrypted, err = t.encrypted(ctx, s, v)
	return v, err
}

// vaultHeader begins a completely encrypted file.
const vaultHeader = "$ANSIBLE_VAULT;"

// encrypted finds completely encrypted files of variables where Ansible searches for them.
func (t *Tool) encrypted(ctx context.Context, s Sources, v *Inventory) ([]EncryptedFile, error) {
	for _, i := range s.Inventory {
		if info, err := os.Stat(i); err != nil || info.IsDir() {
			continue
		}
		if head, err := os.ReadFile(i); err == nil && bytes.HasPrefix(head, []byte(vaultHeader)) {
			return nil, fmt.Errorf("the entire inventory file %s is encrypted, and its contents would be written in clear; decrypt it, or move its secrets into encrypted files of group_vars", i)
		}
	}
	var all []EncryptedFile
	for _, dir := range s.dirs() {
		for _, name := range slices.Sorted(maps.Keys(v.Groups)) {
			for _, path := range variableFiles(filepath.Join(dir, "group_vars"), name) {
				all = append(all, EncryptedFile{Path: path, Group: name})
			}
		}
		for _, name := range v.Hosts {
			for _, path := range variableFiles(filepath.Join(dir, "host_vars"), name) {
				all = append(all, EncryptedFile{Path: path, Host: name})
			}
		}
	}
	var found []EncryptedFile
	for _, f := range all {
		text, err := os.ReadFile(f.Path)
		if err != nil {
			continue // Ansible reports files that cannot be read
		}
		f.Text = text
		if !bytes.HasPrefix(text, []byte(vaultHeader)) {
			if f.Keys = sopsKeys(text); f.Keys != nil {
				f.SOPS = sopsEnd(f.Path)
				found = append(found, f)
			}
			continue
		}
		clear, _, err := t.run(ctx, "ansible-vault", "view", f.Path)
		if err != nil {
			return nil, err
		}
		var vars map[string]yaml.Node
		if err := yaml.Unmarshal(clear, &vars); err != nil { // the error may quote secrets
			return nil, fmt.Errorf("the encrypted file %s does not contain a mapping of variables that can be read here", f.Path)
		}
		f.Keys = slices.Sorted(maps.Keys(vars))
		found = append(found, f)
	}
	return found, nil
}

// sopsEnds are the endings of files that the SOPS vars plugin (community.sops.sops) decrypts.
var sopsEnds = []string{".sops.yml", ".sops.yaml", ".sops.json"}

// sopsValue begins every value that SOPS has encrypted.
const sopsValue = "ENC[AES256_GCM,"

func sopsEnd(path string) string {
	for _, end := range sopsEnds {
		if strings.HasSuffix(path, end) {
			return end
		}
	}
	return ""
}

// sopsKeys returns the encrypted variables of a SOPS file; nil if it is not one. Their names are not encrypted. A
// plugin decrypts the file, so Ansible shows their values like any others.
func sopsKeys(text []byte) []string {
	if !bytes.Contains(text, []byte(sopsValue)) {
		return nil
	}
	var vars map[string]yaml.Node
	if err := yaml.Unmarshal(text, &vars); err != nil {
		return nil
	}
	about, ok := vars["sops"]
	if !ok || !slices.ContainsFunc(about.Content, func(n *yaml.Node) bool { return n.Value == "mac" }) {
		return nil
	}
	keys := []string{}
	for k, v := range vars {
		if k != "sops" && hasEncrypted(&v) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

func hasEncrypted(n *yaml.Node) bool {
	return strings.HasPrefix(n.Value, sopsValue) || slices.ContainsFunc(n.Content, hasEncrypted)
}

// variableFiles returns the files with the variables of a group or host in a directory, as Ansible finds them: a
// directory with its name, or the first file with its name and one of the extensions.
//
// The SOPS vars plugin also finds files with endings of its own.
func variableFiles(dir, name string) (found []string) {
	if name == "" || strings.ContainsAny(name, "/\x00") || name == "." || name == ".." {
		return nil
	}
	base := filepath.Join(dir, name)
	for _, end := range sopsEnds {
		if info, err := os.Stat(base + end); err == nil && info.Mode().IsRegular() {
			found = append(found, base+end)
			break
		}
	}
	if info, err := os.Stat(base); err == nil && info.IsDir() {
		_ = filepath.WalkDir(base, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return nil //nolint:nilerr // what cannot be read is Ansible's error
			}
			hidden := path != base && (strings.HasPrefix(d.Name(), ".") || strings.HasSuffix(d.Name(), "~"))
			switch {
			case hidden && d.IsDir():
				return fs.SkipDir
			case !hidden && !d.IsDir() && slices.Contains(variableEnds, filepath.Ext(path)):
				found = append(found, path)
			}
			return nil
		})
		return found
	}
	for _, end := range variableEnds {
		if info, err := os.Stat(base + end); err == nil && info.Mode().IsRegular() {
			return append(found, base+end)
		}
	}
	return found
}
