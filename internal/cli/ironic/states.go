package ironic

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/configdrive"
	"github.com/craton-fleet/craton/iotronic"
)

// waitOption makes a command wait for a change of state.
var waitOption = argparse.Option{Long: "wait", Meta: "<seconds>", Kind: argparse.IntegerOption, Help: "wait for completion, at most this long; 0 for no limit"}

// nodeCommands returns the commands that only nodes have, and only in Ironic.
func nodeCommands(k *kind) []*verb {
	all := []*verb{
		partVerb(k, "port", []string{keyUUID, "address"}, nil,
			func(ctx context.Context, c *iotronic.Client, id string) ([]*iotronic.Port, error) {
				return c.Nodes.Ports(ctx, id)
			}, portFields),
		{
			Command: argparse.Command{Name: "states", Paged: true, Short: "Show the current and target states of a node", Target: true},
			aliases: []string{"node-show-states"}, does: k.states,
		},
		{
			Command: argparse.Command{Name: "validate", Paged: true, Short: "Validate the driver interfaces of a node", Target: true},
			does:    k.validate,
		},
		{
			Command: argparse.Command{
				Name: "power", Short: "Power a node on or off, or reboot it", Target: true,
				More:    []argparse.Positional{{Name: "<power-state>", Choices: []string{"on", "off", "reboot"}}},
				Options: []argparse.Option{{Long: "soft", Kind: argparse.SwitchOption, Help: "shut down the operating system first; with off and reboot"}, waitOption},
			},
			aliases: []string{"node-set-power-state"}, does: k.power,
		},
		{
			Command: argparse.Command{
				Name: "maintenance", Short: "Put a node into maintenance (true), or take it out (false)", Target: true,
				More:    []argparse.Positional{{Name: "<maintenance>", Choices: []string{"true", "false", "on", "off"}}},
				Options: []argparse.Option{{Long: "reason", Meta: "<reason>", Help: "reason for the maintenance"}},
			},
			aliases: []string{"node-set-maintenance"}, does: k.setMaintenance,
		},
		provisionVerb(k),
	}
	all = append(all, managementVerbs(k)...)
	all = append(all, partVerbs(k)...)
	for _, c := range all {
		c.only = onIronic
	}
	return all
}

func (k *kind) states(ctx context.Context, t *session, c *argparse.Call) error {
	states, err := t.client.Nodes.States(ctx, c.Target)
	if err != nil {
		return t.near(ctx, k, c.Target, err)
	}
	return t.printObject(result(states.Fields))
}

func (k *kind) validate(ctx context.Context, t *session, c *argparse.Call) error {
	found, err := t.client.Nodes.Validate(ctx, c.Target)
	if err != nil {
		return t.near(ctx, k, c.Target, err)
	}
	var rows []gjson.Result
	for _, m := range show.Members(result(found)) {
		rows = append(rows, object.With(m.Value, "interface", string(object.JSONText(m.Key))))
	}
	return t.PrintList(rows, []string{"interface", "result", "reason"})
}

func (k *kind) power(ctx context.Context, t *session, c *argparse.Call) error {
	target, state := iotronic.PowerOn, iotronic.PowerOn
	switch word, soft := c.Words[0], c.Given("soft"); {
	case word == "on" && soft:
		return argparse.Misused("--soft is only valid with off and reboot")
	case word == "off" && soft:
		target, state = iotronic.SoftPowerOff, iotronic.PowerOff
	case word == "off":
		target, state = iotronic.PowerOff, iotronic.PowerOff
	case word == "reboot" && soft:
		target = iotronic.SoftReboot
	case word == "reboot":
		target = iotronic.Reboot
	}
	nodes := t.client.Nodes
	return k.change(ctx, t, c, target, state, func(ctx context.Context) error { return nodes.SetPower(ctx, c.Target, target) }, nodes.WaitPower)
}

