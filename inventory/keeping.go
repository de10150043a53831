package inventory

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/internal/when"
	"github.com/craton-fleet/craton/inventory/internal/ansible"
	"github.com/craton-fleet/craton/inventory/internal/command"
	"github.com/craton-fleet/craton/inventory/internal/kept"
)

// keeping determines how inventories are cached from one run to the next.
type keeping struct {
	off, refresh bool
	dir          string        // "": the user's cache directory
	maxAge       time.Duration // of inventories from servers without revisions; 0: none
	stale        time.Duration // maximum age of an inventory that is used if the server cannot be reached; 0: none
	guard        int           // maximum percentage of hosts that may be lost; -1: no maximum
}

// needed reports whether a setting relies on the cache, so that it must be an error if nothing can be cached.
func (k *keeping) needed() bool { return k.maxAge > 0 || k.stale > 0 || k.guard >= 0 }

const needsCache = "max_age, stale_if_error and shrink_guard need a cached inventory"

// The settings that do not affect the contents of an inventory.
var outputNeutral = []string{"cache", "cache_dir", "max_age", "stale_if_error", "shrink_guard", "limit", "streams"}

func keepingFromSettings(v *settings.Values) (keeping, error) {
	k := keeping{
		off: v.String("inventory.cache") == "off", refresh: v.String("inventory.cache") == "refresh", dir: v.String("inventory.cache_dir"),
		maxAge: v.Duration("inventory.max_age"), stale: v.Duration("inventory.stale_if_error"), guard: -1,
	}
	if text := v.String("inventory.shrink_guard"); text != none {
		n, err := strconv.Atoi(strings.TrimSuffix(text, "%"))
		if err != nil || n < 0 || n > 100 {
			return k, fmt.Errorf("shrink_guard (%s) must be a percentage, such as 30%%, or none, not %q", v.Origin("inventory.shrink_guard"), text)
		}
		k.guard = n
	}
	if k.off { // which is off, with everything that relies on it
		return keeping{off: true, guard: -1}, nil
	}
	return k, nil
}

// lister returns complete inventories, including cached ones.
type lister struct {
	keeping
	v        *settings.Values
	o        Options
	key      string
	fleet    string // in words
	settings string // the setting, in words, that relies on the cache
	client   func(ctx context.Context) (*craton.Client, error)
	now      func() time.Time

	store   *kept.Store
	old     *kept.Entry // the cached inventory; nil: none
	current bool        // old was made by this program
}

// newLister returns a lister for settings.
func newLister(v *settings.Values, o Options, client func(ctx context.Context) (*craton.Client, error)) (*lister, error) {
	k, err := keepingFromSettings(v)
	return &lister{keeping: k, v: v, o: o, client: client, now: time.Now}, err
}

// find opens the cached inventory. If nothing can be cached, that is an error only if a setting relies on it; otherwise
// `craton doctor` and `craton cache` report it.
func (l *lister) find() error {
	if l.off {
		return nil
	}
	store, err := OpenKept(l.dir)
	switch {
	case err != nil && l.needed():
		return fmt.Errorf("%s: %w", needsCache, err)
	case err != nil:
		return nil //nolint:nilerr // see above
	}
	l.store = store
	if l.key, l.fleet, l.settings, err = keyOf(l.v, l.v, &l.o); err != nil {
		return err
	}
	l.old, _ = l.store.Find(l.key) // an unusable one counts as missing
	l.current = l.old != nil && l.old.Program == program()
	return nil
}

// keyOf returns the key under which an inventory is cached: it differs for each fleet, user, project, filter and form.
// It also returns a description. The values are those of the connection and those of the inventory.
func keyOf(of, v *settings.Values, o *Options) (key, fleet, set string, err error) {
	name, fleet, err := connect.Name(of)
	if err != nil {
		return "", "", "", err
	}
	all, told := []string{name, strconv.FormatBool(o.KeepMappings)}, []string{}
	for _, e := range v.Entries() {
		of, is := strings.CutPrefix(e.Key, "inventory.")
		if !is || slices.Contains(outputNeutral, of) {
			continue
		}
		all = append(all, e.Key+"="+e.Text())
		if e.Source.From != settings.FromDefault {
			told = append(told, of+"="+e.Text())
		}
	}
	if o.KeepMappings {
		told = append(told, "keep-mappings")
	}
	text, _ := json.Marshal(all) // marshalling strings never fails
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16]), fleet, strings.Join(told, " "), nil
}

