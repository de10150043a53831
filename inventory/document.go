package inventory

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"runtime"
	"slices"
	"strings"
)

// level is a place of a chain above devices, nearest last.
type level uint8

const (
	levelProject level = iota
	levelCloud
	levelRegion
	levelCell
	levels
)

// groupPriority is what Ansible takes off a group instead of keeping it as a variable (contract A3).
const groupPriority = "ansible_group_priority"

// host is a host of the document.
type host struct {
	name   string
	device *Device
	base   *base
	above  Variables // of its ancestors, merged; shared by its siblings
}

// base is what the hosts of one cell, or of one region without a cell, have in common: the variables of their
// cell, region, cloud and project, merged and encoded once.
type base struct{ entries []entry }

// entry is a variable of a base.
type entry struct {
	name   string
	text   string // "name":value, as it is written
	inHost bool   // is written into hosts; else a group carries it
}

// Document is an inventory, ready to be written: all names are decided, and nothing can fail but the writing.
type Document struct {
	o       Options
	f       *Fleet
	exclude *excluder
	hosts   []host            // sorted by name
	groups  []*group          // sorted by name
	all     Variables         // of the group all: the project's, in layered form
	alone   []int32           // hosts in no group
	inGroup [int(levels)]bool // whose variables groups carry
}

// Build decides everything about the inventory of a fleet. It is a pure function: the same fleet and options give the
// same document, byte for byte. Its errors are names that collide or that Ansible cannot take, and variables that
// Ansible could not load; each names the objects and the setting that helps.
func Build(f *Fleet, o Options) (*Document, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if err := f.checkHosts(); err != nil {
		return nil, err
	}
	doc := &Document{o: o, f: f, exclude: newExcluder(o.ExcludeVariables)}
	if err := doc.nameHosts(); err != nil {
		return nil, err
	}
	if err := doc.checkVariables(); err != nil {
		return nil, err
	}
	var err error
	if doc.groups, err = groups(f, &doc.o, doc.hosts); err != nil {
		return nil, err
	}
	doc.findAlone()
	doc.layer()
	doc.inherit()
	return doc, nil
}

// Size is how many hosts and groups the document has.
func (doc *Document) Size() (hosts, groups int) { return len(doc.hosts), len(doc.groups) }

// nameHosts names and sorts the hosts.
func (doc *Document) nameHosts() error {
	doc.hosts = make([]host, len(doc.f.Hosts))
	for i, d := range doc.f.Hosts {
		name := doc.f.hostName(d, doc.o.Hostname)
		if err := checkHostName(name); err != nil {
			return fmt.Errorf("%s (%s) cannot be in the inventory: its name there, %q, %w; rename it, or set hostname to another form",
				d, doc.f.place(d), name, err)
		}
		doc.hosts[i] = host{name: name, device: d}
	}
	slices.SortFunc(doc.hosts, func(a, b host) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return a.device.ID - b.device.ID
	})
	for i := 1; i < len(doc.hosts); i++ {
		if a, b := &doc.hosts[i-1], &doc.hosts[i]; a.name == b.name {
			return doc.f.sameName(a.name, a.device, b.device, doc.o.Hostname)
		}
	}
	return nil
}

// sameName is the error of two hosts with one name.
func (f *Fleet) sameName(name string, a, b *Device, form Hostname) error {
	help := "set hostname to qualified"
	if form == Qualified {
		help = "rename one of them"
	}
	return fmt.Errorf("two hosts are called %q: %s in %s, and %s in %s; %s", name, a, f.place(a), b, f.place(b), help)
}

// checkVariables looks at every variable that the inventory may hold.
func (doc *Document) checkVariables() error {
	f := doc.f
	seen := map[*Device]bool{} // ancestors
	places := map[*Place]bool{}
	for _, d := range f.Hosts {
		for at := d; at != nil && !seen[at]; at = f.Devices[at.ParentID] {
			if at != d {
				seen[at] = true
			}
			if err := doc.check(at, at.Variables); err != nil {
				return err
			}
		}
		for i, p := range []*Place{f.Cells[d.CellID], f.Regions[d.RegionID], f.Clouds[d.CloudID]} {
			if p == nil || places[p] {
				continue
			}
			places[p] = true
			if err := doc.check(described{[]string{"cell", "region", "cloud"}[i], p}, p.Variables); err != nil {
				return err
			}
		}
	}
	for id, v := range f.Projects {
		if err := doc.check(described{"project", id}, v); err != nil {
			return err
		}
	}
	return nil
}