// change requests a state and says so, or waits for it and says that it has been reached.
func (k *kind) change(ctx context.Context, t *session, c *argparse.Call, target, state string, ask func(context.Context) error,
	wait func(ctx context.Context, id, state string) error,
) error {
	seconds, err := patience(c)
	if err != nil {
		return err
	}
	ctx, stop := run.Interruptible(ctx)
	defer stop()
	if err := ask(ctx); err != nil {
		if i := run.Interrupted(ctx, fmt.Sprintf("Ironic may have started to change node %s to %q: `craton iotronic node-states %[1]s` shows whether it has", c.Target, target)); i != nil {
			return i
		}
		return t.near(ctx, k, c.Target, err)
	}
	if !c.Given("wait") {
		t.Say("Node %s: requested %q.", c.Target, target)
		return nil
	}
	limited, cancel := within(ctx, seconds)
	defer cancel()
	if err := wait(limited, c.Target, state); err != nil {
		was := ""
		if late, ok := errors.AsType[*iotronic.StateTransitionTimeoutError](err); ok && late.Actual != "" {
			was = fmt.Sprintf("; its last known state is %q", late.Actual)
		}
		return cmp.Or(run.Interrupted(ctx, fmt.Sprintf("node %s continues to change to %q%s: `craton iotronic node-states %[1]s` shows its state", c.Target, state, was)), err)
	}
	t.Say("Node %s: now %q.", c.Target, state)
	return nil
}

// patience returns the number of seconds to wait; 0 for as long as it takes.
func patience(c *argparse.Call) (int, error) {
	seconds, _ := strconv.Atoi(c.Text("wait")) // it is an integer, or not given
	if seconds < 0 {
		return 0, argparse.Misused("Invalid wait specified. Expected non-negative seconds, got %d", seconds)
	}
	return seconds, nil
}

func within(ctx context.Context, seconds int) (context.Context, context.CancelFunc) {
	if seconds == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, time.Duration(seconds)*time.Second)
}

func (k *kind) setMaintenance(ctx context.Context, t *session, c *argparse.Call) error {
	on, _ := argparse.TruthOf(c.Words[0])
	switch {
	case !on && c.Given("reason"):
		return argparse.Misused("--reason is only valid with true")
	case !on:
		if err := t.client.Nodes.ClearMaintenance(ctx, c.Target); err != nil {
			return t.near(ctx, k, c.Target, err)
		}
		t.Say("Node %s: no longer in maintenance.", c.Target)
		return nil
	}
	if err := t.client.Nodes.SetMaintenance(ctx, c.Target, c.Text("reason")); err != nil {
		return t.near(ctx, k, c.Target, err)
	}
	t.Say("Node %s: in maintenance.", c.Target)
	return nil
}

// provisions are the targets of provisioning, with the resulting states; "" if that depends.
var provisions = []struct{ target, state string }{
	{iotronic.ProvisionActive, "active"},
	{iotronic.ProvisionDeleted, "available"},
	{iotronic.ProvisionManage, "manageable"},
	{iotronic.ProvisionProvide, "available"},
	{iotronic.ProvisionInspect, "manageable"},
	{iotronic.ProvisionClean, "manageable"},
	{iotronic.ProvisionRebuild, "active"},
	{iotronic.ProvisionAbort, ""},
	{iotronic.ProvisionAdopt, "active"},
	{iotronic.ProvisionRescue, "rescue"},
	{iotronic.ProvisionUnrescue, "active"},
	{iotronic.ProvisionService, "active"},
	{iotronic.ProvisionUnhold, ""},
}

// synonyms are other names of targets, which Ironic itself supports only from 1.73 on.
var synonyms = map[string]string{iotronic.ProvisionDeploy: iotronic.ProvisionActive, iotronic.ProvisionUndeploy: iotronic.ProvisionDeleted}

// provisionOptions are options that targets require (with a plus) or accept.
var provisionOptions = []struct {
	argparse.Option
	with []string
}{
	{argparse.Option{
		Long: "config-drive", Meta: "<config-drive>", Key: "configdrive",
		Help: "with active and rebuild: the config drive, gzipped and base64-encoded text, a JSON object, a file with either or an image, a directory with its content, or a URL",
	}, []string{"active", "rebuild"}},
	{argparse.Option{
		Long: "deploy-steps", Meta: "<steps>", Key: "deploy_steps", Help: "with active and rebuild: steps as a JSON list, a file that contains one, or - for standard input",
	}, []string{"active", "rebuild"}},
	{argparse.Option{Long: "clean-steps", Meta: "<steps>", Key: "clean_steps", Help: "with clean, which requires it or --runbook: the same"}, []string{"+clean"}},
	{argparse.Option{Long: "service-steps", Meta: "<steps>", Key: "service_steps", Help: "with service, which requires it or --runbook: the same"}, []string{"+service"}},
	{argparse.Option{Long: "runbook", Meta: "<runbook>", Key: "runbook", Help: "with clean and service: runbook whose steps to run, by name or UUID; the node must have a trait of it"}, []string{"clean", "service"}},
	{argparse.Option{Long: "disable-ramdisk", Kind: argparse.SwitchOption, Key: "disable_ramdisk", Help: "with clean and service: run the steps without booting a ramdisk"}, []string{"clean", "service"}},
	{argparse.Option{
		Long: "rescue-password", Meta: "<password>", Key: "rescue_password",
		Help: "with rescue, which requires it: password of the rescue system; - reads it from standard input, which hides it from other users",
	}, []string{"+rescue"}},
}

