package export

import (
	"io"
	"net/netip"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/value"
)

// local are the names that every machine has for itself and for groups of machines; a fleet must not change their
// addresses.
var local = []string{"localhost", "localhost.localdomain", "localhost4", "localhost6", "broadcasthost", "ip6-localhost", "ip6-loopback", "ip6-localnet", "ip6-mcastprefix", "ip6-allnodes", "ip6-allrouters", "ip6-allhosts"}

func isLocal(name string) bool { return slices.Contains(local, strings.ToLower(name)) }

// writeEtcHosts returns the format hosts: an address and a name per line.
func writeEtcHosts(e *exporter, w io.Writer, hosts []host) error {
	out := leftOut{what: "omitted"}
	for _, h := range unique(hosts, &out) {
		address, ok := value.ParseAddress(h.IPAddress)
		switch {
		case !ok:
			out.add("ip_address is not an IP address", h.name)
			continue
		case value.IsPlaceholderAddress(address):
			out.add("ip_address is a placeholder, which would override the address in DNS", h.name)
			continue
		case !isHostName(h.name):
			out.add("the name is not a valid host name: only letters, digits and hyphens are allowed, in parts separated by dots", h.name)
			continue
		case isLocal(h.name):
			out.add("every machine uses this name for itself", h.name)
			continue
		}
		if _, err := io.WriteString(w, address+" "+h.name+"\n"); err != nil {
			return err
		}
	}
	out.print(e)
	return nil
}

// isHostName reports whether a name is a host name by RFC 1123; underscores, which are common, are allowed too.
// Addresses, and names that look like one, are not.
func isHostName(name string) bool {
	if len(name) > 253 {
		return false
	}
	last := ""
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.ContainsFunc(label, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
		}) {
			return false
		}
		last = label
	}
	_, err := netip.ParseAddr(name)
	return err != nil && strings.Trim(last, "0123456789") != "" && !strings.HasPrefix(strings.ToLower(last), "0x")
}