// described is an object's name in errors.
type described struct {
	kind string
	what any
}

func (d described) String() string { return fmt.Sprintf("%s %v", d.kind, d.what) }

func (doc *Document) check(owner fmt.Stringer, v Variables) error {
	for i := range v {
		name := v[i].Name
		if doc.exclude.excludes(name) {
			continue
		}
		if name == doc.o.Facts && name != "" {
			return fmt.Errorf("%s has a variable %q, which is what the host's facts are called; set facts to another name, or exclude_variables to this one", owner, name)
		}
		if isMark(name) {
			return fmt.Errorf("%s has a variable %q, which Ansible would take for a mark of its own; delete it, or set exclude_variables to it", owner, name)
		}
		if err := loadable(v[i].Value); err != nil {
			return fmt.Errorf("the variable %q of %s %w, which Ansible cannot load; change it, or set exclude_variables to it", name, owner, err)
		}
	}
	return nil
}

// findAlone finds hosts in no group. Ansible drops hosts that only hostvars name (contract A3), so they are listed
// as ungrouped.
func (doc *Document) findAlone() {
	grouped := make([]bool, len(doc.hosts))
	for _, g := range doc.groups {
		for _, i := range g.hosts {
			grouped[i] = true
		}
	}
	for i, in := range grouped {
		if !in {
			doc.alone = append(doc.alone, int32(i))
		}
	}
}

// layer decides which variables groups carry. In layered form each group carries its place's own variables, and as
// the nesting of groups is the chain of every host in them, Ansible merges what a host has: a deeper group wins
// whatever its name (contract A5). A level without groups, and the project's where hosts have several, stay with hosts.
func (doc *Document) layer() {
	if doc.o.Vars != Layered {
		return
	}
	doc.inGroup[levelCloud] = doc.o.has(CloudGroups)
	doc.inGroup[levelRegion] = doc.o.has(RegionGroups)
	doc.inGroup[levelCell] = doc.o.has(CellGroups)
	projects := map[string]bool{}
	for i := range doc.hosts {
		projects[doc.hosts[i].device.ProjectID] = true
	}
	if len(projects) != 1 {
		return
	}
	doc.inGroup[levelProject] = true
	for id := range projects {
		doc.all = doc.groupVariables(doc.f.Projects[id])
	}
}

// groupVariables are those that a group may carry.
func (doc *Document) groupVariables(v Variables) Variables {
	v = doc.exclude.keep(v)
	if _, has := v.find(groupPriority); !has {
		return v
	}
	return slices.DeleteFunc(slices.Clone(v), func(one Variable) bool { return one.Name == groupPriority })
}

// inherit gives every host what it shares with others.
func (doc *Document) inherit() {
	type place struct {
		project             string
		cloud, region, cell int
	}
	bases := map[place]*base{}
	above := map[int]Variables{} // by the parent's id: its variables over those of its own ancestors
	var merged func(id int) Variables
	merged = func(id int) Variables {
		p := doc.f.Devices[id]
		if p == nil {
			return nil
		}
		v, known := above[id]
		if !known {
			v = over(doc.exclude.keep(p.Variables), merged(p.ParentID))
			above[id] = v
		}
		return v
	}
	for i := range doc.hosts {
		h := &doc.hosts[i]
		d := h.device
		at := place{d.ProjectID, d.CloudID, d.RegionID, d.CellID}
		if bases[at] == nil {
			bases[at] = doc.base(d)
		}
		h.base, h.above = bases[at], merged(d.ParentID)
	}
}

