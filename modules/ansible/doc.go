// Package ansible runs Ansible modules written in Go.
//
// A module is a [Spec] with its name, options and documentation, and a function that does the work. Package ansible
// does what AnsibleModule does for Python: it reads, checks and converts the arguments, supports check mode and diff
// mode, keeps secrets out of the output, and always writes the one JSON object that Ansible reads. It works with
// ansible-core 2.14 and later, and is independent of any collection.
//
// # A module
//
//	var spec = &ansible.Spec{
//		Name:  "greeting",
//		Short: "Write a greeting into a file",
//		Options: []ansible.Option{
//			{Name: "path", Type: ansible.Path, Required: true},
//			{Name: "name", Default: "world"},
//			{Name: "token", NoLog: true, Env: []string{"GREETING_TOKEN"}},
//		},
//		SupportsCheckMode: true,
//	}
//
//	type args struct {
//		Path  string  `arg:"path"`
//		Name  string  `arg:"name"`
//		Token *string `arg:"token"` // nil if there is none
//	}
//
//	func run(ctx context.Context, task *ansible.Task, a args) (*ansible.Result, error) {
//		want := "hello, " + a.Name + "\n"
//		have, err := os.ReadFile(a.Path)
//		if err != nil && !errors.Is(err, fs.ErrNotExist) {
//			return nil, err // the task fails with the error's text
//		}
//		result := &ansible.Result{
//			Changed: string(have) != want,
//			Fields:  ansible.Fields{"greeting": want},
//			Diff:    []ansible.Diff{{Before: string(have), After: want}},
//		}
//		if !result.Changed || task.CheckMode {
//			return result, nil
//		}
//		return result, os.WriteFile(a.Path, []byte(want), 0o644)
//	}
//
//	func main() {
//		modules := map[string]*ansible.Module{"greeting": {Spec: spec, Run: ansible.Typed(run)}}
//		os.Exit(ansible.Run(os.Args, os.Stdin, os.Stdout, func(name string) (*ansible.Module, bool) {
//			m, ok := modules[name]
//			return m, ok
//		}))
//	}
//
// Ansible finds the program in library/ or in a collection's plugins/modules/ by its file name. One program may contain
// many modules: link all their names to it. [Dispatch] determines which one a task runs.
//
// # Arguments
//
// [Run] reads the file that Ansible names in argv[1]; - and /dev/stdin are standard input, for an action plugin that
// starts the program itself. Keys _ansible_* belong to Ansible and never reach the module.
//
// Values are converted as AnsibleModule of ansible-core 2.21 converts them, and refused with its messages, in its
// order; where releases differ, the newer one is followed. In short:
//
//	str      numbers, booleans, lists and dicts become their Python text: 1.0, True, {'a': 1}
//	int      "8080", 8080.0, "8e3", true; any size
//	bool     yes/no, on/off, true/false, y/n, t/f, 1/0, in any case
//	float    "1.5", 1; not nan, not infinity
//	list     a text is split at commas (blanks stay); a number is a list of its text
//	dict     JSON text, a Python literal, or k=v,k=v with quotes
//	path     $NAME, ${NAME}, ~ and ~user are expanded
//	raw      as it is, numbers with all their digits
//	jsonarg  a list or dict becomes JSON text
//	bytes    1024, "10M", "1.5 GB": powers of 1024; bits: "10Mb"
//
// These differences from AnsibleModule are intended:
//
//   - null is never a value: the default or the environment fallback
//     applies, required is not fulfilled, mutually exclusive is not violated.
//     AnsibleModule takes a null for a value in some checks.
//   - "" is no value for an optional option that is not str, path, raw or
//     jsonarg, or that has choices without it. ansible-core 2.14 gives "" where
//     the result of a template is none, later releases null; here both mean the same.
//   - nan and infinity are refused, since a result cannot represent them.
//   - an int that is written with an exponent has the digits that are written:
//     1e23 is 10**23. true for an int is 1.
//   - a dict's text may be a Python literal of what JSON can hold, but not of
//     sets, bytes or complex numbers. Digits must be those of ASCII.
//   - integers are at most 4,300 digits long.
//   - a value that is not a dict is refused with the message of every other
//     wrong type, which names the option and not the value.
//   - a value from the environment does not clash with an alias that the task
//     uses.
//   - the error about an unknown key names the nearest known one, too.
//   - only the first error is the msg, as with AnsibleModule; if there are more,
//     validation_errors lists all of them.
//
// An environment fallback ([Option].Env) applies if the variable is set, even to "" (see above for what that means).
//
// A module reads its arguments from a struct ([Typed], [Params.Decode]) or by name ([Params.String] and so on). Both
// find a name or type that is wrong on the first run, whatever its arguments.
//
// # Results
//
// A module returns a [Result], an error, or both. The output always has changed. It has failed and msg after an error;
// [Fail] makes an error that adds fields. The output has diff if the task requests it. warnings, deprecations and
// invocation are added. The program's exit status is 1 if the task has failed, else 0.
//
// A field of a result must not be named as something that Ansible reads itself (results, ansible_*, stdout, stderr, rc,
// skipped, attempts, failed and so on) nor as a method of a Python dict (items, keys, values, get, pop and so on),
// which a template would find instead. Such a result fails the task; [Spec.Check] finds it among the documented ones.
//
// A module that does not support check mode is skipped in it, with AnsibleModule's message. A panic fails the task,
// with the stack in exception; a panic in a goroutine that the module starts itself cannot be caught. At SIGTERM and
// SIGINT the module's context ends, and the module has 3 seconds to return; after that, or at a second signal, the task
// fails without it. Text printed to os.Stdout is written to stderr.
//
// # Secrets
//
// Secrets are the values of NoLog options, before and after conversion, nested ones included, whether from the task,
// the environment or a default; and the values of secret keys of a dict ([Option].NoLogKeys). [Option].NoLogTexts
// selects the secrets in a value that has other texts too. [Task.Secret] adds secrets at run time. Secrets are masked
// in messages: in msg, warnings, deprecations, exception, validation_errors, invocation and the headers of a diff. A
// value that is a secret becomes VALUE_SPECIFIED_IN_NO_LOG_PARAMETER, a part of a text that is one becomes ********, as
// in AnsibleModule.
//
// Returned values are not masked: fields, facts, and the two sides of a diff. AnsibleModule masks them too: a host
// whose note happens to contain the password is then returned with the mask in the note, which a later task could write
// to the host. A module must therefore not return secrets. [Task.Mask] masks text of a server that may repeat a secret.
// Beyond what AnsibleModule does:
//
//   - the forms that a secret takes in addresses, JSON, and quoted texts are
//     masked, and so is the secret without the line end that it was read with;
//   - secrets that overlap are masked as one, so that no part remains;
//   - keys are masked, unless they are names of options;
//   - a secret shorter than four characters is masked where it is a whole
//     value or a whole word, and not inside of words and numbers. AnsibleModule
//     replaces every 1 in every text for the secret 1, which makes results
//     useless and reveals the secret to everyone who compares.
//
// Booleans and nulls are not secrets. Base64 and other encodings of a secret are
// not known here: register them with [Task.Secret].
//
// For a task with no_log: true, Ansible hides the result, but ansible-core 2.19 and later still show a module's
// warnings. The output then has only the number of warnings, and no invocation.
//
// # Documentation
//
// [Spec.Sidecar] writes what ansible-doc reads for a binary module, and [Fragment.PythonFile] the doc fragment of
// options that modules share. The sentences about rules and environment variables come from the Spec: write
// descriptions without them. [Runtime] writes meta/runtime.yml.
package ansible