// program identifies this build of this program: another one may make another document.
func program() string {
	id := connect.Version
	built := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" || s.Key == "vcs.modified" {
				built += " " + s.Value
			}
		}
	}
	if built == "" || strings.HasSuffix(built, "true") { // which cannot be distinguished from others built like it
		if path, err := os.Executable(); err == nil {
			if file, err := os.Stat(path); err == nil {
				built += fmt.Sprintf(" %d %d", file.Size(), file.ModTime().UnixNano())
			}
		}
	}
	return id + built
}

// list returns the inventory: the cached one if it is current, or else one that is read and then cached.
func (l *lister) list(ctx context.Context) (*command.Listing, error) {
	if err := l.find(); err != nil {
		return nil, err
	}
	listing, err := l.listPresent(ctx)
	if err != nil {
		listing, err = l.listStale(ctx, err)
	}
	if err != nil {
		l.old.Close()
		return nil, err
	}
	listing.Close = l.old.Close
	return listing, nil
}

func (l *lister) listPresent(ctx context.Context) (*command.Listing, error) {
	again := l.current && !l.refresh
	if again && l.old.Tag == "" && l.isFresh(l.old.Made, l.maxAge) && l.old.Check() == nil {
		return l.kept(), nil
	}
	c, err := l.client(ctx)
	if err != nil || l.store == nil {
		return l.listRead(ctx, c, craton.FleetMark{}, err)
	}
	known := ""
	if again {
		known = l.old.Tag
	}
	if known == "" && l.o.oneAnswer() && !l.o.filtersPlaces() { // which returns its own mark
		return l.listRead(ctx, c, craton.FleetMark{}, nil)
	}
	now, err := l.mark(ctx, c, known)
	switch {
	case craton.IsUnchanged(err):
		if l.old.Check() == nil {
			l.old.Touch(l.now())
			return l.kept(), nil
		}
		now = craton.FleetMark{Tag: l.old.Tag, Revision: l.old.Revision}
	case err != nil:
		return nil, err
	case again && known != "" && now.Tag != "" && l.o.At == (when.At{}):
		if b, err := renewed(ctx, c, &l.o, l.old, now); err == nil {
			return l.listBuilt(b, now)
		} else if ctx.Err() != nil {
			return nil, err
		}
	}
	return l.listRead(ctx, c, now, nil)
}

// isFresh reports whether a time is not longer ago than allowed, nor in the future.
func (l *lister) isFresh(at time.Time, most time.Duration) bool {
	age := l.now().Sub(at)
	return most > 0 && age >= 0 && age <= most
}

// kept returns the cached inventory.
func (l *lister) kept() *command.Listing {
	return &command.Listing{Write: func(w io.Writer) error { _, err := l.old.WriteTo(w); return err }}
}

// mark requests the mark of the fleet. A server that has none, or that returns an error with an explanation in the body
// only, has none.
func (l *lister) mark(ctx context.Context, c *craton.Client, known string) (craton.FleetMark, error) {
	m, err := c.FleetMark(ctx, craton.FleetOptions{Known: known, Past: craton.Past{At: l.o.At.String(), OmitHashed: l.o.OmitHashed}})
	if craton.StatusOf(err) != 0 {
		return craton.FleetMark{}, nil
	}
	return m, err
}

// marks is the maximum number of times that a fleet is read because it changes meanwhile.
const marks = 2

// listRead reads the complete fleet. It is cached with the mark of the single response from which it was read or, if it
// was read page by page, if the mark was the same before and afterwards.
func (l *lister) listRead(ctx context.Context, c *craton.Client, before craton.FleetMark, err error) (*command.Listing, error) {
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		f, err := Load(ctx, c, l.o)
		if err != nil {
			return nil, err
		}
		b := &builder{o: l.o, f: f}
		if s := f.Snapshot; s != nil && s.Part == (craton.FleetOptions{}) {
			return l.listBuilt(b, s.FleetMark)
		}
		if before.Tag == "" {
			return l.listBuilt(b, craton.FleetMark{})
		}
		after, err := l.mark(ctx, c, before.Tag)
		switch {
		case craton.IsUnchanged(err):
			return l.listBuilt(b, before)
		case err != nil || try == marks:
			return l.listBuilt(b, craton.FleetMark{})
		}
		before = after
	}
}

