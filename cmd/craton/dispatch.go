package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"strings"

	"github.com/craton-fleet/craton/modules"
	"github.com/craton-fleet/craton/modules/ansible"
)

// stdinFile is the file name for arguments on standard input, from an action plugin.
const stdinFile = "/dev/stdin"

// runModule runs an Ansible module if this process is one (contract §C1): it was called by a module's name, which is a
// link or the copy AnsiballZ_craton_host that Ansible makes; or by any other name, with a file of arguments as its only
// argument whose _ansible_module_name is a module's.
func runModule(args []string, stdin io.Reader, stdout io.Writer) (status int, ok bool) {
	if !modules.Known(ansible.Name(args[0])) {
		if len(args) != 2 {
			return 0, false
		}
		text := argumentsFile(args[1], stdin)
		if args[1] == stdinFile {
			stdin = bytes.NewReader(text)
		}
		if !namesModule(text) {
			return 0, false
		}
	}
	return ansible.Run(args, stdin, stdout, modules.Lookup), true
}

// argumentsFile reads a file that may contain a module's arguments. If it cannot be read, the command line reports the
// error.
func argumentsFile(path string, stdin io.Reader) []byte {
	var text []byte
	if path == stdinFile {
		text, _ = io.ReadAll(stdin)
	} else if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		text, _ = os.ReadFile(path)
	}
	return text
}

// namesModule reports whether a JSON object names the module that it is for.
func namesModule(text []byte) bool {
	var task struct {
		Name string `json:"_ansible_module_name"`
	}
	return json.Unmarshal(text, &task) == nil && modules.Known(task.Name[strings.LastIndexByte(task.Name, '.')+1:])
}
