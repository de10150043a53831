package ansible

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/value/python"
)

// parityCase is one call of a module, run through AnsibleModule and through us.
type parityCase struct {
	name string
	spec *Spec
	args map[string]any
	env  map[string]string
}

// answer is what came of it.
type answer struct {
	Outcome  string          `json:"outcome"` // ok, failed, crashed
	Msg      string          `json:"msg"`
	Params   json.RawMessage `json:"params"`
	Warnings []string        `json:"warnings"`
}

func (a answer) String() string {
	return fmt.Sprintf("%s msg=%q params=%s warnings=%q", a.Outcome, a.Msg, a.Params, a.Warnings)
}

// ask runs cases through AnsibleModule.
func ask(t *testing.T, bin string, cases []parityCase) []answer {
	t.Helper()
	var in bytes.Buffer
	enc := json.NewEncoder(&in)
	for _, c := range cases {
		if err := enc.Encode(map[string]any{"spec": pythonSpec(c.spec), "args": c.args, "env": c.env}); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(runPython(bin), "testdata/ansiblemodule.py")
	cmd.Env = cleanEnv("PYTHONHASHSEED=0", "HOME=/home/someone/", "PYTHONIOENCODING=utf-8")
	cmd.Stdin = &in
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("AnsibleModule of %s: %v\n%s", bin, err, stderr.Bytes())
	}
	answers := make([]answer, 0, len(cases))
	for _, line := range bytes.Split(bytes.TrimSpace(out), []byte("\n")) {
		var a answer
		if err := json.Unmarshal(line, &a); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		answers = append(answers, a)
	}
	if len(answers) != len(cases) {
		t.Fatalf("%d answers to %d cases\n%s", len(answers), len(cases), stderr.Bytes())
	}
	return answers
}

// own runs a case through this package.
func own(t *testing.T, c parityCase) answer {
	t.Helper()
	env := func(name string) (string, bool) {
		if name == "HOME" {
			if _, ok := c.env[name]; !ok {
				return "/home/someone/", true
			}
		}
		v, ok := c.env[name]
		return v, ok
	}
	task, err := NewTask(c.spec, c.args, env)
	if task == nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	if err != nil {
		return answer{Outcome: "failed", Msg: err.Error(), Warnings: task.Warnings()}
	}
	params, err := json.Marshal(task.Params)
	if err != nil {
		t.Fatal(err)
	}
	return answer{Outcome: "ok", Params: params, Warnings: task.Warnings()}
}

// pythonSpec returns a Spec as the keyword arguments of AnsibleModule.
func pythonSpec(s *Spec) map[string]any {
	spec := pythonRules(s.allRules())
	spec["argument_spec"] = pythonOptions(s.AllOptions())
	return spec
}

func pythonRules(r *Rules) map[string]any {
	m := map[string]any{}
	set := func(key string, value any, n int) {
		if n > 0 {
			m[key] = value
		}
	}
	set("mutually_exclusive", r.MutuallyExclusive, len(r.MutuallyExclusive))
	set("required_together", r.RequiredTogether, len(r.RequiredTogether))
	set("required_one_of", r.RequiredOneOf, len(r.RequiredOneOf))
	set("required_by", r.RequiredBy, len(r.RequiredBy))
	var ifs []any
	for _, i := range r.RequiredIf {
		ifs = append(ifs, []any{i.Option, i.Value, i.Requires, i.Any})
	}
	set("required_if", ifs, len(ifs))
	return m
}

// orderedOptions keeps the order of options in JSON, which Python keeps too.
type orderedOptions []Option

func (o orderedOptions) MarshalJSON() ([]byte, error) {
	d := newDict()
	for i := range o {
		data, err := json.Marshal(pythonOption(&o[i]))
		if err != nil {
			return nil, err
		}
		d.set(o[i].Name, json.RawMessage(data))
	}
	return appendJSON(nil, d), nil
}

func pythonOptions(options []Option) orderedOptions { return options }