// base merges and encodes the variables above a device.
func (doc *Document) base(d *Device) *base {
	var own [levels]Variables
	own[levelProject] = doc.f.Projects[d.ProjectID]
	for l, p := range map[level]*Place{levelCloud: doc.f.Clouds[d.CloudID], levelRegion: doc.f.Regions[d.RegionID], levelCell: doc.f.Cells[d.CellID]} {
		if p != nil {
			own[l] = p.Variables
		}
	}
	var all Variables
	for _, v := range own {
		all = over(doc.exclude.keep(v), all)
	}
	b := &base{entries: make([]entry, len(all))}
	var text []byte
	ends := make([]int, len(all))
	for i, one := range all {
		text = append(appendQuoted(text, one.Name), ':')
		text = appendValue(text, one.Value, doc.o.TrustTemplates)
		ends[i] = len(text)
	}
	kept, from := string(text), 0
	for i, one := range all {
		b.entries[i] = entry{name: one.Name, text: kept[from:ends[i]], inHost: one.Name == groupPriority || !doc.inGroup[source(own, one.Name)]}
		from = ends[i]
	}
	return b
}

// source is the level that supplies a variable: the nearest that has it.
func source(own [levels]Variables, name string) level {
	for l := levelCell; l > levelProject; l-- {
		if _, has := own[l].find(name); has {
			return l
		}
	}
	return levelProject
}

// appendHost appends the object of a host's variables, sorted by name.
func (doc *Document) appendHost(dst []byte, h *host) []byte {
	trust := doc.o.TrustTemplates
	mine := over(doc.exclude.keep(h.device.Variables), h.above)
	shared := h.base.entries
	computed := doc.computed(h.device)
	dst = append(dst, '{')
	begin := len(dst)
	comma := func() {
		if len(dst) > begin {
			dst = append(dst, ',')
		}
	}
	for len(mine) > 0 || len(shared) > 0 || len(computed) > 0 {
		var name string
		isMine := len(mine) > 0 && (len(shared) == 0 || mine[0].Name <= shared[0].name)
		isShared := !isMine && len(shared) > 0
		switch {
		case isMine:
			name = mine[0].Name
		case isShared:
			name = shared[0].name
		}
		if len(computed) > 0 {
			if !isMine && !isShared || computed[0] < name {
				comma()
				dst = doc.appendComputed(dst, computed[0], h.device)
				computed = computed[1:]
				continue
			}
			if computed[0] == name { // set on purpose: ansible_host
				computed = computed[1:]
			}
		}
		if isMine {
			comma()
			dst = append(appendQuoted(dst, name), ':')
			dst = appendValue(dst, mine[0].Value, trust)
			mine = mine[1:]
			if len(shared) > 0 && shared[0].name == name {
				shared = shared[1:]
			}
			continue
		}
		if shared[0].inHost {
			comma()
			dst = append(dst, shared[0].text...)
		}
		shared = shared[1:]
	}
	return append(dst, '}')
}

// computed are the variables that the inventory adds, sorted.
func (doc *Document) computed(d *Device) []string {
	var names []string
	if d.IPAddress != "" {
		names = append(names, ansibleHost)
	}
	if doc.o.Facts != "" {
		names = append(names, doc.o.Facts)
		slices.Sort(names)
	}
	return names
}

func (doc *Document) appendComputed(dst []byte, name string, d *Device) []byte {
	dst = append(appendQuoted(dst, name), ':')
	if name == doc.o.Facts {
		return doc.appendFacts(dst, d)
	}
	return appendText(dst, d.IPAddress, doc.o.TrustTemplates)
}

