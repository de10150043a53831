package where_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/where"
	"github.com/craton-fleet/craton/internal/wording"
)

// object is one for tests, said as simply as can be.
type object struct {
	fields map[string]string
	labels []string
	paths  map[string][]string
	own    map[string]string
	above  map[string]string
}

func (o object) Field(key string) string  { return o.fields[key] }
func (o object) Labels() []string         { return o.labels }
func (o object) Path(key string) []string { return o.paths[key] }
func (o object) Variable(name string, own bool) (string, bool) {
	v, has := o.own[name]
	if !has && !own {
		v, has = o.above[name]
	}
	return v, has
}

var web = object{
	fields: map[string]string{"id": "12", "name": "web-01", "ip_address": "10.20.0.11", "device_type": "server", "active": "true", "note": "rack *7*\nbroken fan", "region_id": "3"},
	labels: []string{"web", "a b"},
	paths:  map[string][]string{"cloud_id": {"east"}, "region_id": {"east", "dfw"}, "parent_id": {"east", "dfw", "blade/1"}},
	own: map[string]string{
		"ntp": `"10.0.0.1"`, "port": `80`, "text": `"80"`, "nothing": `null`, "flag": `true`, "tags": `["x","y",[1]]`, "name": `"n"`, "v3.0": `1`,
		"disks": `[{"size":100,"kind":"ssd"},{"size":200}]`, "net": `{"mtu":9000,"0":"zero"}`, "esc": `"a\u00e9\"b"`,
	},
	above: map[string]string{"ntp": `"above"`, "dns": `["10.0.0.53"]`},
}

// TestMatch: each term on one host, and turned round.
func TestMatch(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`name=web-01`: true, `name=web-*`: true, `name=web-0?`: true, `name=web-?`: false, `name=db-*,web-01`: true, `name=WEB-01`: false, `name=*`: true,
		`name="web-*"`: false, `name=web"-"*`: true, `name=*-*1`: true, `name=w*b*0*`: true, `name=*web`: false, `name=""`: false,
		`id=12`: true, `id=1,12`: true, `id=1`: false, `region_id=3`: true, `cloud_id=3`: false,
		`ip=10.20.0.11`: true, `ip=10.20.0.0/16`: true, `ip=10.20.0.12`: false, `ip=10.0.0.0/8,2001:db8::/32`: true, `ip=::/0`: false, `ip_address=10.20.9.9/16`: true,
		`type=server`: true, `device_type=s*`: true, `type=switch`: false,
		`label=web`: true, `label=w*`: true, `label="a b"`: true, `label=db`: false, `label`: true,
		`active=true`: true, `active=false`: false, `protected=true`: false, `protected=false`: true, `protected=true,false`: true,
		`cloud=east`: true, `region=dfw`: true, `region=east/dfw`: true, `region=e*/*`: true, `region=west/dfw`: false, `region=east`: false, `cell=*`: false, `cell`: false,
		`parent`: true, `parent="blade/1"`: true, `parent=dfw/blade*`: true, `parent=east/dfw/"blade/1"`: true, `parent=blade-1`: false,
		`note=*broken*`: true, `note=*"*7*"*`: true, `note`: true, `note=""`: false, `note=rack*fan`: true,
		`ntp`: true, `own:ntp`: true, `dns`: true, `own:dns`: false, `resolved:dns`: true, `other`: false, `nothing`: true,
		`ntp=10.0.0.1`: true, `ntp=10.*`: true, `ntp=above`: false, `ntp=a,10.0.0.1`: true, `own:ntp=10.*`: true, `dns=10.0.0.53`: true, `dns=10.*`: true,
		`port=80`: true, `port=80.0`: true, `port="80"`: false, `port=8*`: false, `text=80`: false, `text="80"`: true, `text=8*`: true, `port=0x50`: true,
		`nothing=null`: true, `nothing=~`: true, `nothing="null"`: false, `flag=yes`: true, `flag=true`: true, `flag="true"`: false, `flag=false`: false,
		`tags=x`: true, `tags=1`: true, `tags=["x","y"]`: true, `tags=["z"]`: false, `tags=?`: true, `net={"mtu": 9000}`: true, `net={"mtu": 1}`: false,
		`vars.name=n`: true, `"name"=n`: true, `vars.name`: true, `own:vars.name`: true, `"v3.0"=1`: true, `vars."v3.0"=1`: true,
		`disks.size=100`: true, `disks.size=300`: false, `disks.1.size=200`: true, `disks.0.size=200`: false, `disks.kind=s*`: true, `disks.1.kind`: false, `disks.kind`: true,
		`net.mtu=9000`: true, `net.0=zero`: true, `net.none`: false, `ntp.x`: false, `esc="aé\"b"`: true, `esc=a*b`: true, `esc=aé"\""b`: true,
		`name=web-* label=web`: true, `name=web-* label=db`: false, "\tname=web-*  \n label=web ": true,
	} {
		w, err := where.Parse(schema.Host, text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if w.Match(web) != want {
			t.Errorf("%s (%s): %t", text, w, !want)
		}
		if len(w.Terms) > 1 {
			continue
		}
		name, rest, valued := strings.Cut(text, "=")
		turned := []string{"!" + text}
		if valued {
			turned = append(turned, name+"!="+rest)
		}
		for _, text := range turned {
			if w, err := where.Parse(schema.Host, text); err != nil || w.Match(web) == want {
				t.Errorf("%s (%s): %t, %v", text, w, want, err)
			}
		}
	}
	if !(*where.Where)(nil).Match(web) || !(*where.Where)(nil).IsAll() {
		t.Error("no terms mean all objects")
	}
}