func pythonOption(o *Option) map[string]any {
	m := pythonRules(&o.Rules)
	m["type"] = o.kind()
	m["required"] = o.Required
	m["no_log"] = o.NoLog
	if o.Elements != "" {
		m["elements"] = o.Elements
	}
	if o.Default != nil {
		m["default"] = o.Default
	}
	if o.Choices != nil {
		m["choices"] = o.Choices
	}
	if o.Aliases != nil {
		m["aliases"] = o.Aliases
	}
	if o.Env != nil {
		m["env"] = o.Env
	}
	if o.Options != nil {
		m["options"] = pythonOptions(o.Options)
	}
	if o.ApplyDefaults {
		m["apply_defaults"] = true
	}
	return m
}

// A difference is one that is meant: where we do not do what AnsibleModule does.
type difference struct {
	name   string
	why    string
	olds   bool // only against releases before 2.19
	except func(c parityCase, ours, theirs answer) bool
}

func (a answer) failedLike(pattern string) bool {
	return a.Outcome == "failed" && regexp.MustCompile(pattern).MatchString(a.Msg)
}

// anyOption reports whether the task or the environment gives some option, nested ones included, a value that is so.
func anyOption(c parityCase, is func(any) bool) bool {
	for _, v := range c.env {
		if is(v) {
			return true
		}
	}
	return optionIn(c.spec.AllOptions(), c.args, is)
}

func optionIn(options []Option, v any, is func(any) bool) bool {
	switch v := v.(type) {
	case map[string]any:
		for i := range options {
			for _, name := range options[i].names() {
				if value, ok := v[name]; ok && (is(value) || optionIn(options[i].Options, value, is)) {
					return true
				}
			}
		}
	case []any:
		return slices.ContainsFunc(v, func(e any) bool { return optionIn(options, e, is) })
	}
	return false
}

func isNull(v any) bool  { return v == nil }
func isBlank(v any) bool { return v == "" }

