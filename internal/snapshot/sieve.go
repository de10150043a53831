package snapshot

import (
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
)

// maxLeftOut is the number of recently left out devices that are remembered: more than arrive before their interfaces.
const maxLeftOut = 2000

// matcher leaves out objects that cannot contain a text, so that a search keeps only its matches and the places in
// memory.
type matcher struct {
	want string // in lower case; "": nothing is left out
	lost bool   // something is kept whose device was left out long ago

	order []string // ids of devices that were left out, oldest first
	out   map[string]leftOut
}

type leftOut struct {
	kind *schema.Kind
	text string
}

func newMatcher(text string) *matcher {
	want := strings.ToLower(text)
	for _, r := range want {
		if r < ' ' || r > '~' || r == '"' || r == '\\' { // it may be written differently in JSON
			want = ""
			break
		}
	}
	return &matcher{want: want, out: map[string]leftOut{}}
}

// keep reports whether an object is kept.
func (s *matcher) keep(f *Fleet, k *schema.Kind, line craton.FleetLine) bool {
	inside := k == schema.Network || k == schema.NetworkInterface
	if s.want == "" || !isDevice(k) && !inside {
		return true
	}
	if !s.may(line.Object) {
		if isDevice(k) {
			s.leaveOut(k, string(line.Object))
		}
		return false
	}
	if k != schema.NetworkInterface {
		return true
	}
	id := gjson.GetBytes(line.Object, "device_id").Raw
	if f.Find(schema.Host.Name, id) != nil || f.Find(schema.NetworkDevice.Name, id) != nil {
		return true
	}
	device, ok := s.out[id]
	if s.lost = !ok; ok {
		f.addText(device.kind, device.text)
	}
	return true
}

// may reports whether the JSON of an object may contain the text. Escapes and characters outside ASCII may stand for
// anything.
func (s *matcher) may(object []byte) bool {
	text := string(object)
	for i := range len(text) {
		if text[i] == '\\' || text[i] > '~' {
			return true
		}
	}
	return strings.Contains(strings.ToLower(text), s.want)
}

func (s *matcher) leaveOut(k *schema.Kind, text string) {
	id := gjson.Get(text, "id").Raw
	s.out[id] = leftOut{k, text}
	if s.order = append(s.order, id); len(s.order) > maxLeftOut {
		delete(s.out, s.order[0])
		s.order = s.order[1:]
	}
}