// appendFacts appends what Craton knows of a device itself. Every member is always there, null where there is none.
func (doc *Document) appendFacts(dst []byte, d *Device) []byte {
	trust := doc.o.TrustTemplates
	text := func(name, value string) {
		dst = append(append(dst, name...), ':')
		dst = appendTextOrNull(dst, value, trust)
	}
	id := func(name string, value int) {
		dst = append(append(dst, name...), ':')
		dst = appendID(dst, value)
	}
	cell, parent := "", ""
	if c := doc.f.Cells[d.CellID]; c != nil {
		cell = c.Name
	}
	if p := doc.f.Devices[d.ParentID]; p != nil {
		parent = p.Name
	}
	dst = append(dst, `{"active":`...)
	if d.Active {
		dst = append(dst, "true"...)
	} else {
		dst = append(dst, "false"...)
	}
	text(`,"cell"`, cell)
	id(`,"cell_id"`, d.CellID)
	text(`,"cloud"`, doc.f.cloudName(d.CloudID))
	id(`,"cloud_id"`, d.CloudID)
	text(`,"device_type"`, d.DeviceType)
	id(`,"id"`, d.ID)
	text(`,"ip_address"`, d.IPAddress)
	text(`,"kind"`, d.Kind.String())
	dst = append(dst, `,"labels":`...)
	dst = doc.appendLabels(dst, d.Labels)
	if d.Model != nil {
		text(`,"model_name"`, d.Model.Name)
	}
	text(`,"name"`, d.Name)
	text(`,"note"`, d.Note)
	if d.Model != nil {
		text(`,"os_version"`, d.Model.OSVersion)
	}
	text(`,"parent"`, parent)
	id(`,"parent_id"`, d.ParentID)
	text(`,"project_id"`, d.ProjectID)
	text(`,"region"`, doc.f.regionName(d.RegionID))
	id(`,"region_id"`, d.RegionID)
	if d.Model != nil {
		text(`,"vlans"`, d.Model.VLANs)
	}
	return append(dst, '}')
}

// appendLabels appends labels, null where they are not known.
func (doc *Document) appendLabels(dst []byte, labels []string) []byte {
	if labels == nil {
		return append(dst, "null"...)
	}
	dst = append(dst, '[')
	for i, l := range labels {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(dst, l, doc.o.TrustTemplates)
	}
	return append(dst, ']')
}

// appendGroup appends the object of a group. It has hosts, even if none, unless it has something else: Ansible takes
// an empty group for a host, and refuses null (contract A3).
func (doc *Document) appendGroup(dst []byte, g *group) []byte {
	var vars Variables
	if g.place != nil && doc.inGroup[g.level] {
		vars = doc.groupVariables(g.place.Variables)
	}
	dst = append(dst, '{')
	if len(g.children) > 0 {
		dst = append(dst, `"children":`...)
		dst = append(appendNames(dst, g.children), ',')
	}
	if len(g.hosts) > 0 || len(g.children)+len(vars) == 0 {
		dst = append(dst, `"hosts":`...)
		dst = append(doc.appendHosts(dst, g.hosts), ',')
	}
	if len(vars) > 0 {
		dst = append(dst, `"vars":`...)
		dst = append(doc.appendVariables(dst, vars), ',')
	}
	dst[len(dst)-1] = '}'
	return dst
}

func (doc *Document) appendHosts(dst []byte, hosts []int32) []byte {
	dst = append(dst, '[')
	for i, h := range hosts {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendQuoted(dst, doc.hosts[h].name)
	}
	return append(dst, ']')
}

func (doc *Document) appendVariables(dst []byte, v Variables) []byte {
	dst = append(dst, '{')
	for i, one := range v {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendQuoted(dst, one.Name), ':')
		dst = appendValue(dst, one.Value, doc.o.TrustTemplates)
	}
	return append(dst, '}')
}

// Write writes the document as JSON, with a newline at its end: {"_meta": {"hostvars": {HOST: variables}}, GROUP:
// {children, hosts, vars}}, all sorted by name. pretty indents it as encoding/json does; otherwise each host and group
// is a line. It writes as it goes, a host at a time, so the document is never in memory as a whole.
func (doc *Document) Write(w io.Writer, pretty bool) error {
	out := &writer{w: bufio.NewWriterSize(w, 1<<16), pretty: pretty}
	out.open("_meta")
	out.open("hostvars")
	for name, variables := range doc.encodedHosts() {
		out.member(name, variables)
	}
	var buf []byte
	out.close()
	out.close()
	if len(doc.all) > 0 {
		out.member("all", doc.appendAll(buf[:0]))
	}
	alone := len(doc.alone) > 0
	for _, g := range doc.groups {
		if alone && g.name > "ungrouped" {
			alone = false
			out.member("ungrouped", doc.appendAlone(buf[:0]))
		}
		buf = doc.appendGroup(buf[:0], g)
		out.member(g.name, buf)
	}
	if alone {
		out.member("ungrouped", doc.appendAlone(buf[:0]))
	}
	return out.end()
}

// encodeAhead is how many hosts are encoded at a time.
const encodeAhead = 32

