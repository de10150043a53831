package export

import (
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/value"
)

// writeSSH returns the format ssh-config: a block for each host, with the parameters with which Ansible connects.
//
// Only values with an unambiguous meaning to ssh are written: no quotes, no blanks, no %, no $. A host with any other
// value is left out completely, because a connection to another machine, or as another user, would be worse than none.
func writeSSH(e *exporter, w io.Writer, hosts []host) error {
	out, odd := leftOut{what: "omitted"}, leftOut{what: "exported without their arguments for ssh"}
	var b strings.Builder
	for _, h := range unique(hosts, &out) {
		b.Reset()
		if err := h.block(&b, &odd); err != nil {
			out.add(err.Error(), h.name)
			continue
		}
		if _, err := io.WriteString(w, b.String()); err != nil {
			return err
		}
	}
	out.print(e)
	odd.print(e)
	return nil
}

// Words that have a meaning of their own in ssh's configuration.
var (
	sshUser  = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.@+-]*$`)
	sshFile  = regexp.MustCompile(`^[A-Za-z0-9_./~][A-Za-z0-9_./~@+=,:-]*$`)
	sshJump  = regexp.MustCompile(`^` + hop + `(?:,` + hop + `)*$`)
	jumpArgs = regexp.MustCompile(`^(?:-J *|-o *ProxyJump[ =])("?)([^"' ]+)("?)$`)
)

const hop = `(?:[A-Za-z0-9_][A-Za-z0-9_.+-]*@)?(?:[A-Za-z0-9_][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?`

// block writes the block of a host. odd collects what is missing in it.
func (h *host) block(b *strings.Builder, odd *leftOut) error {
	if !h.isAlias() {
		return reasonf("ssh would take the name for something else, or for another machine")
	}
	address, from, err := plainText(h, "ansible_ssh_host", "ansible_host")
	if err != nil {
		return err
	}
	if address == "" {
		address, from = h.IPAddress, "ip_address"
	}
	if ip, ok := value.ParseAddress(address); ok {
		address = ip
	} else if !isHostName(address) { // ssh reads 10.1 as 10.0.0.1
		return reasonf("%s is not an address or host name", from)
	}
	b.WriteString("Host " + h.name + "\n  HostName " + address + "\n")
	for _, option := range []struct {
		keyword   string
		variables []string // the first one applies, as in Ansible
		good      func(string) bool
	}{
		{"User", []string{"ansible_ssh_user", "ansible_user"}, sshUser.MatchString},
		{"Port", []string{"ansible_ssh_port", "ansible_port"}, isPort},
		{"IdentityFile", []string{"ansible_ssh_private_key_file", "ansible_private_key_file"}, func(s string) bool { return sshFile.MatchString(s) && s != "none" }},
	} {
		text, from, err := plainText(h, option.variables...)
		switch {
		case err != nil:
			return err
		case text == "":
		case !option.good(text):
			return reasonf("ssh would read %s as something else", from)
		default:
			b.WriteString("  " + option.keyword + " " + text + "\n")
		}
	}
	common, _, err := plainText(h, "ansible_ssh_common_args")
	if err != nil {
		return err
	}
	if jump := jumpOf(common); jump != "" {
		b.WriteString("  ProxyJump " + jump + "\n")
	} else if strings.TrimSpace(common) != "" {
		odd.add("ansible_ssh_common_args contains more than a ProxyJump", h.name)
	}
	for _, name := range []string{"ansible_ssh_extra_args", "ansible_ssh_args"} {
		if extra, _, err := plainText(h, name); err != nil || strings.TrimSpace(extra) != "" {
			odd.add(name, h.name)
		}
	}
	return nil
}

// isAlias reports whether a block with the host's name applies only to that name: it is not a pattern, and no address
// except the host's own. Names with slashes come from the inventory's hostname qualified.
func (h *host) isAlias() bool {
	if ip, ok := value.ParseAddress(h.name); ok {
		return ip == h.name && value.EqualAddress(ip, h.IPAddress)
	}
	for part := range strings.SplitSeq(h.name, "/") {
		if !isHostName(part) || isLocal(part) {
			return false
		}
	}
	return true
}

func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0 && text[0] != '0'
}

// jumpOf returns the ProxyJump that arguments of ssh consist of; "" if they contain anything else.
func jumpOf(args string) string {
	m := jumpArgs.FindStringSubmatch(strings.TrimSpace(args))
	if m == nil || m[1] != m[3] || !sshJump.MatchString(m[2]) || strings.EqualFold(m[2], "none") {
		return ""
	}
	return m[2]
}
