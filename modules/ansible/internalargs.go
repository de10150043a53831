package ansible

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// internalArgs are those of the keys _ansible_* that Ansible adds to a task's arguments (the Ansible contract §C2) that
// are used here.
type internalArgs struct {
	name             string // _ansible_module_name: the module as named in the task
	checkMode        bool
	diff             bool
	verbosity        int
	noLog            bool // the task has no_log: true
	ignoreUnknown    bool // _ansible_ignore_unknown_opts
	injectInvocation bool // missing before 2.20: then true
}

// takeInternal removes all keys _ansible_* from args and returns their values.
func takeInternal(args *dict) (internalArgs, error) {
	var bad error
	flag := func(name string, absent bool) bool {
		value, ok := args.values["_ansible_"+name]
		if !ok || value == nil {
			return absent
		}
		b, err := toBool(value)
		if err != nil { // never guess whether this is check mode
			bad = fmt.Errorf("argument '_ansible_%s': %w", name, err)
		}
		return b == true
	}
	internal := internalArgs{
		checkMode:        flag("check_mode", false),
		diff:             flag("diff", false),
		noLog:            flag("no_log", false),
		ignoreUnknown:    flag("ignore_unknown_opts", false),
		injectInvocation: flag("inject_invocation", true),
	}
	internal.name, _ = args.values["_ansible_module_name"].(string)
	if n, ok := args.values["_ansible_verbosity"].(json.Number); ok {
		internal.verbosity, _ = strconv.Atoi(string(n))
	}
	keys := make([]string, 0, len(args.keys))
	for _, key := range args.keys {
		if strings.HasPrefix(key, "_ansible_") {
			delete(args.values, key)
		} else {
			keys = append(keys, key)
		}
	}
	args.keys = keys
	return internal, bad
}
