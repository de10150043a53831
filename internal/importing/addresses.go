package importing

import (
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/internal/value"
)

// addresses determines the address of each host. If Ansible connects to something else, the host gets ansible_host.
func (p *planner) addresses() {
	var unknown []int
	for i, h := range p.hosts {
		resolved := p.v.Resolved[h]
		known := resolved[hostAddress]
		for _, v := range []*Value{resolved["ansible_ssh_host"], known} {
			if text, ok := textOf(v); ok && p.address[i] == "" {
				p.address[i], _ = value.ParseAddress(text)
			}
		}
		if known == nil && p.address[i] == "" {
			if p.address[i], _ = value.ParseAddress(h); p.address[i] != "" && p.address[i] == h {
				continue
			}
		}
		if known == nil && resolved["ansible_ssh_host"] == nil { // Ansible connects to its name, as before
			p.own[i][hostAddress] = p.v.values.text(h)
			p.report.Named = append(p.report.Named, h)
		}
		if p.address[i] != "" {
			continue
		}
		unknown = append(unknown, i)
	}
	p.lookUp(unknown)
	for _, i := range unknown {
		if p.address[i] != "" {
			p.report.Looked++
			continue
		}
		p.address[i] = value.PlaceholderAddress(p.hosts[i])
		p.report.Placeholders = append(p.report.Placeholders, p.hosts[i])
	}
}

// lookUps is the number of concurrent DNS requests: one for an unknown name may take seconds.
const lookUps = 32

// lookUp determines the addresses of hosts.
func (p *planner) lookUp(unknown []int) {
	if p.o.Address == nil {
		return
	}
	var all errgroup.Group
	all.SetLimit(lookUps)
	for _, i := range unknown {
		name, known := p.hosts[i], p.v.Resolved[p.hosts[i]][hostAddress]
		if text, ok := textOf(known); ok && !known.Template {
			name = text
		}
		all.Go(func() error {
			p.address[i], _ = value.ParseAddress(p.o.Address(name))
			return nil
		})
	}
	_ = all.Wait() // an unknown host has no address
}

// textOf returns the text of a value that is a text.
func textOf(v *Value) (string, bool) {
	if v == nil {
		return "", false
	}
	decoded, err := value.Decode([]byte(v.JSON))
	if err != nil {
		return "", false
	}
	s, ok := decoded.(string)
	return s, ok
}

// quoted returns a text as JSON.
func quoted(s string) string {
	raw, err := value.Encode(s)
	if err != nil {
		return fmt.Sprintf("%q", s)
	}
	return string(raw)
}
