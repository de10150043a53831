package ansible

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/nearest"
	"github.com/craton-fleet/craton/internal/value"
)

const (
	// HostAddress is the variable with the address to which Ansible connects.
	HostAddress = "ansible_host"
	// GroupPriority is a variable that Ansible removes from a group and interprets itself (contract A3).
	GroupPriority = "ansible_group_priority"
)

// controller are Ansible's names for the machine on which it runs. A host with such a name would receive what is
// delegated to that machine, including all secrets in it.
var controller = []string{"localhost", "127.0.0.1", "::1"}

// CheckHostName refuses names that Ansible accepts but cannot address, or would execute: commas, colons and spaces
// separate its host patterns, other characters have a meaning in them, ansible-core before 2.19 executes templates in
// names when plays show them, and host_vars is searched by name. Addresses may contain colons.
//
// parts is the number of names in it, separated by slashes: a name with more parts would be a path in host_vars with
// the variables of others, such as those of web-01 in host_vars/web-01/vault.yml.
func CheckHostName(name string, parts int) error {
	if parts == 1 && isPlain(name) {
		return nil
	}
	if name == "" {
		return errors.New("is empty")
	}
	if strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return errors.New("contains a space or a control character")
	}
	if err := value.CheckName(name); err != nil {
		predicate, _ := advice.Split(err) // the caller adds what to do
		return errors.New(predicate)
	}
	switch {
	case slices.Contains(controller, name):
		return errors.New("is Ansible's name for the machine that it runs on")
	case strings.Contains(name, ","):
		return errors.New("contains a comma")
	case IsTemplate(name):
		return errors.New("looks like a template")
	case !IsInert(name):
		return errors.New("could begin a template: it contains a {, or #jinja2 or a part of it")
	case name[0] == '-':
		return errors.New("begins with -, so that Ansible and ssh would read it as an option")
	case strings.ContainsAny(name[:1], "!&~@"):
		return fmt.Errorf("begins with %s, which has another meaning in Ansible's patterns", name[:1])
	case strings.ContainsAny(name, "*?[]"):
		return errors.New("contains one of the characters *?[], which have another meaning in Ansible's patterns")
	case strings.Count(name, "/") != parts-1, slices.ContainsFunc(strings.Split(name, "/"), func(s string) bool { return s == "" || s == "." || s == ".." }):
		return errors.New("is a path, so that Ansible would read the host_vars of other hosts for it")
	case variablesFile().MatchString(name):
		return errors.New("ends like the name of a file in host_vars, which Ansible would read for it")
	case strings.Contains(name, ":") && !isParsable(name):
		return errors.New("contains a colon, at which Ansible divides patterns")
	}
	return nil
}