// listBuilt makes the document, and caches it when it is written: with the mark of its fleet, or without one if a
// setting relies on the cache.
func (l *lister) listBuilt(b *builder, of craton.FleetMark) (*command.Listing, error) {
	doc, err := b.build()
	if err != nil {
		return nil, err
	}
	if err := l.checkHostCount(doc); err != nil {
		return nil, err
	}
	if l.store == nil || of.Tag == "" && !l.needed() {
		return &command.Listing{Write: func(w io.Writer) error { return doc.Write(w, false) }}, nil
	}
	listing := &command.Listing{}
	listing.Write = func(w io.Writer) error {
		made := l.now()
		draft := l.store.Begin(l.key)
		places := make([]hostText, 0, len(b.hosts))
		err := doc.WriteNoting(io.MultiWriter(w, draft), func(p ansible.Place) {
			places = append(places, hostText{p, b.hosts[len(places)].device.ID, len(places)})
		})
		if err != nil {
			draft.Discard()
			return err
		}
		err = draft.Keep(kept.Header{
			Program: program(), Fleet: l.fleet, Settings: l.settings, Tag: of.Tag, Revision: of.Revision, Hosts: len(b.hosts), Made: made,
		}, appendIndex(nil, b.f, places))
		if err != nil && l.needed() { // the inventory is valid without it
			listing.Note = fmt.Sprintf("WARNING: %s, and this one cannot be cached: %v", needsCache, err)
		}
		return nil
	}
	return listing, nil
}

// minGuarded is the minimum number of hosts of an inventory for shrink_guard to apply.
const minGuarded = 10

// checkHostCount refuses an inventory that has lost too many of its hosts.
func (l *lister) checkHostCount(doc *Document) error {
	if l.guard < 0 || l.old == nil || l.old.Hosts < minGuarded {
		return nil
	}
	hosts, _ := doc.Size()
	lost := kept.Refusal{Fleet: l.fleet, Settings: l.settings, Hosts: hosts, Of: l.old.Hosts, At: l.now()}
	next := 0
	err := keptHosts(l.old.Reader(), func(name string, _ []byte) error {
		for next < hosts && doc.HostName(next) < name {
			next++
		}
		if next < hosts && doc.HostName(next) == name {
			return nil
		}
		if lost.Lost++; len(lost.Names) < 10 {
			lost.Names = append(lost.Names, name)
		}
		return nil
	}, nil)
	if err != nil {
		return nil //nolint:nilerr // of one that cannot be read nothing is known
	}
	if lost.Lost*100 <= l.guard*lost.Of {
		return nil
	}
	if accepted := l.store.Accepted(l.key); accepted != nil && lost.Lost <= accepted.Lost {
		return nil
	}
	help := "if that is intended, accept it: craton cache accept " + l.key
	if l.dir != "" {
		help += " --cache-dir " + l.dir
	}
	if err := l.store.Refuse(l.key, lost); err != nil {
		help = fmt.Sprintf("if that is intended, set shrink_guard to none for one run, because accepting it fails: %v", err)
	}
	return advice.With(fmt.Errorf("the inventory has lost %d of the %d hosts that it had %s ago, more than the %d%% that shrink_guard allows: %s",
		lost.Lost, lost.Of, ageText(l.now().Sub(l.old.Checked)), l.guard, lost.LostHosts()), help)
}

// ageText returns a duration for people.
func ageText(d time.Duration) string {
	switch d = max(d, 0); {
	case d < 2*time.Minute:
		return d.Round(time.Second).String()
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// listStale returns the cached inventory if the server cannot be reached. Otherwise it returns the error.
func (l *lister) listStale(ctx context.Context, err error) (*command.Listing, error) {
	if l.stale <= 0 || !l.current || ctx.Err() != nil || !connect.Unreachable(err) {
		return nil, err
	}
	age := ageText(l.now().Sub(l.old.Checked))
	if !l.isFresh(l.old.Checked, l.stale) {
		return nil, advice.With(err, fmt.Sprintf("the cached inventory cannot be used instead: it is %s old, and stale_if_error allows %v", age, l.stale))
	}
	if l.old.Check() != nil {
		return nil, err
	}
	said, _ := advice.Split(err)
	return &command.Listing{
		Write: func(w io.Writer) error { return writeStale(w, l.old.Reader(), l.o.Facts) },
		Note:  fmt.Sprintf("WARNING: this inventory is %s old (%s), because: %s", age, when.Format(l.old.Checked), strings.Join(strings.Fields(said), " ")),
	}, nil
}
