package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/settings"
)

// minAnsible is the oldest supported ansible-core, as in meta/runtime.yml of the collection.
const minAnsible = "2.14"

// ansibleTime is how long Ansible may take to print its version or configuration.
const ansibleTime = time.Minute

// ansible is what is known about Ansible on this machine.
type ansible struct {
	path    string                   // of ansible-playbook; "" if there is none
	version string                   // of ansible-core
	err     error                    // it does not run
	config  map[string]ansibleOption // by name
	noise   string                   // warnings printed while reading its configuration
}

// ansibleOption is one line of `ansible-config dump`.
type ansibleOption struct {
	Name   string
	Value  any
	Origin any // the file, "env: NAME", or "default"
}

// findAnsible queries the Ansible with which a play would run, in this directory and environment.
func findAnsible(ctx context.Context) *ansible {
	a := &ansible{}
	path, err := exec.LookPath("ansible-playbook")
	if err != nil {
		return a
	}
	a.path = path
	type answer struct {
		out, errs []byte
		err       error
	}
	ask := func(into chan<- answer, name string, args ...string) {
		ctx, cancel := context.WithTimeout(ctx, ansibleTime)
		defer cancel()
		cmd := exec.CommandContext(ctx, name, args...)
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		err := cmd.Run()
		into <- answer{out.Bytes(), errs.Bytes(), err}
	}
	version, dump := make(chan answer, 1), make(chan answer, 1)
	go ask(version, path, "--version")
	config := filepath.Join(filepath.Dir(path), "ansible-config") // of the same installation
	if _, err := os.Stat(config); err != nil {
		config = "ansible-config"
	}
	go ask(dump, config, "dump", "--format", "json")
	told := <-version
	m := regexp.MustCompile(`\[core ([^\]]+)\]|^ansible-playbook ([0-9.]+)`).FindSubmatch(told.out)
	switch {
	case told.err != nil:
		a.err = commandError(path+" --version", told.err, told.errs)
	case m == nil:
		a.err = fmt.Errorf("%s --version shows no version of ansible-core", path)
	default:
		a.version = string(m[1]) + string(m[2])
	}
	told = <-dump
	var options []ansibleOption
	if told.err != nil {
		a.err = errors.Join(a.err, commandError("ansible-config dump", told.err, told.errs))
	} else if err := json.Unmarshal(told.out, &options); err != nil && a.err == nil && a.version != "" && !olderThan(a.version, minAnsible) {
		a.err = fmt.Errorf("ansible-config dump cannot be read: %w", err)
	}
	a.config = map[string]ansibleOption{}
	for _, o := range options {
		a.config[o.Name] = o
	}
	a.noise = string(told.errs)
	return a
}

// commandError returns the error of a command, with the last line of its output.
func commandError(command string, err error, stderr []byte) error {
	lines := strings.Split(strings.TrimSpace(string(stderr)), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return fmt.Errorf("%s fails (%w): %s", command, err, show.Clean(last))
	}
	return fmt.Errorf("%s fails: %w", command, err)
}

// olderThan compares the first two numbers of versions.
func olderThan(version, than string) bool {
	number := func(s string) [2]int {
		var n [2]int
		for i, part := range strings.SplitN(s, ".", 3)[:2] {
			n[i], _ = strconv.Atoi(regexp.MustCompile(`^[0-9]*`).FindString(part))
		}
		return n
	}
	a, b := number(version+".0"), number(than+".0")
	return slices.Compare(a[:], b[:]) < 0
}

// is reports whether an option is on, and where it is set.
func (a *ansible) is(name string) (on bool, origin string) {
	o := a.config[name]
	on, _ = o.Value.(bool)
	return on, a.origin(name)
}

func (a *ansible) origin(name string) string {
	origin := show.Clean(fmt.Sprint(a.config[name].Origin))
	return strings.Replace(origin, "env: ", "environment ", 1)
}

// list returns the words of an option.
func (a *ansible) list(name string) []string {
	values, _ := a.config[name].Value.([]any)
	var words []string
	for _, v := range values {
		words = append(words, fmt.Sprint(v))
	}
	return words
}

// configFile returns the ansible.cfg in use, "" if there is none.
func (a *ansible) configFile() string {
	path, _ := a.config["CONFIG_FILE"].Value.(string)
	return path
}

// checkAnsible checks whether the Ansible that would run plays handles the inventory correctly, and finds the modules.
// iv and trial are nil if they are unavailable.
func (d *doctor) checkAnsible(a *ansible, version string, iv *settings.Values, trial *trial) {
	const check = "ansible"
	rest := []string{"ansible.cfg", "failed inventory", "inventory plugins", "collection"}
	switch {
	case a.path == "":
		d.warn(check, "install ansible-core "+minAnsible+" or later, or ignore this if plays run on another machine, and run craton doctor there", "ansible-playbook is not on the PATH")
		d.skip("Ansible was not found", rest...)
		return
	case a.err != nil:
		d.problem(check, "check that the command works when run by hand", "%s", output.OneLine(a.err))
		d.skip("Ansible does not run", rest...)
		return
	case olderThan(a.version, minAnsible):
		d.problem(check, "install ansible-core "+minAnsible+" or later", "%s belongs to ansible-core %s, which is not supported", a.path, a.version)
		d.skip("this Ansible is not supported", rest...)
		return
	}
	d.ok(check, "ansible-core %s (%s)", a.version, a.path)
	d.checkLargeFleet(a, iv, trial)
	d.checkTemplates(a, trial)
	d.checkAnsibleConfig(a, iv)
	d.checkFailedInventory(a)
	d.checkPlugins(a)
	d.checkCollection(a, version)
}

