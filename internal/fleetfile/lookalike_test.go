package fleetfile

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/wording"
)

// TestLookalikes: what has a name in Unicode's decomposed form, as the original takes it, stays; a new name is
// composed, and none that looks like one that is there. Each is a refusal that programs know.
func TestLookalikes(t *testing.T) {
	t.Parallel()
	const composed, decomposed, other = "caf\u00e9", "cafe\u0301", "u\u0308ber"
	s := &original{}
	c, err := craton.New("http://embedded", craton.WithTransport(inProcess{s}), craton.WithRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Clouds.Create(t.Context(), craton.CloudCreate{Name: decomposed}); err != nil {
		t.Fatal(err)
	}
	apply := func(names ...string) (*Result, []reconcile.Problem) {
		t.Helper()
		var clouds []any
		for _, name := range names {
			clouds = append(clouds, map[string]any{"name": name})
		}
		f, err := FromValue(map[string]any{"clouds": clouds})
		if err != nil {
			t.Fatal(err)
		}
		s.writes()
		r, err := Apply(t.Context(), c, f, Options{})
		refused := reconcile.Refusals(err)
		if (err != nil) != (refused != nil) || err != nil && len(s.writes()) > 0 {
			t.Fatal(err)
		}
		return r, refused
	}
	if r, refused := apply(decomposed); refused != nil || r.Changed() {
		t.Errorf("%v %v", r, refused)
	}
	for name, want := range map[string]reconcile.Reason{composed: reconcile.ReasonLookalike, other: reconcile.ReasonInvalid} {
		_, refused := apply(name)
		if len(refused) != 1 || refused[0].Reason != want || refused[0].Kind != "cloud" || refused[0].Object != name || refused[0].Do == "" || !strings.HasSuffix(refused[0].Message, refused[0].Do) {
			t.Errorf("%q: %+v", name, refused)
		}
	}
	if _, refused := apply("east", other); len(refused) != 1 {
		t.Errorf("%v", refused)
	}
}

// TestLookalikesOfLabelsAndKeys: new labels and keys of variables are as new names are. What is there in another form
// stays, and can be replaced.
func TestLookalikesOfLabelsAndKeys(t *testing.T) {
	t.Parallel()
	const composed, decomposed = "caf\u00e9", "cafe\u0301"
	s := &original{}
	c, err := craton.New("http://embedded", craton.WithTransport(inProcess{s}), craton.WithRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Clouds.Create(t.Context(), craton.CloudCreate{Name: "east", Variables: craton.Vars(map[string]any{decomposed: 1})}); err != nil {
		t.Fatal(err)
	}
	host := func(labels ...any) map[string]any {
		return map[string]any{"name": "h", "ip_address": "10.0.0.1", "device_type": "server", "labels": labels}
	}
	apply := func(variables map[string]any, hosts ...any) error {
		t.Helper()
		f, err := FromValue(map[string]any{"clouds": []any{map[string]any{"name": "east", "variables": variables, "regions": []any{map[string]any{"name": "r", "hosts": hosts}}}}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = Apply(t.Context(), c, f, Options{})
		return err
	}
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"a key that is there": {apply(map[string]any{decomposed: 1}), ""},
		"its lookalike":       {apply(map[string]any{composed: 1}), `"caf\u00e9" ... same ... "cafe\u0301" ... keep one`},
		"a new key":           {apply(map[string]any{"u\u0308": 1}), `variable ... "u\u0308" ... NFC ... "\u00fc"`},
		"a new label":         {apply(nil, host(decomposed)), `label ... "cafe\u0301" ... NFC`},
		"two labels":          {apply(nil, host(composed, decomposed)), `label ... "cafe\u0301" ... same ... "caf\u00e9"`},
		"a composed label":    {apply(nil, host(composed)), ""},
	} {
		if refused := reconcile.Refusals(c.err); (refused == nil) != (c.want == "") || c.want != "" && !wording.Has(c.err.Error(), c.want) {
			t.Errorf("%s: %v", name, c.err)
		}
	}
}

// TestLookalikesInLines: what is refused of a label or a variable is told at its own line.
func TestLookalikesInLines(t *testing.T) {
	t.Parallel()
	file := "clouds:\n- name: east\n  variables:\n    a: 1\n    u\u0308: 2\n  regions:\n  - name: r\n    hosts:\n    - name: h\n      ip_address: 10.0.0.1\n      device_type: s\n      labels:\n      - plain\n      - cafe\u0301\n"
	_, err := Apply(t.Context(), serverAPI(t).Client, parse(t, file), Options{})
	for _, want := range []string{
		"f.yml:5: clouds[east].variables.u\u0308: ... variable ... \"u\\u0308\" ... NFC",
		"f.yml:14: clouds[east].regions[r].hosts[h].labels[1]: ... label ... \"cafe\\u0301\" ... NFC",
	} {
		if err == nil || !wording.Has(err.Error(), want) {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}

// TestLookalikesInFiles: of several files it is the one that has the variable.
func TestLookalikesInFiles(t *testing.T) {
	t.Parallel()
	var sources []Source
	for name, text := range map[string]string{"a.yml": "clouds: [{name: east, note: n}]", "b.yml": "clouds:\n- name: east\n  variables: {u\u0308: 2}\n"} {
		sources = append(sources, Source{name, func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }})
	}
	slices.SortFunc(sources, func(a, b Source) int { return strings.Compare(a.Name, b.Name) })
	f, err := ParseAll(sources)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Apply(t.Context(), serverAPI(t).Client, f, Options{})
	if want := "b.yml:3: clouds[east].variables.u\u0308: the variable is"; err == nil || !wording.Has(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}
