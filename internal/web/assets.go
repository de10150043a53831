package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/where"
)

//go:embed assets templates
var files embed.FS

// asset is a file that pages load, under a name that changes with its contents.
type asset struct {
	name string
	data []byte
}

// assets are by their names in the directory.
var assets = sync.OnceValue(loadAssets)

func loadAssets() map[string]asset {
	all := map[string]asset{}
	entries, err := files.ReadDir("assets")
	for _, e := range entries {
		var data []byte
		if data, err = files.ReadFile("assets/" + e.Name()); err != nil {
			break
		}
		sum := sha256.Sum256(data)
		ext := path.Ext(e.Name())
		all[e.Name()] = asset{strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext, data}
	}
	if err != nil {
		panic(err) // they are in the program
	}
	return all
}

// types are the content types of assets, independent of the machine's configuration.
var types = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

func serveAsset(w http.ResponseWriter, r *http.Request, name string) {
	for _, a := range assets() {
		if a.name == name {
			w.Header().Set("Content-Type", types[path.Ext(name)])
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.data))
			return
		}
	}
	http.Error(w, "there is no such file", http.StatusNotFound)
}

func parseTemplates() *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{
		"clean": clean, "brief": brief, "sentence": sentence, "lines": value.EscapeLines, "cut": cut, "instant": instant, "minute": minute, "rfc3339": rfc3339, "digits": digits,
		"pluralOf": plainPlural, "titleOf": titleOf, "count": count, "at": func(p *page, v any) onPage { return onPage{p, v} }, "labelsIn": labelsIn, "pages": func(k *schema.Kind) bool { return kindAt(k.Path) != nil },
	}).ParseFS(files, "templates/*.html"))
}

// onPage is a value with its page, for templates with links.
type onPage struct {
	Page  *page
	Value any
}

// labels are the labels of an object, with links to the objects that have them.
type labels struct {
	page       *page
	collection string
	First      []string
	More       int
}

// labelsIn returns the first labels of an object, up to a number.
func labelsIn(p *page, collection string, all []string, most int) labels {
	first := all[:min(len(all), most)]
	return labels{p, collection, first, len(all) - len(first)}
}

// URL returns the list of objects with a label.
func (l labels) URL(label string) string {
	return l.page.Href(l.collection, "where", literalTerm("label", "labels", where.LabelField, label))
}

// literalTerm returns the term that matches a text in a field.
func literalTerm(word, key string, of where.FieldType, text string) string {
	t := where.Term{Field: where.Field{Word: word, Key: key, Type: of}, Values: []where.Value{{Pattern: where.Literal(text)}}}
	return t.String()
}

// abbreviations are words in fields that are written in capitals.
var abbreviations = []string{"ip", "os", "cidr", "vlan", "cdp", "nss"}

// titleOf returns the heading of a field.
func titleOf(key string) string {
	text := strings.ReplaceAll(strings.TrimSuffix(key, "_id"), "_", " ")
	first, rest, _ := strings.Cut(text, " ")
	if slices.Contains(abbreviations, first) {
		return strings.TrimSpace(strings.ToUpper(first) + " " + rest)
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// count returns a number of objects with the noun of their kind.
func count(n int, k *schema.Kind) string {
	if n == 1 {
		return "1 " + k.Noun()
	}
	return digits(n) + " " + k.Noun() + "s"
}

// instant returns a time for people, in UTC.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// minute returns a time for people without seconds; the module shows it in the reader's time zone.
func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// digits returns a number with separated thousands.
func digits(n int) string {
	text := []byte(itoa(n))
	for at := len(text) - 3; at > 0; at -= 3 {
		text = append(text[:at], append([]byte(","), text[at:]...)...)
	}
	return string(text)
}
