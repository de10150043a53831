package reconcile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/private"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
)

// SetOptions determine the set of a tree's objects.
type SetOptions struct {
	Name         string // "" for none
	Prune        bool   // delete objects in the set that the tree does not have
	Adopt        bool   // take over objects that belong to another set
	AllowDeletes *int   // the exact number of objects that may be deleted; nil: not given
	// File stores sets if the server cannot; "" is a file of the user.
	File string
}

// Check returns an error for invalid combinations.
func (o *SetOptions) Check() error {
	if o.Name == "" {
		if o.Prune || o.Adopt || o.AllowDeletes != nil || o.File != "" {
			return errors.New("--prune, --adopt, --allow-deletes and --set-file (in a task prune, adopt, allow_deletes and set_file) require a set: name it with --set NAME (in a task set: NAME)")
		}
		return nil
	}
	if err := value.CheckSegment(o.Name); err != nil { // it becomes part of a path of the API
		return fmt.Errorf("the name of the set %w", err)
	}
	if err := CheckName(o.Name); err != nil {
		return fmt.Errorf("the name of the set %w", err)
	}
	if o.AllowDeletes != nil && *o.AllowDeletes < 0 {
		return errors.New("--allow-deletes (in a task allow_deletes) must not be negative")
	}
	if o.AllowDeletes != nil && !o.Prune {
		return errors.New("without --prune (in a task prune: true) nothing is deleted: omit --allow-deletes (allow_deletes)")
	}
	return nil
}

// PlannedSet describes the changes of a set.
type PlannedSet struct {
	Name  string         `json:"name"`
	Adopt bool           `json:"adopt"`
	Joins craton.Members `json:"joins"`          // existing objects that are to belong to it
	File  string         `json:"file,omitempty"` // the file that stores it; "": the server does

	New   bool     `json:"new,omitempty"`   // nothing belongs to it yet
	Known []string `json:"known,omitempty"` // existing sets if it is new

	Size   int `json:"-"` // the number of objects that belong to it before
	Left   int `json:"-"` // how many of them are not in the tree, and are not deleted
	Others int `json:"-"` // how many objects of the tree belong to another set, and stay there
	// Refused is why the plan is not applied unless the number of deletions is given; nil if it is applied.
	Refused *Problem `json:"-"`
}

// Joining returns the number of existing objects that are to belong to the set; 0 without a set.
func (s *PlannedSet) Joining() (n int) {
	if s == nil {
		return 0
	}
	for _, ids := range s.Joins {
		n += len(ids)
	}
	return n
}

// maxSetChange is the maximum number of objects that one request adds to a set: the size of a body is limited.
const maxSetChange = 20_000

// join adds existing objects to the set, before anything is written: nothing is lost if that fails.
func (s *PlannedSet) join(ctx context.Context, fl *Fleet) error {
	if s.File != "" {
		return nil // see saveMembers
	}
	some, n := craton.Members{}, 0
	send := func() error {
		if n == 0 {
			return nil
		}
		err := fl.Client.ChangeSet(ctx, s.Name, craton.SetChange{Add: some, Adopt: s.Adopt})
		some, n = craton.Members{}, 0
		return err
	}
	for kind, ids := range s.Joins {
		for _, id := range ids {
			some[kind] = append(some[kind], id)
			if n++; n == maxSetChange {
				if err := send(); err != nil {
					return err
				}
			}
		}
	}
	return send()
}

// setsFile stores the sets of one project, for a server that cannot.
type setsFile struct {
	Version int                       `json:"craton_sets"`
	URL     string                    `json:"url"`
	Project string                    `json:"project"`
	Sets    map[string]craton.Members `json:"sets"`
}

const setsVersion = 1

// setsPath returns the path of the file with a server's sets.
func (fl *Fleet) setsPath(given string) (string, error) {
	if given != "" {
		return given, nil
	}
	sum := sha256.Sum256([]byte(fl.Client.URL() + "\n" + fl.Project))
	path, err := private.DataPath(filepath.Join("sets", hex.EncodeToString(sum[:8])+".json"))
	if err != nil {
		return "", fmt.Errorf("this server does not store sets, and there is no default file for them: %w; name a file (set_file)", err)
	}
	return path, nil
}

// readSets reads the file; a missing file has no sets.
func (fl *Fleet) readSets(path string) (*setsFile, error) {
	s := &setsFile{Version: setsVersion, URL: fl.Client.URL(), Project: fl.Project, Sets: map[string]craton.Members{}}
	f, err := private.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the file of sets cannot be read: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	got := &setsFile{}
	switch err := json.NewDecoder(f).Decode(got); {
	case err != nil || got.Version != setsVersion || got.Sets == nil:
		return nil, fmt.Errorf("%s is not a file of sets that this program can read; name another one (set_file)", path)
	case got.URL != s.URL || got.Project != s.Project && !value.SameUUID(got.Project, s.Project):
		return nil, fmt.Errorf("%s contains the sets of %s, project %q, but this is %s, project %q; name another one (set_file)", path, got.URL, got.Project, s.URL, s.Project)
	}
	return got, nil
}

// saveMembers updates the file with the objects that now belong to a set, and those that are gone.
func (s *PlannedSet) saveMembers(fl *Fleet, made, gone craton.Members) error {
	if s.File == "" {
		return nil
	}
	all, err := fl.readSets(s.File)
	if err != nil {
		return err
	}
	out := map[memberKey]bool{}
	for _, some := range []craton.Members{gone, s.Joins, made} {
		for kind, ids := range some {
			for _, id := range ids {
				out[memberKey{kind, id}] = true
			}
		}
	}
	for name, members := range all.Sets {
		left := craton.Members{}
		for kind, ids := range members {
			for _, id := range ids {
				if !out[memberKey{kind, id}] {
					left[kind] = append(left[kind], id)
				}
			}
		}
		all.Sets[name] = left
	}
	mine := all.Sets[s.Name]
	if mine == nil {
		mine = craton.Members{}
		all.Sets[s.Name] = mine
	}
	for _, some := range []craton.Members{s.Joins, made} {
		for kind, ids := range some {
			mine[kind] = append(mine[kind], ids...)
		}
	}
	for name, members := range all.Sets {
		if len(members) == 0 {
			delete(all.Sets, name)
		}
	}
	if err := private.MakeFolder(filepath.Dir(s.File)); err != nil {
		return fmt.Errorf("the set cannot be stored: %w", err)
	}
	f, err := private.Create(s.File)
	if err != nil {
		return fmt.Errorf("the set cannot be stored: %w", err)
	}
	err = json.NewEncoder(f).Encode(all)
	if err == nil {
		err = f.Sync()
	}
	if err := private.Keep(f, s.File, err); err != nil {
		return fmt.Errorf("the set cannot be stored: %w", err)
	}
	return nil
}

// memberKey identifies a member.
type memberKey struct {
	kind craton.Kind
	id   int
}

// addMember adds an object to members, unless it is a project or has no id.
func addMember(m craton.Members, k *schema.Kind, id any) {
	if n, ok := id.(int); ok && k.InSets() {
		m[craton.Kind(k.Name)] = append(m[craton.Kind(k.Name)], n)
	}
}