func provisionVerb(k *kind) *verb {
	c := &verb{
		Command: argparse.Command{Name: "provision", Short: "Change the provision state of a node", Target: true},
		aliases: []string{"node-set-provision-state"}, does: k.provision,
	}
	var targets []string
	for _, p := range provisions {
		targets = append(targets, p.target)
	}
	targets = append(targets, slices.Sorted(maps.Keys(synonyms))...)
	c.More = []argparse.Positional{{Name: "<target>", Choices: targets}}
	for _, o := range provisionOptions {
		c.Options = append(c.Options, o.Option)
	}
	c.Options = append(c.Options, waitOption)
	return c
}

func (k *kind) provision(ctx context.Context, t *session, c *argparse.Call) error {
	p := iotronic.Provision{Target: cmp.Or(synonyms[c.Words[0]], c.Words[0]), More: iotronic.Object{}}
	state := ""
	for _, known := range provisions {
		if known.target == p.Target {
			state = known.state
		}
	}
	if c.Given("wait") && state == "" {
		return argparse.Misused("--wait is not supported with %s", p.Target)
	}
	for i := range provisionOptions {
		o := &provisionOptions[i]
		needs := slices.Contains(o.with, "+"+p.Target)
		switch given := c.Given(o.Long); {
		case !given && needs && strings.HasSuffix(o.Key, "_steps") && c.Given("runbook"):
		case !given && needs:
			return argparse.Misused("--%s must be specified with %s", o.Long, p.Target)
		case given && !needs && !slices.Contains(o.with, p.Target):
			return argparse.Misused("--%s is only valid with %s", o.Long, strings.TrimPrefix(strings.Join(o.with, " and "), "+"))
		case given && strings.HasSuffix(o.Key, "_steps") && c.Given("runbook"):
			return argparse.Misused("argument --runbook: not allowed with argument --%s", o.Long)
		case given && o.Kind == argparse.SwitchOption:
			p.More[o.Key] = []byte("true")
		case given:
			if o.Key == "configdrive" {
				drive, err := t.configDrive(ctx, c.Text(o.Long))
				if err != nil {
					return argparse.Misused("argument --%s: %s", o.Long, err)
				}
				p.ConfigDrive = drive
				continue
			}
			var err error
			if strings.HasSuffix(o.Key, "_steps") {
				p.More[o.Key], err = t.steps(c.Text(o.Long))
			} else {
				var text string
				text, err = t.content(c.Text(o.Long), false)
				p.More[o.Key] = object.JSONText(text)
			}
			if err != nil {
				return argparse.Misused("argument --%s: %s", o.Long, err)
			}
		}
	}
	nodes := t.client.Nodes
	return k.change(ctx, t, c, p.Target, state, func(ctx context.Context) error { return nodes.SetProvision(ctx, c.Target, p) }, nodes.WaitProvision)
}

// steps returns the list of steps in a word, or in the file that it names.
func (t *session) steps(word string) (json.RawMessage, error) {
	text, err := t.content(word, true)
	if err == nil && !(gjson.Valid(text) && gjson.Parse(text).IsArray()) {
		err = errors.New("the value is neither a JSON list nor a file that contains one")
	}
	return json.RawMessage(text), err
}

// configDrive returns the config drive in a word, or on standard input.
func (t *session) configDrive(ctx context.Context, word string) (json.RawMessage, error) {
	if word != "-" {
		return configdrive.Read(ctx, word)
	}
	return configdrive.From(t.In, "standard input")
}

// content returns the content of a word: itself, standard input if it is a dash, or the file that it names.
func (t *session) content(word string, file bool) (string, error) {
	read := func() ([]byte, error) { return io.ReadAll(t.In) }
	if word != "-" {
		info, missing := os.Stat(word)
		switch {
		case !file || missing != nil:
			return word, nil //nolint:nilerr // it is no file
		case info.IsDir():
			return "", fmt.Errorf("%s is a directory", word)
		}
		read = func() ([]byte, error) { return os.ReadFile(word) }
	}
	text, err := read()
	return strings.TrimSpace(string(text)), err
}