// isPlain reports whether a name is obviously valid, as nearly all are: it begins with a letter, and consists of
// letters, digits, dots and hyphens.
func isPlain(name string) bool {
	letter := func(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
	if name == "" || !letter(name[0]) || slices.Contains(controller, name) {
		return false
	}
	dot := -1
	for i := range len(name) {
		switch c := name[i]; {
		case c == '.':
			dot = i
		case !letter(c) && ('0' > c || c > '9') && c != '-':
			return false
		}
	}
	ending := name[dot+1:]
	return dot < 0 || !strings.EqualFold(ending, "yml") && !strings.EqualFold(ending, "yaml") && !strings.EqualFold(ending, "json")
}

// variablesFile are the names of files with variables: Ansible searches for host_vars/NAME, with or without these
// extensions.
var variablesFile = value.LazyPattern(`(?i)\.(ya?ml|json)$`)

// isParsable reports whether Ansible's patterns do not split a name with colons: those names that its parse_address
// accepts. Of the supported releases, 2.21 is the strictest: 2.14 also accepts texts that only begin like an IPv6
// address. It does not accept all addresses: none with a zone, and none with IPv4 at the end except in ::/96 and
// ::ffff:0:0/96.
func isParsable(name string) bool {
	if ipv6().MatchString(name) {
		return true
	}
	host, port, _ := strings.Cut(name, ":")
	return digits().MatchString(port) && hostLabels(host)
}

var (
	// digits are those of a port. Python reads no numbers with more than 4300.
	digits = value.LazyPattern(`^[0-9]{1,1000}$`)

	// ipv6 matches what parse_address accepts as an IPv6 address, written as it does.
	ipv6 = value.LazyPattern(strings.ReplaceAll(`(?i)^(?:`+
		`(?:X:){7}X|(?:X:){1,6}:|X:(?::X){1,6}|(?:X:){2}(?::X){1,5}|(?:X:){3}(?::X){1,4}|(?:X:){4}(?::X){1,3}|(?:X:){5}(?::X){1,2}|(?:X:){6}:X|`+
		`:(?::X){1,6}|X?::|`+
		`(?:0:){6}(?:X\.){3}X|::(?:ffff:)?(?:X\.){3}X|(?:0:){5}ffff:(?:X\.){3}X`+
		`)$`, "X", "(?:[0-9a-f]{1,4})"))
)

// hostLabels reports whether parse_address accepts a text as a host name: labels separated by dots, of letters, digits,
// _ and -, which do not begin with - and do not end with - or _.
func hostLabels(host string) bool {
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || label[0] == '-' || strings.ContainsAny(label[len(label)-1:], "_-") ||
			strings.ContainsFunc(label, func(r rune) bool { return r != '_' && r != '-' && !unicode.IsLetter(r) && !unicode.IsNumber(r) }) {
			return false
		}
	}
	return true
}

// IsAddress reports whether Ansible can connect to a name or address. Other texts could be an option of ssh, or a
// command.
func IsAddress(s string) bool {
	return s != "" && s[0] != '-' && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(".-_:%[]", r)
	})
}

// GroupNames determines how names of the API become group names that Ansible allows.
type GroupNames string

// Readable replaces every other character by an underscore, so that two names may become equal, which is an error. With
// Exact, different names stay different, but are less pleasant to read.
const (
	Readable GroupNames = "readable"
	Exact    GroupNames = "exact"
)

// GroupName returns the name of a group from the kind's prefix and the names of objects.
func GroupName(form GroupNames, prefix string, parts ...string) string {
	b := []byte(prefix)
	for i, part := range parts {
		if form == Exact {
			if i > 0 {
				b = append(b, '_')
			}
			b = appendExact(append(b, '_'), part)
		} else {
			b = appendReadable(append(b, '_'), part)
		}
	}
	return string(b)
}

// appendReadable replaces every character that Ansible does not allow in the name of a group by an underscore.
func appendReadable(dst []byte, s string) []byte {
	for _, r := range s {
		if !alphanumeric(r) {
			r = '_'
		}
		dst = append(dst, byte(r))
	}
	return dst
}

// appendExact writes an underscore and two hexadecimal digits for every byte that is not an ASCII letter or digit,
// including the underscore. Parts of a name are joined by two underscores, which no part can contain, so that different
// names stay different.
func appendExact(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	for i := range len(s) {
		c := s[i]
		if alphanumeric(rune(c)) {
			dst = append(dst, c)
		} else {
			dst = append(dst, '_', digits[c>>4], digits[c&15])
		}
	}
	return dst
}

func alphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// IsIdentifier reports whether Ansible accepts a variable name without a warning; Jinja's keywords are not considered.
func IsIdentifier(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || i > 0 && '0' <= c && c <= '9') {
			return false
		}
	}
	return s != ""
}

// CheckWords returns an error for unknown words in a setting. An empty one means the default.
func CheckWords[W ~string](setting string, words []W, known ...W) error {
	for _, w := range words {
		if w == "" || slices.Contains(known, w) {
			continue
		}
		all := make([]string, len(known))
		for i, k := range known {
			all[i] = string(k)
		}
		return advice.With(fmt.Errorf("%s: %q is not a valid value", setting, string(w)), nearest.Hint(string(w), all))
	}
	return nil
}
