package argparse

import (
	"maps"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/nearest"
)

// verbs are words that people use for verbs of commands.
var verbs = map[string]string{
	"ls": "list", "get": "show", "describe": "show", "view": "show", "info": "show", "cat": "show", "find": "list", "search": "list", "all": "list",
	"add": "create", "new": "create", "make": "create", "register": "create",
	"rm": "delete", "remove": "delete", "del": "delete", "destroy": "delete", "drop": "delete",
	"edit": "update", "set": "update", "modify": "update", "change": "update", "rename": "update",
	"vars": "vars-get", "variables": "vars-get", "labels": "labels-get", "tag": "labels-add",
}

// otherWords are words that people use for whole commands.
var otherWords = map[string]string{
	"export": "inventory", "dump": "inventory", "save": "inventory", "backup": "inventory", "graph": "inventory", "tree": "inventory",
	"hostvars": "host-vars-get", "import": "apply", "load": "apply", "push": "apply", "sync": "apply", "plan": "apply", "diff": "apply",
	"serve": "server", "start": "server", "daemon": "server", "bootstrap": "server", "check": "doctor", "status": "doctor", "ping": "doctor", "test": "doctor",
	"diagnose": "doctor", "settings": "config", "env": "config", "why": "explain", "trace": "explain", "ironic": "iotronic", "baremetal": "iotronic",
	"completions": "completion", "list": "host-list", "ls": "host-list", "show": "host-show", "get": "host-show",
	"create": "host-create", "add": "host-create", "new": "host-create", "delete": "host-delete", "remove": "host-delete", "rm": "host-delete",
	"update": "host-update", "edit": "host-update", "vars": "host-vars-get", "variables": "host-vars-get", "labels": "host-labels-get", "tag": "host-labels-add",
	"whoami": "config", "login": "config", "logout": "config", "auth": "config", "configure": "config", "init": "apply", "setup": "apply",
}

// Suggest returns the subcommand that was probably meant by the words in its place: host list, hosts, hostlist,
// host-lst, export. "" if none is similar.
func Suggest(words, names []string) string {
	known := func(name string) bool { return slices.Contains(names, name) }
	first := strings.ToLower(words[0])
	tries := []string{strings.ReplaceAll(first, "_", "-")}
	if len(words) > 1 {
		second := strings.ToLower(words[1])
		tries = append([]string{first + "-" + second, second + "-" + first}, tries...)
		if len(words) > 2 {
			tries = append([]string{first + "-" + second + "-" + strings.ToLower(words[2])}, tries...)
		}
	}
	if verb, noun, ok := strings.Cut(first, "-"); ok {
		tries = append(tries, noun+"-"+verb)
	}
	if known("node-list") { // for Ironic, where hosts are nodes
		for i, word := range tries {
			tries[i] = strings.Replace(word, "host", "node", 1)
		}
	}
	for _, word := range tries {
		if name := spelled(word, known); name != "" {
			return name
		}
	}
	if name := otherWords[first]; known(name) {
		return name
	}
	for _, word := range tries { // for one without verbs: inventory-list
		if noun, verb, ok := strings.Cut(word, "-"); ok && known(noun) && (slices.Contains(slices.Collect(maps.Values(verbs)), verb) || verbs[verb] != "") {
			return noun
		}
	}
	for _, word := range tries { // hostlist, host_list
		for _, name := range names {
			if strings.ReplaceAll(name, "-", "") == strings.ReplaceAll(word, "-", "") {
				return name
			}
		}
	}
	for _, word := range tries {
		if name := nearest.Word(word, names); name != "" {
			return name
		}
	}
	for _, name := range names { // for a misspelt noun, its list
		if noun, ok := strings.CutSuffix(name, "-list"); ok && nearest.Word(strings.TrimSuffix(first, "s"), []string{noun}) != "" {
			return name
		}
	}
	return ""
}