// encodedHosts are the hosts' names and the objects of their variables, in order; an object is good until the next.
// All processors encode, each a few hosts ahead of those that are written, into buffers that are used again.
func (doc *Document) encodedHosts() iter.Seq2[string, []byte] {
	type part struct {
		text []byte
		ends []int
	}
	return func(yield func(string, []byte) bool) {
		processors := runtime.GOMAXPROCS(0)
		free := make(chan *part, processors+1)
		for range cap(free) {
			free <- &part{}
		}
		parts := make(chan chan *part, cap(free)) // in order; never full
		stop := make(chan struct{})
		defer close(stop)
		go func() {
			defer close(parts)
			for hosts := range slices.Chunk(doc.hosts, encodeAhead) {
				var p *part
				select {
				case p = <-free:
				case <-stop:
					return
				}
				encoded := make(chan *part, 1)
				parts <- encoded
				go func() {
					p.text, p.ends = p.text[:0], p.ends[:0]
					for i := range hosts {
						p.text = doc.appendHost(p.text, &hosts[i])
						p.ends = append(p.ends, len(p.text))
					}
					encoded <- p
				}()
			}
		}()
		next := doc.hosts
		for encoded := range parts {
			p, from := <-encoded, 0
			for _, end := range p.ends {
				if !yield(next[0].name, p.text[from:end]) {
					return
				}
				next, from = next[1:], end
			}
			free <- p
		}
	}
}

// appendAll is the group all with the project's variables. Ansible makes every group its child in the end, but only when
// all sources are read: named here, the variables are there for the sources after this one, such as a constructed file.
func (doc *Document) appendAll(dst []byte) []byte {
	var top []string
	for _, g := range doc.groups {
		if g.place != nil && !g.child {
			top = append(top, g.name)
		}
	}
	dst = append(dst, '{')
	if len(top) > 0 {
		dst = append(appendNames(append(dst, `"children":`...), top), ',')
	}
	return append(doc.appendVariables(append(dst, `"vars":`...), doc.all), '}')
}

func (doc *Document) appendAlone(dst []byte) []byte {
	return append(doc.appendHosts(append(dst, `{"hosts":`...), doc.alone), '}')
}

// writer writes nested objects member by member.
type writer struct {
	w      *bufio.Writer
	pretty bool
	depth  int  // of objects that are open, the outermost not counted
	filled bool // the innermost open object has a member
	buf    bytes.Buffer
	any    bool // something was written
}

// begin writes what stands before a member, and its name.
func (w *writer) begin(name string) {
	switch {
	case !w.any:
		_ = w.w.WriteByte('{')
	case w.filled:
		_ = w.w.WriteByte(',')
	}
	if w.pretty || w.filled || w.depth > 1 {
		w.newline(w.depth + 1)
	}
	w.any, w.filled = true, true
	_, _ = w.w.Write(append(appendQuoted(nil, name), ':'))
	if w.pretty {
		_ = w.w.WriteByte(' ')
	}
}

// newline begins a line; pretty ones are indented.
func (w *writer) newline(depth int) {
	_ = w.w.WriteByte('\n')
	if w.pretty {
		for range depth {
			_, _ = w.w.WriteString("  ")
		}
	}
}

func (w *writer) open(name string) {
	w.begin(name)
	_ = w.w.WriteByte('{')
	w.depth, w.filled = w.depth+1, false
}

func (w *writer) close() {
	if w.pretty && w.filled {
		w.newline(w.depth)
	}
	_ = w.w.WriteByte('}')
	w.depth, w.filled = w.depth-1, true
}

// member writes a member whose value is compact JSON.
func (w *writer) member(name string, value []byte) {
	w.begin(name)
	if !w.pretty {
		_, _ = w.w.Write(value)
		return
	}
	w.buf.Reset()
	_ = json.Indent(&w.buf, value, strings.Repeat("  ", w.depth+1), "  ") // the value is well formed
	_, _ = w.w.Write(w.buf.Bytes())
}

// end closes the outermost object. Errors of all writes come out here.
func (w *writer) end() error {
	if w.pretty {
		w.newline(0)
	}
	_, _ = w.w.WriteString("}\n")
	return w.w.Flush()
}
