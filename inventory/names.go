package inventory

import (
	"fmt"
	"strings"
	"unicode"
)

// ansibleHost is the variable with the address that Ansible connects to.
const ansibleHost = "ansible_host"

// hostName is what a device is called in the inventory.
func (f *Fleet) hostName(d *Device, form Hostname) string {
	switch form {
	case ByIPAddress:
		return d.IPAddress
	case Qualified:
		return f.cloudName(d.CloudID) + "/" + f.regionName(d.RegionID) + "/" + d.Name
	}
	return d.Name
}

func (f *Fleet) regionName(id int) string {
	if r := f.Regions[id]; r != nil {
		return r.Name
	}
	return fmt.Sprint(id)
}

// checkHostName refuses what Ansible takes as a name and then cannot address, or would execute: commas and space
// divide its host patterns, and ansible-core before 2.19 runs templates in names when plays show them.
func checkHostName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("is empty")
	case strings.Contains(name, ","):
		return fmt.Errorf("has a comma")
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return fmt.Errorf("has space or a control character")
	case isTemplate(name):
		return fmt.Errorf("looks like a template")
	}
	return nil
}

// place describes where a device is, for errors.
func (f *Fleet) place(d *Device) string {
	s := "cloud " + f.cloudName(d.CloudID) + ", region " + f.regionName(d.RegionID)
	if c := f.Cells[d.CellID]; c != nil {
		s += ", cell " + c.Name
	}
	return s
}

// groupName makes the name of a group of the kind's prefix and the names of objects.
func groupName(form GroupNames, prefix string, parts ...string) string {
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

// appendReadable writes an underscore for every character that Ansible does not want in a group's name.
func appendReadable(dst []byte, s string) []byte {
	for _, r := range s {
		if !alphanumeric(r) {
			r = '_'
		}
		dst = append(dst, byte(r))
	}
	return dst
}

// appendExact writes an underscore and two hexadecimal digits for every byte that is no ASCII letter or digit, the
// underscore too. Parts of a name are joined by two underscores, which no part can contain, so that different names
// stay different.
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
