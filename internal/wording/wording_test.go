package wording

import "testing"

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
