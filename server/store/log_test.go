package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// everything has the entities of all kinds of objects.
var everything = []*Entity{Projects, Users, Clouds, Regions, Cells, Hosts, NetworkDevices, Networks, NetworkInterfaces}

func kindNames() (names []string) {
	for _, e := range everything {
		names = append(names, e.of.Name)
	}
	return names
}

// fleetState has all objects by kind and id. It is independent of the store's code for the log: it is read from the
// tables, and changes of the log are applied to it by this file.
type fleetState map[string]*objectState

type objectState struct {
	Columns   map[string]string // JSON of the columns that are not null
	Variables map[string]string
	Labels    []string
}

// readState reads all objects of the kinds in a view.
func readState(ctx context.Context, v *View, kinds ...*Entity) (fleetState, error) {
	all := fleetState{}
	for _, e := range kinds {
		err := v.Walk(ctx, e, Scope{All: true}, List{Sort: []string{"created_at"}, Limit: 100, Labels: true}, func(p *Page) error {
			return v.Sets(ctx, e, p.Rows, Own, func(i int, set Set) error {
				o := &objectState{Columns: map[string]string{}, Variables: map[string]string{}}
				for n, c := range e.Columns {
					x := p.Rows[i][n]
					if m, ok := x.(Micros); ok {
						x = time.UnixMicro(int64(m)).UTC().Format("2006-01-02T15:04:05.000000")
					}
					if x == nil || c.Name == "type" || c.Name == "parent_type" || c.Name == "seq" {
						continue
					}
					text, err := json.Marshal(x)
					if err != nil {
						return err
					}
					o.Columns[c.Name] = string(text)
				}
				if e.owner != 0 && e != Users {
					for x, err := range set.All() {
						if err != nil {
							return err
						}
						o.Variables[x.Name] = x.Value
					}
				}
				if p.Labels != nil && len(p.Labels[i]) > 0 {
					o.Labels = p.Labels[i]
				}
				all[e.of.Name+" "+strings.Trim(o.Columns["id"], `"`)] = o
				return nil
			})
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// path returns the path that the log must have for an object.
func (f fleetState) path(kind string, o *objectState) string {
	text := func(column string) (s string) {
		if raw, ok := o.Columns[column]; ok {
			if json.Unmarshal([]byte(raw), &s) != nil {
				s = raw
			}
		}
		return s
	}
	switch kind {
	case "user":
		return text("username")
	case "network-interface":
		for _, of := range []string{"host", "network-device"} {
			if device := f[of+" "+text("device_id")]; device != nil {
				return f.path(of, device) + "/" + text("name")
			}
		}
	}
	path := ""
	for _, of := range []string{"cloud", "region", "cell"} {
		if place := f[of+" "+text(of+"_id")]; place != nil {
			var name string
			_ = json.Unmarshal([]byte(place.Columns["name"]), &name) // it is always a string
			path += name + "/"
		}
	}
	return path + text("name")
}

// replay applies a change, and checks that the state before it is as the change says.
func (f fleetState) replay(c *Change, paths bool) error {
	o := f[c.Kind+" "+c.Object]
	if err := f.apply(c); err != nil {
		return err
	}
	if is := f[c.Kind+" "+c.Object]; is != nil {
		o = is
	}
	if want := f.path(c.Kind, o); paths && c.Path != want {
		return fmt.Errorf("%s %s is called %q instead of %q", c.Kind, c.Object, c.Path, want)
	}
	return nil
}

func (f fleetState) apply(c *Change) error {
	name := c.Kind + " " + c.Object
	var before, after map[string]json.RawMessage
	for text, into := range map[string]*map[string]json.RawMessage{c.Before: &before, c.After: &after} {
		if text != "" {
			if err := json.Unmarshal([]byte(text), into); err != nil {
				return err
			}
		}
	}
	o := f[name]
	switch c.Action {
	case Created:
		if o != nil || c.Before != "" {
			return fmt.Errorf("%s is made although it is there", name)
		}
		o = &objectState{Columns: map[string]string{}, Variables: map[string]string{}}
		f[name] = o
		return o.apply(nil, after)
	case Deleted:
		if o == nil || c.After != "" {
			return fmt.Errorf("%s is deleted although it is not there", name)
		}
		delete(f, name)
		was := &objectState{Columns: map[string]string{}, Variables: map[string]string{}}
		if err := was.apply(nil, before); err != nil {
			return err
		}
		if d := cmp.Diff(o, was); d != "" {
			return fmt.Errorf("%s was not what was deleted:\n%s", name, d)
		}
		return nil
	}
	if o == nil {
		return fmt.Errorf("%s is changed although it is not there", name)
	}
	if len(before) == 0 && len(after) == 0 {
		return fmt.Errorf("%s: nothing is changed", name)
	}
	if err := o.has(before); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return o.apply(before, after)
}

func (o *objectState) apply(before, after map[string]json.RawMessage) error {
	var was, is map[string]json.RawMessage
	for from, into := range map[*map[string]json.RawMessage]*map[string]json.RawMessage{&before: &was, &after: &is} {
		if text, ok := (*from)["variables"]; ok {
			if err := json.Unmarshal(text, into); err != nil {
				return err
			}
		}
	}
	for key := range was {
		delete(o.Variables, key)
	}
	for key, text := range is {
		o.Variables[key] = string(text)
	}
	for name, text := range after {
		switch {
		case name == "variables", name == "new_key", name == "key":
		case name == "labels":
			o.Labels = nil
			if err := json.Unmarshal(text, &o.Labels); err != nil {
				return err
			}
			if len(o.Labels) == 0 {
				o.Labels = nil
			}
		case string(text) == "null":
			delete(o.Columns, name)
		default:
			var plain any // the log escapes strings like the API
			if err := json.Unmarshal(text, &plain); err != nil {
				return err
			}
			if _, number := plain.(float64); !number {
				text, _ = json.Marshal(plain)
			}
			o.Columns[name] = string(text)
		}
	}
	return nil
}

// has compares the before side of a change with an object.
func (o *objectState) has(before map[string]json.RawMessage) error {
	copied := &objectState{Columns: map[string]string{}, Variables: map[string]string{}, Labels: o.Labels}
	for k, v := range o.Columns {
		copied.Columns[k] = v
	}
	for k, v := range o.Variables {
		copied.Variables[k] = v
	}
	if err := copied.apply(nil, before); err != nil {
		return err
	}
	if d := cmp.Diff(o, copied); d != "" {
		return fmt.Errorf("it was not what was changed:\n%s", d)
	}
	return nil
}

// randomWrites runs several writers that make random writes, most of which are valid, and waits for them.
//
// Every second writer uses another store, whose clock is an hour behind. With a single writer, the functions in after
// are called before the first step and after each step.
func randomWrites(t *testing.T, first *Store, seed uint64, writers, each int, after ...func() error) {
	t.Helper()
	enginetest.Disturb(t, first.Name())
	second := first
	if writers > 1 {
		var err error
		if strings.Contains(first.Name(), "://") {
			second, err = Open(t.Context(), first.Name(), Options{})
		} else {
			second, err = openFast(first.Name())
		}
		if err != nil {
			t.Fatal(err)
		}
		defer second.Close()
		second.now = func() time.Time { return time.Now().Add(-time.Hour) }
	}
	ctx := t.Context()
	var mu sync.Mutex
	ids := map[*Entity][]string{} // ids of created objects, including deleted ones
	projects := []string{}
	often := append([]*Entity{Regions, Cells, Hosts, Hosts, Hosts, NetworkDevices, NetworkInterfaces, NetworkInterfaces}, everything...)
	names := []string{"a", "b", "c", "ä", "web 1", `q"uote`}
	var wg sync.WaitGroup
	for w := range writers {
		s := []*Store{first, second}[w%2]
		r := rand.New(rand.NewPCG(seed, uint64(w)))
		pick := func(e *Entity) string {
			mu.Lock()
			defer mu.Unlock()
			if len(ids[e]) == 0 || r.IntN(20) == 0 {
				return "999999"
			}
			return ids[e][r.IntN(len(ids[e]))]
		}
		number := func(e *Entity) int64 {
			n, _ := strconv.ParseInt(pick(e), 10, 64)
			return n
		}
		variables := func() (set []Variable) {
			for range r.IntN(4) {
				set = append(set, Variable{Name: someKeys[r.IntN(len(someKeys))], Value: someValues[r.IntN(len(someValues))]})
			}
			return set
		}
		name := func() string { return names[r.IntN(len(names))] + fmt.Sprint(r.IntN(9)) }
		labels := func() (set []string) {
			for range r.IntN(3) {
				set = append(set, names[r.IntN(len(names))])
			}
			return set
		}
		// where returns foreign keys of a place that agree with each other.
		where := func(sc Scope) Values {
			row, err := s.Get(ctx, Cells, sc, pick(Cells))
			if err != nil || r.IntN(3) == 0 {
				row, err := s.Get(ctx, Regions, sc, pick(Regions))
				if err != nil {
					return Values{"cloud_id": int64(1), "region_id": int64(1)}
				}
				return Values{"region_id": row[Regions.Index("id")], "cloud_id": row[Regions.Index("cloud_id")]}
			}
			return Values{"cell_id": row[Cells.Index("id")], "region_id": row[Cells.Index("region_id")], "cloud_id": row[Cells.Index("cloud_id")]}
		}
		step := func() error {
			mu.Lock()
			project := projects[r.IntN(len(projects))]
			mu.Unlock()
			sc := Scope{Project: project}
			ctx := WithActor(ctx, Actor{User: fmt.Sprint("writer", w, ".", r.IntN(3)), Project: project, Request: value.NewUUID()})
			make := func(e *Entity, n CreateParams) error {
				row, err := s.Create(ctx, e, sc, n)
				if err == nil {
					mu.Lock()
					ids[e] = append(ids[e], idText(row[e.Index("id")]))
					mu.Unlock()
				}
				return err
			}
			e := often[r.IntN(len(often))]
			switch r.IntN(13) {
			case 0, 1, 2, 3:
				n := CreateParams{Values: where(sc), Variables: variables()}
				n.Values["name"] = name()
				switch e {
				case Projects:
					if r.IntN(10) > 0 {
						return nil
					}
					return s.KeepProject(ctx, project, name(), true)
				case Users:
					row, _, err := s.CreateUser(ctx, sc, Values{"project_id": project, "username": name(), "is_admin": r.IntN(2) == 0})
					if err == nil {
						mu.Lock()
						ids[e] = append(ids[e], idText(row[e.Index("id")]))
						mu.Unlock()
					}
					return err
				case Clouds:
					n.Values = Values{"name": name(), "note": name()}
				case Regions:
					n.Values = Values{"name": name(), "cloud_id": number(Clouds)}
				case Cells:
					delete(n.Values, "cell_id")
				case Hosts, NetworkDevices:
					n.Values["ip_address"], n.Values["device_type"], n.Values["active"] = "10.0.0.1", name(), r.IntN(2) == 0
					n.Labels = labels()
					if r.IntN(3) == 0 {
						n.Values["parent_id"] = number(Hosts)
					}
				case Networks:
					n.Values["cidr"], n.Values["gateway"], n.Values["netmask"] = "10.0.0.0/8", "10.0.0.1", "255.0.0.0"
				case NetworkInterfaces:
					n.Values = Values{"name": name(), "device_id": number(Hosts), "interface_type": "x", "ip_address": "10.0.0.1", "speed": int64(r.IntN(9))}
					if r.IntN(2) == 0 {
						n.Values["network_id"] = number(Networks)
					}
				}
				return make(e, n)
			case 4, 5:
				switch e {
				case Projects:
					return nil
				case Users:
					m := Manager{Scope: Scope{All: true}, Role: schema.Root}
					id := pick(Users)
					switch r.IntN(3) {
					case 0:
						_, err := s.SetRole(ctx, m, id, schema.Role(1+r.IntN(4)))
						return err
					case 1:
						_, _, err := s.CreateKey(ctx, m, id, UserKey{Name: name(), Role: schema.Role(r.IntN(3)), Expires: Micros(r.IntN(2) * 5e15)})
						return err
					}
					keys, err := s.Keys(ctx, m.Scope, id)
					if err != nil || len(keys) == 0 {
						return err
					}
					return s.DeleteKey(ctx, m, id, fmt.Sprint(keys[r.IntN(len(keys))].ID))
				case Hosts, NetworkDevices:
					changes := Values{"device_type": name()}
					if r.IntN(2) == 0 {
						changes = Values{"parent_id": number(e)}
					} else if r.IntN(2) == 0 {
						changes["parent_id"] = nil
					}
					if r.IntN(3) == 0 {
						changes["os_version"] = name()
					}
					_, err := s.Update(ctx, e, sc, pick(e), changes)
					return err
				}
				_, err := s.Update(ctx, e, sc, pick(e), Values{"name": name()})
				return err
			case 6, 7:
				if e == Users {
					return nil // users have no variables
				}
				if e == Projects {
					return s.SetVariables(ctx, e, sc, project, variables())
				}
				return s.SetVariables(ctx, e, sc, pick(e), variables())
			case 8:
				return s.DeleteVariables(ctx, e, sc, pick(e), []string{someKeys[r.IntN(len(someKeys))], "none"})
			case 9:
				if r.IntN(2) == 0 {
					return s.RemoveLabels(ctx, Hosts, sc, pick(Hosts), labels())
				}
				_, err := s.AddLabels(ctx, NetworkDevices, sc, pick(NetworkDevices), labels())
				return err
			case 10:
				to := Place{}
				if region := number(Regions); r.IntN(2) == 0 {
					to.Region = &region
				} else if cell := number(Cells); r.IntN(2) == 0 {
					to.Cell = &cell
				}
				moving := []*Entity{Hosts, NetworkDevices, Cells}[r.IntN(3)]
				_, err := s.Move(ctx, moving, sc, pick(moving), to)
				return err
			case 11:
				if e == Users || e == Projects {
					return nil
				}
				if r.IntN(2) == 0 {
					return s.Protect(ctx, e, sc, pick(e), r.IntN(4) == 0)
				}
				some := Members{e.of.Name: {number(e)}, "cell": {number(Cells)}}
				return s.ChangeSet(ctx, project, name(), SetChange{Add: some, Remove: Members{"host": {number(Hosts)}}, Adopt: r.IntN(2) == 0, Only: r.IntN(9) == 0})
			}
			switch {
			case e == Projects && r.IntN(4) == 0:
				id := value.NewUUID()
				if _, err := s.Create(ctx, Projects, Scope{All: true}, CreateParams{Values: Values{"id": id, "name": name()}}); err != nil {
					return err
				}
				mu.Lock()
				defer mu.Unlock()
				projects = append(projects, id)
				return nil
			case e == Projects && r.IntN(8) == 0:
				return s.Delete(ctx, e, Scope{All: true}, project)
			case e == Projects:
				_, err := s.ResetKey(ctx, name(), project)
				return err
			case (e == Clouds || e == Regions || e == Cells) && r.IntN(6) > 0:
				return nil // delete places less often, so that the fleet grows
			}
			return s.Delete(ctx, e, sc, pick(e))
		}
		if w == 0 {
			first, _, err := s.Bootstrap(ctx, "bootstrap")
			if err != nil {
				t.Fatal(err)
			}
			projects = append(projects, first)
			for _, look := range after {
				if err := look(); err != nil {
					t.Fatal(err)
				}
			}
		}
		wg.Go(func() {
			for range each {
				err := step()
				for _, look := range after {
					if err := look(); err != nil {
						t.Error(err)
						return
					}
				}
				if err != nil && strings.Contains(strings.ToLower(err.Error()), "foreign key") {
					continue // the project was deleted concurrently
				}
				if err != nil && !errors.As(err, new(*Error)) {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// snapshots reads states by revision while writers run, until stop is closed.
func snapshots(ctx context.Context, s *Store, stop chan struct{}) (map[int64]fleetState, error) {
	seen := map[int64]fleetState{}
	for last := false; ; {
		err := s.View(ctx, true, func(ctx context.Context, v *View) error {
			l, err := v.Log(ctx)
			if err != nil || seen[l.Newest.Revision] != nil {
				return err
			}
			seen[l.Newest.Revision], err = readState(ctx, v, everything...)
			return err
		})
		if err != nil || last {
			return seen, err
		}
		select {
		case <-stop:
			last = true
		case <-time.After(time.Millisecond):
		}
	}
}

// readLog reads the log from a cursor to its end, in small pages.
func readLog(ctx context.Context, s *Store, sc Scope, from Cursor) (all []Change, next Cursor, err error) {
	next = from
	for more := true; more; {
		err := s.View(ctx, true, func(ctx context.Context, v *View) (err error) {
			next, more, err = v.Changes(ctx, sc, ChangesParams{After: ParseCursor(next.String()), Kinds: kindNames(), Limit: 7}, func(c *Change) error {
				all = append(all, *c)
				return nil
			})
			return err
		})
		if err != nil {
			return nil, next, err
		}
	}
	return all, next, nil
}

// compare replays a log from an empty state, and returns the first difference from the seen states. It only checks
// paths on databases with one writer at a time. On others, a place may be renamed concurrently with the write.
func compare(s *Store, log []Change, seen map[int64]fleetState) error {
	f := fleetState{}
	check := func(revision int64) error {
		if want, ok := seen[revision]; ok {
			if d := cmp.Diff(want, f); d != "" {
				return fmt.Errorf("at revision %d (-tables +log):\n%s", revision, d)
			}
		}
		return nil
	}
	if err := check(0); err != nil {
		return err
	}
	ids := map[string]bool{}
	for i, c := range log {
		was := Change{}
		if i > 0 {
			was = log[i-1]
		}
		switch {
		case c.Revision == was.Revision && (c.N != was.N+1 || c.ID != was.ID || c.At != was.At),
			c.Revision != was.Revision && (c.Revision != was.Revision+1 || c.N != 1 || ids[c.ID] || c.At < was.At):
			return fmt.Errorf("%+v follows %+v", c, was)
		}
		ids[c.ID] = true
		if c.Revision != was.Revision {
			if err := check(was.Revision); err != nil {
				return err
			}
		}
		if err := f.replay(&c, s.engine.Dialect().Alone == ""); err != nil {
			return fmt.Errorf("revision %d: %w", c.Revision, err)
		}
	}
	if len(log) == 0 {
		return nil
	}
	return check(log[len(log)-1].Revision)
}

// TestLogIsTheState runs several random writers. Replaying the log results in the state of the tables at each revision
// at which they were read, and a reader that follows the log gets all changes in order.
func TestLogIsTheState(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	var followed []Change
	log, seen := written(t, s, func(stop chan struct{}) (err error) {
		followed, err = follow(t.Context(), s, stop)
		return err
	})
	if err := compare(s, log, seen); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(log, followed); d != "" {
		t.Errorf("who followed the log met something else:\n%s", d)
	}
	kinds := map[string]int{}
	for _, c := range log {
		kinds[c.Kind+" "+c.Action]++
	}
	t.Log(len(log), "changes,", len(seen), "states:", kinds)
	if enginetest.Now() == enginetest.Disturbed && enginetest.Disturbances(t, s.Name()) == 0 {
		t.Error("nothing was disturbed")
	}
}

// written runs random writers, and returns the log and states of the tables by revision. onlooker, if not nil, runs
// concurrently until its channel is closed.
func written(t *testing.T, s *Store, onlooker func(stop chan struct{}) error) (log []Change, seen map[int64]fleetState) {
	t.Helper()
	seed := rand.Uint64()
	t.Log("seed", seed)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		var err error
		if seen, err = snapshots(t.Context(), s, stop); err != nil {
			t.Error(err)
		}
	})
	if onlooker != nil {
		wg.Go(func() {
			if err := onlooker(stop); err != nil {
				t.Error(err)
			}
		})
	}
	randomWrites(t, s, seed, 4, 150)
	close(stop)
	wg.Wait()
	log, _, err := readLog(t.Context(), s, Scope{All: true}, Cursor{})
	if err != nil {
		t.Fatal(err)
	}
	return log, seen
}

// follow reads the log while it grows, until stop is closed.
func follow(ctx context.Context, s *Store, stop chan struct{}) (all []Change, err error) {
	var at Cursor
	for last := false; ; {
		more, next, err := readLog(ctx, s, Scope{All: true}, at)
		if err != nil || last {
			return append(all, more...), err
		}
		all, at = append(all, more...), next
		select {
		case <-stop:
			last = true
		case <-time.After(time.Millisecond):
		}
	}
}

// TestLogFaultsAreFound injects faults into the log, and checks that the comparison with the tables finds each of them.
func TestLogFaultsAreFound(t *testing.T) {
	enginetest.Only(t, enginetest.SQLite)
	t.Parallel()
	for name, trigger := range map[string]string{
		"a change is missing":       "BEFORE INSERT ON changes WHEN NEW.kind = 'host' AND NEW.action = 'update' AND NEW.revision % 3 = 0 BEGIN SELECT RAISE(IGNORE); END",
		"an object is missing":      "BEFORE INSERT ON changes WHEN NEW.n = 2 BEGIN SELECT RAISE(IGNORE); END",
		"a value is missing":        "AFTER INSERT ON changes WHEN NEW.after LIKE '%\"variables\"%' BEGIN UPDATE changes SET after = json_remove(after, '$.variables') WHERE revision = NEW.revision; END",
		"labels are missing":        "AFTER INSERT ON changes WHEN NEW.after LIKE '%\"labels\"%' BEGIN UPDATE changes SET after = json_remove(after, '$.labels') WHERE revision = NEW.revision; END",
		"what was is wrong":         "AFTER INSERT ON changes WHEN NEW.action = 'delete' BEGIN UPDATE changes SET before = json_set(before, '$.name', 'other') WHERE revision = NEW.revision; END",
		"a write is not in it":      "AFTER INSERT ON users WHEN NEW.id = 1 BEGIN UPDATE projects SET updated_at = 1; END",
		"a revision is left out":    "AFTER INSERT ON changes WHEN NEW.revision = 20 BEGIN UPDATE log SET revision = revision + 1; END",
		"a name is wrong":           "AFTER INSERT ON changes WHEN NEW.n = 1 AND NEW.kind = 'host' BEGIN UPDATE changes SET path = 'elsewhere' WHERE revision = NEW.revision; END",
		"the time goes back":        "AFTER INSERT ON changes WHEN NEW.revision = 20 BEGIN UPDATE changes SET at = 1 WHERE revision = 20; END",
		"two writes are one change": "AFTER INSERT ON changes WHEN NEW.revision = 20 BEGIN UPDATE changes SET change = (SELECT change FROM changes WHERE revision = 19) WHERE revision = 20; END",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var err error
			for range 5 { // the random writes may not trigger the fault
				s := fresh(t)
				if err := s.write(t.Context(), func(ctx context.Context, q *session) error {
					return q.exec(ctx, "CREATE TRIGGER fault "+trigger, nil)
				}); err != nil {
					t.Fatal(err)
				}
				log, seen := written(t, s, nil)
				if err = compare(s, log, seen); err != nil {
					break
				}
			}
			if err == nil {
				t.Fatal("not found")
			}
			found, _, _ := strings.Cut(err.Error(), "\n")
			t.Log(found)
		})
	}
}
