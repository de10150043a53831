package inventory

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/inventory/internal/ansible"
)

// TestIndex: what is read from an index is what was written, but for the variables of devices.
func TestIndex(t *testing.T) {
	t.Parallel()
	for _, all := range []bool{false, true} {
		o := DefaultOptions()
		o.NetworkDevices = all
		if !all {
			o.Labels = []string{"web"} // whose parents are not listed
		}
		f := believable().load(t, o)
		var texts []hostText
		for i, d := range f.Hosts {
			texts = append(texts, hostText{ansible.Place{End: int64(1000 - i), Size: 5}, d.ID, len(f.Hosts) - i})
		}
		slices.Reverse(texts)
		written := appendIndex(nil, f, texts)
		x, err := readIndex(written, 1000)
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(texts)
		if diff := cmp.Diff(texts, x.texts, cmp.AllowUnexported(hostText{})); diff != "" {
			t.Errorf("texts (-want +got):\n%s", diff)
		}
		for id := range f.Devices {
			needed := false
			for _, d := range f.Hosts {
				for at := d; at != nil; at = f.Devices[at.ParentID] {
					needed = needed || at.ID == id
				}
			}
			if f.Devices[id].Variables = nil; !needed {
				delete(f.Devices, id)
			}
		}
		for _, places := range []map[int]*Place{f.Clouds, f.Regions, f.Cells} {
			for _, p := range places {
				if len(p.Variables) == 0 {
					p.Variables = nil
				}
			}
		}
		f.Snapshot = nil
		if diff := cmp.Diff(f, x.fleet, cmpopts.IgnoreUnexported(Fleet{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if _, err := readIndex(written, 900); err == nil {
			t.Error("a text behind the end of the document is taken")
		}
		for n := range written {
			if _, err := readIndex(written[:n], 1000); err == nil {
				t.Errorf("cut to %d of %d bytes, and nobody notices", n, len(written))
			}
		}
	}
}

// TestIndexOfAnything: whatever an index holds, reading it is an error or a fleet.
func TestIndexOfAnything(t *testing.T) {
	t.Parallel()
	f := believable().load(t, DefaultOptions())
	written := appendIndex(nil, f, nil)
	rapid.Check(t, func(t *rapid.T) {
		text := slices.Clone(written)
		for range rapid.IntRange(1, 5).Draw(t, "changes") {
			text[rapid.IntRange(0, len(text)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		}
		_, _ = readIndex(text, 1000)
	})
}
