package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/iotronic"
)

// waitOption lets a change of state be waited for.
var waitOption = option{long: "wait", meta: "<seconds>", kind: integerOption, help: "wait until it is so, this long at the most; 0 is as long as it takes"}

// nodeCommands are those that only nodes have, and only those of Ironic.
func nodeCommands(k *kind) []*iotronicCommand {
	all := []*iotronicCommand{
		partVerb(k, "port", []string{keyUUID, "address"}, nil,
			func(ctx context.Context, c *iotronic.Client, id string) ([]*iotronic.Port, error) {
				return c.Nodes.Ports(ctx, id)
			}, portFields),
		{
			Command: Command{name: "states", short: "Show the states of a node, and what it is on its way to", target: true},
			aliases: []string{"node-show-states"}, does: k.states,
		},
		{
			Command: Command{name: "validate", short: "Show which interfaces of a node could work with what is known of it", target: true},
			does:    k.validate,
		},
		{
			Command: Command{
				name: "power", short: "Power a node on or off, or reboot it", target: true,
				more:    []positional{{"<power-state>", []string{"on", "off", "reboot"}}},
				options: []option{{long: "soft", kind: switchOption, help: "let the operating system end by itself; with off and reboot"}, waitOption},
			},
			aliases: []string{"node-set-power-state"}, does: k.power,
		},
		{
			Command: Command{
				name: "maintenance", short: "Take a node out of Ironic's hands (true), or give it back (false)", target: true,
				more:    []positional{{"<maintenance>", []string{"true", "false", "on", "off"}}},
				options: []option{{long: "reason", meta: "<reason>", help: "why; a text for people"}},
			},
			aliases: []string{"node-set-maintenance"}, does: k.maintain,
		},
		provisionVerb(k),
	}
	for _, c := range all {
		c.only = onIronic
	}
	return all
}

func (k *kind) states(ctx context.Context, t *things, c *call) error {
	states, err := t.client.Nodes.States(ctx, c.target)
	if err != nil {
		return t.near(ctx, k, c.target, err)
	}
	return t.printThing(result(states.Fields))
}

func (k *kind) validate(ctx context.Context, t *things, c *call) error {
	found, err := t.client.Nodes.Validate(ctx, c.target)
	if err != nil {
		return t.near(ctx, k, c.target, err)
	}
	var rows []gjson.Result
	for _, m := range show.Members(result(found)) {
		rows = append(rows, with(m.Value, "interface", string(jsonText(m.Key))))
	}
	return t.PrintList(rows, []string{"interface", "result", "reason"})
}

func (k *kind) power(ctx context.Context, t *things, c *call) error {
	target, state := iotronic.PowerOn, iotronic.PowerOn
	switch word, soft := c.words[0], c.given("soft"); {
	case word == "on" && soft:
		return commandError("--soft is only valid with off and reboot")
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
	return k.change(ctx, t, c, target, state, func() error { return nodes.SetPower(ctx, c.target, target) }, nodes.WaitPower)
}

// change asks for a state and says so, or waits for it and says that it is there.
func (k *kind) change(ctx context.Context, t *things, c *call, target, state string, ask func() error,
	wait func(ctx context.Context, id, state string) error,
) error {
	seconds, _ := strconv.Atoi(c.text("wait")) // it is an integer, or not given
	if seconds < 0 {
		return commandError("Invalid wait specified. Expected non-negative seconds, got %d", seconds)
	}
	if err := ask(); err != nil {
		return t.near(ctx, k, c.target, err)
	}
	if !c.given("wait") {
		t.Say("Node %s: asked for %q.", c.target, target)
		return nil
	}
	if seconds > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(seconds)*time.Second)
		defer cancel()
	}
	if err := wait(ctx, c.target, state); err != nil {
		return err
	}
	t.Say("Node %s: now %q.", c.target, state)
	return nil
}

func (k *kind) maintain(ctx context.Context, t *things, c *call) error {
	on, _ := truthOf(c.words[0])
	switch {
	case !on && c.given("reason"):
		return commandError("--reason is only valid with true")
	case !on:
		if err := t.client.Nodes.ClearMaintenance(ctx, c.target); err != nil {
			return t.near(ctx, k, c.target, err)
		}
		t.Say("Node %s: no longer in maintenance.", c.target)
		return nil
	}
	if err := t.client.Nodes.SetMaintenance(ctx, c.target, c.text("reason")); err != nil {
		return t.near(ctx, k, c.target, err)
	}
	t.Say("Node %s: in maintenance.", c.target)
	return nil
}