// spelled returns the command for a word with a plural noun, another word for its verb, or without a verb.
func spelled(word string, known func(string) bool) string {
	for i := len(word); i >= 0; i-- {
		if i < len(word) && word[i] != '-' {
			continue
		}
		noun, verb := word[:i], strings.TrimPrefix(word[i:], "-")
		singular := strings.TrimSuffix(noun, "s")
		for _, n := range []string{noun, singular} {
			for _, v := range []string{verb, verbs[verb], strings.TrimSuffix(verb, "s")} {
				switch {
				case v == "" && verb == "" && known(n+"-list"):
					return n + "-list"
				case v != "" && known(n+"-"+v):
					return n + "-" + v
				case v == "" && verb == "" && known(n):
					return n
				}
			}
		}
	}
	return ""
}

// unknown returns the error for a subcommand that does not exist: with a suggestion, similar ones, and where all are
// listed.
func (p *Program) unknown(name string, args []string) error {
	names := p.Names()
	words := []string{name}
	for _, w := range args[slices.Index(args, name)+1:] {
		if strings.HasPrefix(w, "-") {
			break
		}
		words = append(words, w)
	}
	path := p.Root.CommandPath()
	near := ""
	if noun, verb := nounOf(words, names); verb != "" {
		verbs := verbsOf(noun, names)
		near = spelled(noun+"-"+verb, func(name string) bool { return slices.Contains(names, name) })
		if near == noun+"-list" && !slices.Contains([]string{"ls", "search", "find", "all", "list", "lists"}, verb) { // only the noun was given
			near = ""
		}
		if word := nearest.Word(verb, verbs); near == "" && word != "" {
			near = noun + "-" + word
		}
		if !strings.Contains(name, "-") { // written as separate words
			name = strings.ReplaceAll(noun, "-", " ") + " " + verb
		}
		if near == "" {
			return Mistake(p.Root, "argument <subcommand>: invalid choice: %s; %s can be followed by %s", Quoted(name), noun, strings.Join(verbs, ", "))
		}
	} else {
		near = Suggest(words, names)
	}
	what := "argument <subcommand>: invalid choice: " + Quoted(name)
	if near == "" {
		if few := nearest.Several(strings.ToLower(name), names, maxNear); few != nil {
			what += "; the most similar are " + strings.Join(few, ", ")
		}
		return &UsageError{Path: path, Text: what + "\n\"" + path + " help\" lists all subcommands."}
	}
	return &UsageError{Path: path, Text: what + "; did you mean " + near + "?\n" +
		"\"" + path + " help " + near + "\" shows its options, \"" + path + " help\" all subcommands."}
}

// maxNear is the maximum number of similar subcommands that are listed.
const maxNear = 3

// nounOf returns the noun with which words begin, separate or joined, and the verb after it; the verb is "" if there is
// none.
func nounOf(words, names []string) (noun, verb string) {
	parts := strings.Split(strings.ToLower(strings.Join(words, "-")), "-")
	for n := len(parts) - 1; n > 0; n-- {
		for _, noun := range []string{strings.Join(parts[:n], "-"), strings.TrimSuffix(strings.Join(parts[:n], "-"), "s")} {
			if slices.Contains(names, noun+"-list") {
				if len(words) > 1 && !strings.Contains(words[0], "-") { // the next word is the verb; what follows is its own
					return noun, parts[n]
				}
				return noun, strings.Join(parts[n:], "-")
			}
		}
	}
	return "", ""
}

// verbsOf returns the verbs for a noun.
func verbsOf(noun string, names []string) (verbs []string) {
	for _, name := range names {
		verb, is := strings.CutPrefix(name, noun+"-")
		longer := slices.ContainsFunc(names, func(list string) bool { // network-device-show does not belong to network
			other, ok := strings.CutSuffix(list, "-list")
			return ok && len(other) > len(noun) && strings.HasPrefix(name, other+"-") && strings.HasPrefix(other, noun+"-") && slices.Contains(names, other+"-show")
		})
		if is && !longer {
			verbs = append(verbs, verb)
		}
	}
	return verbs
}
