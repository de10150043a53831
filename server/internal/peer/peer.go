// Package peer determines the client of a request. Behind trusted proxies, it uses a header that these set, and never
// an entry that the client could have forged.
package peer

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// Headers in which proxies send the client's address.
const (
	XForwardedFor = "X-Forwarded-For"
	Forwarded     = "Forwarded" // RFC 7239
)

// Proxies describes the trusted proxies. The zero value trusts none.
type Proxies struct {
	Trusted []netip.Prefix
	Unix    bool // trust clients of a Unix socket, which its permissions restrict
	// Header is the header that all trusted proxies add entries to, in upper or lower case; [XForwardedFor] if empty.
	// The other header is ignored, because a proxy forwards the client's value of it unchanged.
	Header string
}

// Unix stands for proxies that connect over a Unix socket.
const Unix = "unix"

// Parse parses networks (10.0.0.0/8), addresses (10.0.0.1) and [Unix].
func Parse(words []string) (believed Proxies, err error) {
	for _, word := range words {
		if word == Unix {
			believed.Unix = true
			continue
		}
		p, err := netip.ParsePrefix(word)
		if err != nil {
			a, err := netip.ParseAddr(word)
			if err != nil || a.Zone() != "" {
				return Proxies{}, fmt.Errorf("%q is not an address such as 10.0.0.1, a network such as 10.0.0.0/8, or %s", word, Unix)
			}
			a = a.Unmap()
			p = netip.PrefixFrom(a, a.BitLen())
		}
		if p.Addr().Is4In6() { // it would never match, because such addresses are converted to IPv4
			return Proxies{}, fmt.Errorf("%q is a network of IPv4 in IPv6: write it as 10.0.0.0/8", word)
		}
		believed.Trusted = append(believed.Trusted, p.Masked())
	}
	return believed, nil
}

// Client returns the address of a request's client. It is the address of the connection or, if this is a trusted proxy,
// the last address in the header that is not a trusted proxy. The client could have forged the entries before that.
// forwarded reports whether the address is from the header. At an invalid entry, Client returns the proxy that wrote
// it.
func (p *Proxies) Client(r *http.Request) (client netip.Addr, forwarded bool) {
	client, ok := address(r.RemoteAddr)
	if !p.trustsPeer(client, ok) {
		return client, false
	}
	header := strings.Join(r.Header.Values(p.header()), ",")
	for header != "" && (!client.IsValid() || p.trusts(client)) {
		i := strings.LastIndexByte(header, ',')
		hop, ok := p.hop(strings.TrimSpace(header[i+1:]))
		if !ok {
			break
		}
		client, forwarded = hop, true
		header = header[:max(i, 0)]
	}
	return client, forwarded
}

// Encrypted reports whether the client used TLS: to this server, or, according to the header, to a trusted proxy.
func (p *Proxies) Encrypted(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	if from, ok := address(r.RemoteAddr); !p.trustsPeer(from, ok) {
		return false
	}
	if !strings.EqualFold(p.header(), Forwarded) {
		said := strings.Join(r.Header.Values("X-Forwarded-Proto"), ",")
		return strings.EqualFold(strings.TrimSpace(said[strings.LastIndexByte(said, ',')+1:]), "https")
	}
	said := strings.Join(r.Header.Values(Forwarded), ",")
	for part := range strings.SplitSeq(said[strings.LastIndexByte(said, ',')+1:], ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if strings.EqualFold(name, "proto") {
			return strings.EqualFold(strings.Trim(value, `"`), "https")
		}
	}
	return false
}

func (p *Proxies) header() string {
	if p.Header == "" {
		return XForwardedFor
	}
	return p.Header
}

// trustsPeer reports whether the peer of a connection is trusted. ok is false for a Unix socket, whose peer has no
// address.
func (p *Proxies) trustsPeer(a netip.Addr, ok bool) bool {
	if !ok {
		return p.Unix
	}
	return p.trusts(a)
}

func (p *Proxies) trusts(a netip.Addr) bool {
	for _, network := range p.Trusted {
		if network.Contains(a) {
			return true
		}
	}
	return false
}

// hop parses one entry of the header. In Forwarded, the address is for=ADDRESS among other parameters. A quoted comma
// or semicolon makes the entry invalid.
func (p *Proxies) hop(text string) (netip.Addr, bool) {
	if !strings.EqualFold(p.header(), Forwarded) {
		return address(text)
	}
	for part := range strings.SplitSeq(text, ";") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if ok && strings.EqualFold(name, "for") {
			return address(strings.Trim(value, `"`))
		}
	}
	return netip.Addr{}, false
}

// address parses 10.0.0.1, 10.0.0.1:4711, ::1, [::1] and [::1]:4711.
func address(text string) (netip.Addr, bool) {
	if with, err := netip.ParseAddrPort(text); err == nil {
		return with.Addr().Unmap().WithZone(""), true
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	return a.Unmap().WithZone(""), err == nil
}
