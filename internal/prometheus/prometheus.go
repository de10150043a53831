// Package prometheus converts hosts to targets for Prometheus: elements of the JSON that file_sd_configs and
// http_sd_configs read.
//
//	o := prometheus.Options{Port: "9100"}
//	target, problems := o.Append(nil, &host)
//	// {"targets":["10.20.0.11:9100"],"labels":{"cloud":"east",...}}
//
// The command line (`craton export --format prometheus`) and the server (GET /v1/prometheus) both use it, so that their
// targets are equal. docs/export.md is the manual.
package prometheus

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// The default names of the variables that determine how a host is scraped.
const (
	PortVariable   = "metrics_port"
	PathVariable   = "metrics_path"
	SchemeVariable = "metrics_scheme"
)

// Options determine how hosts become targets. Start from DefaultOptions.
type Options struct {
	Port string // of hosts without a port in their variables; "": addresses without a port
	// The variables with a host's port, path and scheme; "" for none.
	PortVariable, PathVariable, SchemeVariable string
	// AddressVariable is the variable with the address or name to connect to; without it, or if it is "", it is the
	// ip_address.
	AddressVariable string
	Labels          []Label // in addition to those of every target
}

// DefaultOptions returns options with the default variables.
func DefaultOptions() Options {
	return Options{PortVariable: PortVariable, PathVariable: PathVariable, SchemeVariable: SchemeVariable}
}

// Label is a label with the value of a variable.
type Label struct{ Name, Variable string }

// Host is the data of a target.
type Host struct {
	Name, Address, Cloud, Region, Cell, Type string
	Active                                   bool
	Labels                                   []string
	Variable                                 func(name string) (json string, ok bool) // resolved
}

// Labels of targets; those that begin with __meta_ are removed after relabelling.
const (
	labelHost   = "host"
	labelCloud  = "cloud"
	labelRegion = "region"
	labelCell   = "cell"
	labelType   = "device_type"

	meta         = "__meta_"
	metaActive   = meta + "craton_active"
	metaLabels   = meta + "craton_labels"
	metaLabel    = meta + "craton_label_"
	metaProblem  = meta + "craton_problem"
	param        = "__param_"
	labelPath    = "__metrics_path__"
	labelScheme  = "__scheme__"
	labelReserve = "__"
)

// ParseLabels parses words such as role and team=owner, whose second part is the variable.
func ParseLabels(words []string) (labels []Label) {
	for _, word := range words {
		name, variable, given := strings.Cut(word, "=")
		if !given {
			variable, name = word, labelName(word)
		}
		labels = append(labels, Label{name, variable})
	}
	return labels
}

// Check returns an error for invalid options.
func (o *Options) Check() error {
	if o.Port != "" && portOf(o.Port) == "" {
		return fmt.Errorf("%q is not a port; give a number from 1 to 65535", value.Brief(o.Port))
	}
	taken := []string{labelHost, labelCloud, labelRegion, labelCell, labelType, metaActive, metaLabels, metaProblem}
	for _, l := range o.Labels {
		switch {
		case l.Variable == "" || l.Name == "":
			return errors.New("a label is empty; give the name of a variable, or LABEL=VARIABLE")
		case labelName(l.Name) != l.Name:
			return fmt.Errorf("%q is not a valid label name in Prometheus; use letters, digits and _, and do not begin with a digit", value.Brief(l.Name))
		case strings.HasPrefix(l.Name, labelReserve) && !strings.HasPrefix(l.Name, meta) && !strings.HasPrefix(l.Name, param):
			return fmt.Errorf("the label %s is Prometheus's own; of those that begin with __ only %s... and %s... can be set", l.Name, meta, param)
		case slices.Contains(taken, l.Name), strings.HasPrefix(l.Name, metaLabel):
			return fmt.Errorf("two labels would be called %s; write OTHER=%s", l.Name, l.Variable)
		}
		taken = append(taken, l.Name)
	}
	return nil
}

// connectVariable has the name or address of a host whose ip_address is only a placeholder ([value.PlaceholderPrefix]).
const connectVariable = "ansible_host"

// Variables returns the variables from which targets are made.
func (o *Options) Variables() (names []string) {
	for _, name := range []string{o.PortVariable, o.PathVariable, o.SchemeVariable, o.AddressVariable, connectVariable} {
		if name != "" {
			names = append(names, name)
		}
	}
	for _, l := range o.Labels {
		names = append(names, l.Variable)
	}
	return names
}