// TestSelf: a place is found by its own name and what is around it, and an object that lacks a flag is not active.
func TestSelf(t *testing.T) {
	t.Parallel()
	dfw := object{paths: map[string][]string{"": {"east", "dfw"}, "cloud_id": {"east"}}}
	for text, want := range map[string]bool{`region=dfw`: true, `region=east/*`: true, `region=ams`: false, `cloud=east`: true} {
		if w, err := where.Parse(schema.Region, text); err != nil || w.Match(dfw) != want {
			t.Errorf("%s: %v, %v", text, !want, err)
		}
	}
	if w, err := where.Parse(schema.Device, `active=false`); err != nil || !w.Match(object{}) {
		t.Error(err)
	}
}

// TestString: the printed form is one for all that means the same in few variants.
func TestString(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		" name=web-*   label=\"web\" ": `name=web-* label=web`, `!name=a`: `name!=a`, `!ntp`: `!ntp`, `name!=a,b`: `name!=a,b`,
		`ip_address=10.20.9.9/16`: `ip=10.20.0.0/16`, `ip=2001:DB8:0::1`: `ip=2001:db8::1`, `device_type=server`: `type=server`, `id=+12`: `id=12`, `labels=web`: `label=web`,
		`name=a**b`: `name=a*b`, `name="a b"*`: `name="a b"*`, `name="a"*`: `name=a*`, `name=a"*"*`: `name="a*"*`, `note=""`: `note=""`, `name="a,b"`: `name="a,b"`,
		`resolved:ntp=1`: `ntp=1`, `own:ntp`: `own:ntp`, `"ntp"=x`: `ntp=x`, `vars.ntp=x`: `ntp=x`, `"name"=x`: `vars.name=x`, `vars."v 3"=x`: `"v 3"=x`, `own:vars.region=x`: `own:vars.region=x`,
		`flag=yes`: `flag=true`, `n=0x10`: `n=16`, `n="16"`: `n="16"`, `n="x"`: `n=x`, `n=~`: `n=null`, `n="["`: `n="["`, `n="'"`: `n="'"`, `n="="`: `n="="`, `n=[1, 2]`: `n=[1,2]`, `n={"b":1,"a":"x y"}`: `n={"a":"x y","b":1}`, `n="{a"*`: `n="{a"*`,
		`region="a/b"/"c"`: `region="a/b"/c`, `parent=a/b/c*`: `parent=a/b/c*`, `a."b.c".d=1`: `a."b.c".d=1`, `n=12:30`: `n=12:30`, `n=2026-11-20`: `n=2026-11-20`, `n="é"`: `n=é`, `n="\u202e"`: `n="\u202e"`,
	} {
		w, err := where.Parse(schema.Host, text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if w.String() != want {
			t.Errorf("%s: %s, want %s", text, w, want)
		}
	}
}