// differences are all intended differences, tried in this order.
var differences = []difference{
	{
		name: "null is unset",
		why:  "a null in a task means that there is no value: defaults and env fallbacks apply, and it neither satisfies required nor breaks mutually_exclusive. AnsibleModule counts it as given in some places and not in others, and each release differently",
		except: func(c parityCase, ours, theirs answer) bool {
			return anyOption(c, isNull)
		},
	},
	{
		name: "empty text is unset",
		why:  `"" is what a template of none becomes in ansible-core 2.14 where later releases give null: for options that "" is no value of, both mean unset. AnsibleModule refuses it, or makes [""] of it`,
		except: func(c parityCase, ours, theirs answer) bool {
			return anyOption(c, isBlank)
		},
	},
	{
		name: "crash",
		why:  "AnsibleModule ends with a traceback instead of a message",
		except: func(c parityCase, ours, theirs answer) bool {
			return theirs.Outcome == "crashed" && ours.Outcome == "failed"
		},
	},
	{
		name: "infinite floats",
		why:  "JSON has no nan and no infinity, so a result could not return them",
		except: func(c parityCase, ours, theirs answer) bool {
			infinite := bytes.Contains(theirs.Params, []byte(`"constant"`))
			return infinite && (ours.failedLike("cannot be converted to a float$") || bytes.Contains(ours.Params, []byte("1e400")))
		},
	},
	{
		name: "whole numbers with an exponent",
		why:  "the text of a number counts: 1e23 is 10**23, and not the nearest number that a float can be",
		except: func(c parityCase, ours, theirs answer) bool {
			return ours.Outcome == "ok" && theirs.Outcome == "ok" &&
				regexp.MustCompile(`\de\+?\d`).MatchString(fmt.Sprint(c.args)) && sameFloats(ours.Params, theirs.Params)
		},
	},
	{
		name: "1 and True as keys of one dict",
		why:  "they are one key to Python, and two in JSON",
		except: func(c parityCase, ours, theirs answer) bool {
			return bytes.Contains(ours.Params, []byte(`"true":`)) && !bytes.Contains(theirs.Params, []byte(`"true":`))
		},
	},
	{
		name: "int of true",
		why:  "true given to an int is 1, which Python's True is equal to",
		except: func(c parityCase, ours, theirs answer) bool {
			return theirs.Outcome == "ok" && ours.Outcome == "ok" && looselyEqual(ours.Params, theirs.Params) && slices.Equal(ours.Warnings, theirs.Warnings)
		},
	},
	{
		name: "Python literals with sets, bytes and complex numbers",
		why:  "they are no JSON; AnsibleModule takes them and then fails to write its result",
		except: func(c parityCase, ours, theirs answer) bool {
			return ours.failedLike("unable to evaluate string as dictionary$") && theirs.Outcome != "failed"
		},
	},
	{
		name: "which argument",
		why:  "AnsibleModule looks for secrets in a dict before it checks that it is one, and then its message does not tell the option, or prints the value; ours is that of every wrong type",
		except: func(c parityCase, ours, theirs answer) bool {
			return ours.failedLike("and we were unable to convert to dict") &&
				theirs.failedLike("^dictionary requested, could not parse JSON or key=value$|^unable to evaluate string|in the sub parameter field|^Failed to convert")
		},
	},
	{
		name: "alias over environment",
		why:  "AnsibleModule fills an option from the environment before it sees that the task gives it by an alias, and then warns that both are set",
		except: func(c parityCase, ours, theirs answer) bool {
			return len(c.env) > 0 && len(ours.Warnings) == len(theirs.Warnings)-1 &&
				strings.HasPrefix(theirs.Warnings[0], "Both option") && bytes.Equal(ours.Params, theirs.Params)
		},
	},
	{
		name: "2.14 ints",
		olds: true,
		why:  "later releases accept a whole number in any notation, such as 8080.0",
		except: func(c parityCase, ours, theirs answer) bool {
			return ours.Outcome == "ok" && theirs.failedLike("cannot be converted to an int$")
		},
	},
	{
		name: "2.14 sizes",
		olds: true,
		why:  "2.14 ignores what follows a size it has understood, such as 10Mfoo; later releases refuse it",
		except: func(c parityCase, ours, theirs answer) bool {
			return ours.failedLike("cannot be converted to a (Byte|Bit) value$") && theirs.Outcome == "ok"
		},
	},
	{
		name: "2.14 dict texts",
		olds: true,
		why:  "2.14 leaves a text that holds something like a call as it is, though the option is a dict",
		except: func(c parityCase, ours, theirs answer) bool {
			return regexp.MustCompile(`\w\.\w+\(`).MatchString(fmt.Sprint(c.args)) && theirs.Outcome == "ok"
		},
	},
	{
		name: "2.14 pairs without =",
		olds: true,
		why:  "2.14 shows Python's own message",
		except: func(c parityCase, ours, theirs answer) bool {
			return ours.failedLike(`in the "key=value" format`) && theirs.failedLike("dictionary update sequence element")
		},
	},
	{
		name: "2.14 null elements",
		olds: true,
		why:  `a null in a list of str is "" in later releases, and the word None in 2.14`,
		except: func(c parityCase, ours, theirs answer) bool {
			return strings.Contains(fmt.Sprint(c.args), "<nil>")
		},
	},
}

var pyTypeName = regexp.MustCompile(`<class '([a-zA-Z]+)'>`)

// wording takes out of messages in what releases differ and what is random.
func wording(msg string) string {
	msg, _, _ = strings.Cut(msg, " Did you mean ")
	if i := strings.Index(msg, "Valid booleans include: "); i >= 0 {
		msg = strings.ReplaceAll(msg[:i], "boolean.  ", "boolean. ") // the order is a hash's
	}
	return pyTypeName.ReplaceAllString(msg, "$1")
}

// oldWording returns what 2.14 says of the same things.
func oldWording(msg string) string {
	msg = regexp.MustCompile(`".*" cannot be converted to an int`).ReplaceAllString(msg, "x cannot be converted to an int")
	return regexp.MustCompile(`\w+ cannot be converted to an int`).ReplaceAllString(msg, "x cannot be converted to an int")
}