// checkTemplates checks what in the fleet Ansible must not execute, and whether this Ansible may execute it
// nevertheless.
func (d *doctor) checkTemplates(a *ansible, trial *trial) {
	const check = "templates"
	if trial == nil || trial.trusted || trial.templates+trial.texts == 0 {
		return
	}
	texts := ""
	if trial.texts > 0 {
		texts = "; " + show.Count(trial.texts, "dictionary is", "dictionaries are") + " written as text, because ansible-core before 2.19 executes keys"
	}
	what := show.Count(trial.templates, "string of the fleet is a template", "strings of the fleet are templates")
	faults := hostvarsFaults(a.version)
	if trial.templates == 0 || faults == "" {
		d.ok(check, "%s, which Ansible does not execute%s", what, texts)
		return
	}
	d.warn(check, "run plays with ansible-core 2.19 or later, or change "+show.Clean(trial.template)+" and the others (docs/inventory.md, Trust)",
		"%s; ansible-core %s executes them if a play takes them from hostvars %s%s", what, a.version, faults, texts)
}

// hostvarsFaults returns the cases in which a release of ansible-core loses the mark of a string that a play takes from
// hostvars, and executes it when it is used again; "" if there are none.
func hostvarsFaults(version string) string {
	if version == "" || !olderThan(version, "2.19") {
		return ""
	}
	mended := map[string]int{"2.16": 14, "2.17": 7, "2.18": 1} // the patch release that fixed most of it
	m := regexp.MustCompile(`^(\d+\.\d+)\.(\d+)`).FindStringSubmatch(version)
	if m != nil {
		if patch, _ := strconv.Atoi(m[2]); mended[m[1]] > 0 && patch >= mended[m[1]] {
			return "and changes them by a filter"
		}
	}
	return "in a list, a dictionary, a loop or a longer text, or changes them by a filter"
}

// manyHosts is the number of hosts from which on Ansible's loading time is noticeable.
const manyHosts = 2000

// checkLargeFleet reports how long Ansible takes to load a script's output, and what the plugin would save by loading
// variables only when they are needed.
func (d *doctor) checkLargeFleet(a *ansible, iv *settings.Values, trial *trial) {
	const check = "large fleet"
	if trial == nil || iv == nil || trial.hosts < manyHosts {
		return
	}
	saved := time.Duration(trial.hosts) * loadTime(a.version, iv.String("inventory.vars") == "layered")
	seconds := fmt.Sprintf("%.1f s", saved.Seconds())
	switch script := a.script(); {
	case script == "":
		d.ok(check, "%d hosts; the collection's plugin reads variables only as plays use them, which saves about %s compared with a script", trial.hosts, seconds)
	case saved < time.Second:
		d.ok(check, "Ansible loads all variables of %d hosts from the script %s; the collection's plugin would save about %s", trial.hosts, show.Clean(script), seconds)
	default:
		d.warn(check, "write `plugin: craton.fleet.craton` to a file fleet.craton.yml, and use that file as Ansible's inventory (docs/inventory.md, Large fleets)",
			"each run, Ansible loads the variables of all %d hosts from the script %s; the collection's plugin reads them only as plays use them, which would save about %s", trial.hosts, show.Clean(script), seconds)
	}
}

// loadTime returns approximately how long Ansible takes to load the variables of a host from a script
// (docs/performance.md), on a current machine.
func loadTime(version string, layered bool) time.Duration {
	switch {
	case olderThan(version, "2.19"):
		return 50 * time.Microsecond
	case layered:
		return 350 * time.Microsecond
	}
	return 800 * time.Microsecond
}

// script returns the first source of Ansible's configured inventory that is craton-inventory, "" if none is.
func (a *ansible) script() string {
	for _, source := range a.list("DEFAULT_HOST_LIST") {
		files := []string{source}
		if entries, err := os.ReadDir(source); err == nil {
			files = nil
			for _, entry := range entries {
				files = append(files, filepath.Join(source, entry.Name()))
			}
		}
		for _, file := range files {
			if to, err := filepath.EvalSymlinks(file); err == nil && isProgram(to) && !strings.Contains(filepath.Base(file), "ironic") && !strings.Contains(filepath.Base(file), "iotronic") {
				return file
			}
		}
	}
	return ""
}

// isProgram reports whether a file is this program, by its name.
func isProgram(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 && strings.HasPrefix(filepath.Base(file), "craton") && filepath.Ext(file) == ""
}