// Append appends the target of a host. A variable that cannot be used counts as missing: one bad value must not hide a
// host, let alone all others. The problems name it, and so does the label __meta_craton_problem. A host without a
// usable address is not a target: nothing is appended.
func (o *Options) Append(dst []byte, h *Host) (target []byte, problems []string) {
	text := func(variable string, good func(string) bool) string {
		if variable == "" {
			return ""
		}
		raw, ok := h.Variable(variable)
		s := labelValue(raw)
		switch {
		case !ok || raw == "null":
			return ""
		case !good(s):
			problems = append(problems, fmt.Sprintf("%s is not usable: %s", variable, value.Escape(value.Brief(s))))
			return ""
		}
		return s
	}
	address := h.Address
	if other := text(o.AddressVariable, isHost); other != "" {
		address = other
	}
	if value.IsPlaceholderAddress(address) { // of a host that was imported by its name only
		if address = text(connectVariable, isHost); address == "" {
			return dst, append(problems, "ip_address is only a placeholder, and "+connectVariable+" is not usable")
		}
	}
	if !isHost(address) {
		return dst, append(problems, "ip_address is not usable: "+value.Escape(value.Brief(address)))
	}
	port := portOf(text(o.PortVariable, func(s string) bool { return portOf(s) != "" }))
	if port == "" {
		port = portOf(o.Port)
	}
	switch {
	case port != "":
		address = net.JoinHostPort(strings.Trim(address, "[]"), port)
	case strings.Contains(address, ":"):
		address = "[" + strings.Trim(address, "[]") + "]"
	}
	labels := map[string]string{labelHost: h.Name, labelCloud: h.Cloud, labelRegion: h.Region, labelCell: h.Cell, labelType: h.Type, metaActive: strconv.FormatBool(h.Active)}
	if path := text(o.PathVariable, isPath); path != "" {
		labels[labelPath] = path
	}
	if scheme := text(o.SchemeVariable, func(s string) bool { return s == "http" || s == "https" }); scheme != "" {
		labels[labelScheme] = scheme
	}
	if len(h.Labels) > 0 {
		labels[metaLabels] = "," + strings.Join(h.Labels, ",") + ","
		for _, l := range h.Labels {
			labels[metaLabel+labelRunes(l)] = "true"
		}
	}
	for _, l := range o.Labels {
		if raw, ok := h.Variable(l.Variable); ok && raw != "null" {
			labels[l.Name] = labelValue(raw)
		}
	}
	if len(problems) > 0 {
		labels[metaProblem] = strings.Join(problems, "; ")
	}
	dst = append(jsontext.AppendUTF8(append(dst, `{"targets":[`...), address), `],"labels":{`...)
	sep := ""
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if labels[name] == "" { // to Prometheus it is a missing label
			continue
		}
		dst = append(jsontext.AppendUTF8(append(dst, sep...), name), ':')
		dst, sep = jsontext.AppendUTF8(dst, labels[name]), ","
	}
	return append(dst, "}}"...), problems
}

// labelValue returns JSON as the value of a label: a string as it is, anything else as JSON.
func labelValue(raw string) string {
	if v := gjson.Parse(raw); v.Type == gjson.String {
		return v.Str
	}
	return raw
}

// portOf returns a port without leading zeros; "" if it is not one.
func portOf(text string) string {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}

// isPath reports whether a path needs no escaping in a URL.
func isPath(s string) bool {
	return strings.HasPrefix(s, "/") && len(s) <= 2000 && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune("\"<>\\^`{|}?#%", r)
	})
}

// isHost reports whether a text is an address, or a name to which a connection can be made.
func isHost(s string) bool {
	if _, ok := value.ParseAddress(s); ok {
		return true
	}
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || strings.ContainsFunc(label, func(r rune) bool { return !isLetter(r) && r != '-' && (r < '0' || r > '9') }) {
			return false
		}
	}
	return true
}

func isLetter(r rune) bool { return r == '_' || r < unicode.MaxASCII && unicode.IsLetter(r) }

// labelName makes the name of a label.
func labelName(s string) string {
	name := labelRunes(s)
	if name != "" && name[0] >= '0' && name[0] <= '9' {
		name = "_" + name
	}
	return name
}

// labelRunes writes an underscore for all that a label's name cannot hold.
func labelRunes(s string) string {
	return strings.Map(func(r rune) rune {
		if isLetter(r) || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, s)
}