func strictlyEqual(a, b json.RawMessage) bool {
	x, errX := decodeJSON(a)
	y, errY := decodeJSON(b)
	return errX == nil && errY == nil && sameTypes(x, y) && equal(x, y)
}

func looselyEqual(a, b json.RawMessage) bool {
	x, errX := decodeJSON(a)
	y, errY := decodeJSON(b)
	return errX == nil && errY == nil && equal(x, y)
}

// sameFloats compares the digits of numbers as floats.
func sameFloats(a, b json.RawMessage) bool {
	digits := regexp.MustCompile(`\d{17,}`)
	round := func(s []byte) []byte {
		f, _ := json.Number(s).Float64()
		return []byte(python.Float(f))
	}
	return bytes.Equal(digits.ReplaceAllFunc(a, round), digits.ReplaceAllFunc(b, round))
}

func sameTypes(a, b any) bool {
	if python.Type(a) != python.Type(b) {
		return false
	}
	switch a := a.(type) {
	case []any:
		for i, e := range a {
			if list := b.([]any); i >= len(list) || !sameTypes(e, list[i]) {
				return false
			}
		}
	case *dict:
		for k, e := range a.values {
			if !sameTypes(e, b.(*dict).values[k]) {
				return false
			}
		}
	}
	return true
}

// withoutAliases drops the keys that AnsibleModule leaves in params beside the options' names.
func withoutAliases(options []Option, params json.RawMessage) json.RawMessage {
	v, err := decodeJSON(params)
	if err != nil {
		return params
	}
	dropAliases(options, v)
	return appendJSON(nil, v)
}

func dropAliases(options []Option, v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			dropAliases(options, e)
		}
	case *dict:
		for i := range options {
			for _, a := range options[i].Aliases {
				v.delete(a)
			}
			dropAliases(options[i].Options, v.values[options[i].Name])
		}
	}
}

func sameAnswer(old bool, ours, theirs answer) bool {
	if ours.Outcome != theirs.Outcome || !slices.Equal(ours.Warnings, theirs.Warnings) {
		return false
	}
	if ours.Outcome == "ok" {
		return strictlyEqual(ours.Params, theirs.Params)
	}
	a, b := wording(ours.Msg), wording(theirs.Msg)
	if old {
		a, b = oldWording(a), oldWording(b)
	}
	return a == b
}

// TestAgainstAnsibleModule runs the same calls through AnsibleModule and
// through this package. Whatever is not the same must be an intended difference.
func TestAgainstAnsibleModule(t *testing.T) {
	t.Parallel()
	cases := parityCases()
	used := make([]int, len(differences))
	old := false
	for _, bin := range ansibles(t) {
		version := release(t, bin)
		isOld := strings.HasPrefix(version, "2.1") && version < "2.19"
		old = old || isOld
		same := 0
		for i, theirs := range ask(t, bin, cases) {
			c := cases[i]
			theirs.Params = withoutAliases(c.spec.AllOptions(), theirs.Params)
			ours := own(t, c)
			if sameAnswer(isOld, ours, theirs) {
				same++
				continue
			}
			k := slices.IndexFunc(differences, func(d difference) bool {
				return (isOld || !d.olds) && d.except(c, ours, theirs)
			})
			if k < 0 {
				args, _ := json.Marshal(c.args)
				t.Errorf("%s: %s: args %s\nours:   %v\ntheirs: %v", version, c.name, args, ours, theirs)
				continue
			}
			used[k]++
		}
		t.Logf("ansible-core %s: %d cases, %d the same", version, len(cases), same)
	}
	for k, n := range used {
		t.Logf("%4d cases: %s", n, differences[k].name)
		if n == 0 && (old || !differences[k].olds) {
			t.Errorf("the difference %q does not show in any case", differences[k].name)
		}
	}
}