// checkAnsibleConfig reports which ansible.cfg is used, and Ansible's warnings about it.
func (d *doctor) checkAnsibleConfig(a *ansible, iv *settings.Values) {
	const check = "ansible.cfg"
	merging := a.config["DEFAULT_HASH_BEHAVIOUR"].Value == "merge" && iv != nil && iv.String("inventory.vars") == "layered"
	switch file := a.configFile(); {
	case strings.Contains(a.noise, "world writable directory"):
		d.warn(check, "chmod o-w this directory, or set ANSIBLE_CONFIG to the file", "Ansible ignores ansible.cfg in this directory, because everyone can write to it")
	case merging:
		d.warn(check, "set hash_behaviour to replace, or inventory.vars to merged", "hash_behaviour is merge (%s): with vars: layered, Ansible then merges dictionaries of different places", a.origin("DEFAULT_HASH_BEHAVIOUR"))
	case file == "":
		d.ok(check, "no configuration file; Ansible's defaults apply")
	default:
		d.ok(check, "%s", show.Clean(file))
	}
}

// checkFailedInventory checks whether a run stops when the inventory fails. By default, Ansible continues without hosts
// and exits with 0, as if it had succeeded.
func (d *doctor) checkFailedInventory(a *ansible) {
	const check = "failed inventory"
	file := a.configFile()
	if file == "" {
		file = "ansible.cfg"
	}
	advice := "write any_unparsed_is_failed = true under [inventory] in " + show.Clean(file)
	each, eachBy := a.is("INVENTORY_ANY_UNPARSED_IS_FAILED")
	all, allBy := a.is("INVENTORY_UNPARSED_IS_FAILED")
	switch {
	case each:
		d.ok(check, "ends the run (any_unparsed_is_failed, %s)", eachBy)
	case all:
		d.warn(check, advice, "ends the run only if every inventory source fails (unparsed_is_failed, %s): with another source, Craton's hosts may be missing", allBy)
	default:
		d.problem(check, advice, "does not end the run: Ansible continues without hosts, and exits with 0")
	}
}

// checkPlugins checks whether Ansible would run the inventory at all.
func (d *doctor) checkPlugins(a *ansible) {
	const check = "inventory plugins"
	enabled := a.list("INVENTORY_ENABLED")
	has := func(name string) bool {
		return slices.Contains(enabled, name) || slices.Contains(enabled, "ansible.builtin."+name)
	}
	by := a.origin("INVENTORY_ENABLED")
	switch {
	case has("script"):
		d.ok(check, "script is enabled (%s)", by)
	case has("auto"):
		d.warn(check, "add script to enable_plugins under [inventory]", "script is not enabled (%s): craton-inventory is not run; only *.craton.yml files of the collection's plugin work", by)
	default:
		d.problem(check, "add script to enable_plugins under [inventory]", "script is not enabled (%s): craton-inventory is not run", by)
	}
}

// checkCollection checks whether Ansible finds the collection, in this program's version.
func (d *doctor) checkCollection(a *ansible, version string) {
	const check = "collection"
	install := "`ansible-galaxy collection install craton-fleet-" + version + ".tar.gz`"
	places := a.list("COLLECTIONS_PATHS")
	if len(places) == 0 {
		places = a.list("COLLECTIONS_PATH") // its older name
	}
	for _, place := range places {
		if filepath.Base(place) != "ansible_collections" {
			place = filepath.Join(place, "ansible_collections")
		}
		place = filepath.Join(place, "craton", "fleet")
		installed, err := collectionVersion(place)
		switch {
		case errors.Is(err, os.ErrNotExist):
			continue
		case err != nil:
			d.problem(check, "install it again: "+install, "craton.fleet cannot be used: %v", err)
		case installed != version:
			d.warn(check, "install the collection and the program from the same release: "+install, "craton.fleet %s (%s) and this program (%s) have different versions", show.Clean(installed), place, version)
		default:
			d.ok(check, "craton.fleet %s (%s)", show.Clean(installed), place)
		}
		return
	}
	d.warn(check, install+", or ignore this if you need neither modules nor the inventory plugin", "craton.fleet is not installed; looked in %s", show.Clean(strings.Join(places, " and ")))
}

// collectionVersion reads the version of an installed collection, or of a checkout in its place.
func collectionVersion(dir string) (string, error) {
	var manifest struct {
		Info struct{ Version string } `json:"collection_info"`
	}
	text, err := os.ReadFile(filepath.Join(dir, "MANIFEST.json"))
	if err == nil {
		if err := json.Unmarshal(text, &manifest); err != nil {
			return "", fmt.Errorf("%s: %w", filepath.Join(dir, "MANIFEST.json"), err)
		}
		return manifest.Info.Version, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	var galaxy struct{ Version string }
	text, err = os.ReadFile(filepath.Join(dir, "galaxy.yml"))
	if err == nil {
		err = yaml.Unmarshal(text, &galaxy)
	}
	return galaxy.Version, err
}
