package wording

import (
	"errors"
	"testing"
)

func TestHas(t *testing.T) {
	const text = `no region is called "zz" (filter "regions"); there are: dfw, ord`
	for want, has := range map[string]bool{
		`"zz"`:                       true,
		`"zz" ... regions ... dfw`:   true,
		`regions ... "zz"`:           false,
		`"zz" ... "zz"`:              false,
		`no region ... "yy" ... dfw`: false,
	} {
		if got := Has(text, want); got != has {
			t.Errorf("Has(%s) = %v", want, got)
		}
	}
}

// failed counts the errors of a test that is not run.
type failed struct {
	testing.TB
	times int
}

func (*failed) Helper() {}

func (f *failed) Errorf(string, ...any) { f.times++ }

func TestWant(t *testing.T) {
	err := errors.New("f.yml:2: a: is not a known key\nf.yml:3: b: is given twice")
	for want, wrong := range map[string]int{
		"f.yml:2: a ... key\nf.yml:3: b ... twice": 0,
		"f.yml:2: a ... twice\nf.yml:3: b":         1,
		"f.yml:2: a ... key":                       1,
		"f.yml:2: a ... key ... twice":             1,
		"f.yml:2: a\nf.yml:3: b\n":                 1,
	} {
		f := &failed{TB: t}
		if Want(f, err, want); f.times != wrong {
			t.Errorf("%q: %d errors", want, f.times)
		}
	}
	f := &failed{TB: t}
	if Want(f, nil, ""); f.times != 1 {
		t.Error("no error is taken for an error")
	}
}