// provisions are the targets of provisioning, and the states that they lead to; "" where that depends.
var provisions = []struct{ target, state string }{
	{iotronic.ProvisionActive, "active"},
	{iotronic.ProvisionDeleted, "available"},
	{iotronic.ProvisionManage, "manageable"},
	{iotronic.ProvisionProvide, "available"},
	{iotronic.ProvisionInspect, "manageable"},
	{iotronic.ProvisionClean, "manageable"},
	{iotronic.ProvisionRebuild, "active"},
	{iotronic.ProvisionAbort, ""},
	{"adopt", "active"},
	{"rescue", "rescue"},
	{"unrescue", "active"},
	{"service", "active"},
	{"unhold", ""},
}

// provisionOptions are what some targets need or take, and which: those that need it begin with a plus.
var provisionOptions = []struct {
	option
	with []string
}{
	{option{
		long: "config-drive", meta: "<config-drive>", key: "configdrive",
		help: "with active and rebuild: the config drive, packed by gzip and in base64, or as a JSON object, or a file of either, or its URL",
	}, []string{"active", "rebuild"}},
	{option{
		long: "deploy-steps", meta: "<steps>", key: "deploy_steps", help: "with active and rebuild: steps as a JSON list, or a file of it, or - for standard input",
	}, []string{"active", "rebuild"}},
	{option{long: "clean-steps", meta: "<steps>", key: "clean_steps", help: "with clean, which needs it: the same"}, []string{"+clean"}},
	{option{long: "service-steps", meta: "<steps>", key: "service_steps", help: "with service, which needs it: the same"}, []string{"+service"}},
	{option{
		long: "rescue-password", meta: "<password>", key: "rescue_password",
		help: "with rescue, which needs it: password of the rescue system; - reads it from standard input, where other users of the machine cannot see it",
	}, []string{"+rescue"}},
}

func provisionVerb(k *kind) *iotronicCommand {
	c := &iotronicCommand{
		Command: Command{name: "provision", short: "Move a node towards another provision state", target: true},
		aliases: []string{"node-set-provision-state"}, does: k.provision,
	}
	var targets []string
	for _, p := range provisions {
		targets = append(targets, p.target)
	}
	c.more = []positional{{"<target>", targets}}
	for _, o := range provisionOptions {
		c.options = append(c.options, o.option)
	}
	c.options = append(c.options, waitOption)
	return c
}

func (k *kind) provision(ctx context.Context, t *things, c *call) error {
	p := iotronic.Provision{Target: c.words[0], More: iotronic.Object{}}
	state := ""
	for _, known := range provisions {
		if known.target == p.Target {
			state = known.state
		}
	}
	if c.given("wait") && state == "" {
		return commandError("--wait is not supported with %s", p.Target)
	}
	for i := range provisionOptions {
		o := &provisionOptions[i]
		needs := slices.Contains(o.with, "+"+p.Target)
		switch given := c.given(o.long); {
		case !given && needs:
			return commandError("--%s must be specified with %s", o.long, p.Target)
		case given && !needs && !slices.Contains(o.with, p.Target):
			return commandError("--%s is only valid with %s", o.long, strings.TrimPrefix(strings.Join(o.with, " and "), "+"))
		case given:
			text, err := t.content(c.text(o.long), o.key != "rescue_password")
			if err == nil && strings.HasSuffix(o.key, "_steps") && !(gjson.Valid(text) && gjson.Parse(text).IsArray()) {
				err = errors.New("it is no JSON list, and no file of one")
			}
			if err == nil && o.key == "configdrive" && !isConfigDrive(text) {
				err = fmt.Errorf("%q is no file of a config drive, and none itself: one begins with %s (packed by gzip, in base64), is a JSON object, or a URL", c.text(o.long), packed)
			}
			if err != nil {
				return fmt.Errorf("argument --%s: %w", o.long, err)
			}
			if p.More[o.key] = jsonText(text); o.key != "rescue_password" && gjson.Valid(text) {
				p.More[o.key] = []byte(text)
			}
		}
	}
	nodes := t.client.Nodes
	return k.change(ctx, t, c, p.Target, state, func() error { return nodes.SetProvision(ctx, c.target, p) }, nodes.WaitProvision)
}

// packed is what gzip begins with, in base64.
const packed = "H4sI"

// isConfigDrive tells config drives from what was to be the name of a file: Ironic takes one for the other.
func isConfigDrive(text string) bool {
	return strings.HasPrefix(text, packed) || strings.Contains(text, "://") || gjson.Valid(text) && gjson.Parse(text).IsObject()
}

// content is what a word says: itself, or what is on standard input if it is a dash, or in the file that it names.
func (t *things) content(word string, file bool) (string, error) {
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