// TestErrors: each refusal names the term and says what is allowed.
func TestErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``: `term is missing ... name=web-* ... label=web`, ` `: `term is missing`,
		`protected`: `protected ... value ... protected=true`, `protected=yes`: `field protected ... true or false`, `created_at=x`: `no field`, `project_id=1`: `no field`,
		`label=web regoin=dfw`: `"regoin=dfw" (column 11): ... host ... no field "regoin" ... variable ... vars.regoin ... "region"`,
		`lable!=web`:           `no field "lable" ... "label"`, `nam=x`: `no field "nam" ... "name"`,
		`name = web`: `"name" (column 1): ... field name ... value ... name=web-*`, `label = web`: `"=" (column 7): ... name ... missing`,
		`name=`: `value is missing ... empty text ... name=""`, `ntp=`: `empty text ... ntp=""`, `name=a,,b`: `value is missing`, `name=a, b`: `value is missing`,
		`name`: `value ... name=web-* ... variable ... vars.name`, `ip`: `ip=10.20.0.0/16`, `active`: `active=true`, `region`: `region=dfw`, `type`: `type=server`, `id`: `id=12`,
		`active=yes`: `"yes" ... field active ... true or false`, `ip=10.20.*`: `pattern ... address`, `ip=10.20`: `"10.20" ... field ip`, `ip=fe80::1%eth0`: `field ip`,
		`id=x`: `field id ... number`, `region=a/b/c`: `region ... dfw ... east/dfw ... slash ... double quotes`, `cloud=a/b`: `cloud ... name alone`, `cell=a/b/c/d`: `cloud/region/name`, `region=/dfw`: `name is empty`,
		`name='web 01'`: `double quotes ... name="web 01"`, `name="web`: `closing quote`, `name="\x"`: `escapes`, `name="\u0000"`: `NUL`, `"`: `closing quote`,
		`name==web`: `single =`, `ntp=[1`: `JSON`, `ntp=[1]x`: `unexpected 'x'`,
		`name~web`: `'~'`, `n>1`: `'>'`, `a&b`: `all terms`, `(a`: `no meaning ... all terms`, `name:web`: `colon ... only`, `own:`: `own: ... name of a variable`,
		`web-*`: `name ... * ... patterns ... values ... name=web-*`, `a and b`: `"and" (column 3): ... all terms`, `OR`: `vars.OR`,
		`!`: `! only once`, `!!a`: `! only once`, `!a!=b`: `negated twice`, `own:name=x`: `own:vars.name`, `name.x=1`: `no parts ... variable ... vars.name`,
		`vars`: `name of a variable ... missing ... vars.ntp`, `a.=1`: `name is missing`, `a.`: `name is missing`, `"a"b=1`: `unexpected 'b'`, `n=a b\`: `unexpected '\\'`,
		"a\x00b": `NUL`, "a\xff": `UTF-8`, "n=\u202e": `double quotes ... \u202e`,
		strings.Repeat("a ", 65): `more than 64 terms`, "n=" + strings.Repeat("a,", 1000) + "a": `more than 1000 values`, strings.Repeat("a", 16<<10+1): `longer than 16384 bytes`,
	} {
		_, err := where.Parse(schema.Host, text)
		if e := (*where.Error)(nil); !errors.As(err, &e) || !wording.Has(err.Error(), want) {
			t.Errorf("%.60s: %v, want %s", text, err, want)
		}
	}
	for text, want := range map[string]string{
		`label=web`: `region ... no field "label" ... variable ... vars.label ... name, id, region, cloud, note`, `parent`: `no field "parent" ... name, id, region`, `active=true`: `no field`,
	} {
		if _, err := where.Parse(schema.Region, text); err == nil || !wording.Has(err.Error(), want) {
			t.Errorf("%s of a region: %v, want %s", text, err, want)
		}
	}
	if _, err := where.Parse(schema.Host, `vlans=1 gateway=x`); err != nil {
		t.Errorf("words that only other kinds have as fields: %v", err)
	}
}

// FuzzParse: no text upsets the parser, the printed form reads the same, means the same, and is its own printed form.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`label=web region=dfw name=web-*`, `!ntp own:disks.0.size=100,[1,{"a":"b c"}]`, `name="a \" b"*,?`, `ip=10.0.0.0/8,::1`, `parent=a/"b/c"/d*`, `vars.name!="\u202e"`, `n={"a":[`, `n=~`,
		`"v3.0"."a b"=1e400`, `note=""*""`, `n=0b1,0o7,1_0,.5,1:30,2026-01-01`, `id=-1`, `n="\ud800"`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, k := range where.Kinds {
			w, err := where.Parse(k, text)
			if err != nil {
				if e := (*where.Error)(nil); !errors.As(err, &e) || e.What == "" {
					t.Fatalf("%q: %v", text, err)
				}
				continue
			}
			printed := w.String()
			again, err := where.Parse(k, printed)
			if err != nil {
				if len(printed) > len(text) {
					continue // it may be too long then
				}
				t.Fatalf("%q is printed as %q: %v", text, printed, err)
			}
			if d := cmp.Diff(printed, again.String()); d != "" {
				t.Fatalf("%q: %s", text, d)
			}
			if w.Match(web) != again.Match(web) {
				t.Fatalf("%q and %q do not mean the same", text, printed)
			}
		}
	})
}
