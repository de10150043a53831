package browser_test

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/craton-fleet/craton/craton"
)

// pictures are those of the documents, in docs/images.
var pictures = []struct {
	name, path, scheme string
	height             int64
	open               string // what is clicked on first
}{
	{"host", "hosts?where=name%3Dweb-ams1", "light", 800, ".hides summary"},
	{"tree", "", "light", 560, ""},
	{"variable", "variables/ntp_servers", "light", 560, ""},
	{"compare", "compare?a=web-ams1&b=db-ams1", "light", 620, ""},
	{"changes-dark", "changes", "dark", 640, ""},
}

const (
	pictureWidth = 1180
	mostPicture  = 120 << 10 // bytes of a picture
)

// TestScreenshots makes the pictures of the documents anew: `make screenshots`.
func TestScreenshots(t *testing.T) {
	if os.Getenv("CRATON_TEST_SCREENSHOTS") != "1" {
		t.Skip("it writes docs/images: make screenshots")
	}
	tm := newTeam(t)
	fleet, err := os.ReadFile(filepath.Join(root, "examples", "fleet.yml"))
	if err != nil {
		t.Fatal(err)
	}
	project, err := tm.root.Projects.Create(t.Context(), craton.ProjectCreate{Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	anna, ben := tm.user(t, "anna", project.ID, craton.RoleAdmin), tm.user(t, "ben", project.ID, craton.RoleMember)
	tm.as(anna.name, anna.key, anna.project)
	if err := tm.apply(string(fleet), "--message", "from the spreadsheet"); err != nil {
		t.Fatal(err)
	}
	tm.as(ben.name, ben.key, ben.project)
	if err := tm.live(); err != nil {
		t.Fatal(err)
	}
	b := newTab(t, tm.site, signedOut())
	b.load(tm.base)
	b.signIn(anna)
	for _, p := range pictures {
		b.looks(p.scheme)
		b.open(p.path)
		if p.open != "" {
			b.leads(func() { b.click("tbody th a") })
			b.click(p.open)
		}
		js[bool](b, "document.activeElement.blur() ?? true")
		b.do(chromedp.EmulateViewport(pictureWidth, p.height))
		ctx, end := b.limit()
		raw, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		end()
		if err == nil {
			raw, err = smaller(raw)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(root, "docs", "images", p.name+".png"), raw, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// smaller is a picture in 256 colours: those that it has most of and that are not nearly one that was taken. Others
// become the nearest.
func smaller(raw []byte) ([]byte, error) {
	full, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	count := map[color.RGBA]int{}
	box := full.Bounds()
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			count[color.RGBAModel.Convert(full.At(x, y)).(color.RGBA)]++
		}
	}
	colours := make([]color.RGBA, 0, len(count))
	for c := range count {
		colours = append(colours, c)
	}
	slices.SortFunc(colours, func(a, b color.RGBA) int { return count[b] - count[a] })
	var palette color.Palette
	for near := 24; near >= 0 && len(palette) < 256; near -= 8 {
		for _, c := range colours {
			if len(palette) < 256 && (len(palette) == 0 || distance(c, palette[palette.Index(c)].(color.RGBA)) > near) {
				palette = append(palette, c)
			}
		}
	}
	few := image.NewPaletted(box, palette)
	draw.Draw(few, box, full, box.Min, draw.Src)
	var b bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, few)
	return b.Bytes(), err
}

// distance is the largest between the parts of two colours.
func distance(a, b color.RGBA) int {
	apart := func(x, y uint8) int { return max(int(x)-int(y), int(y)-int(x)) }
	return max(apart(a.R, b.R), apart(a.G, b.G), apart(a.B, b.B))
}

// TestPictures: the pictures of the documents are there, are small, and each is shown; no document shows one that is
// not there.
func TestPictures(t *testing.T) {
	t.Parallel()
	shown := map[string]bool{}
	documents, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(documents, filepath.Join(root, "README.md")) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`!\[([^\]]*)\]\(([^)]+)\)`).FindAllStringSubmatch(string(text), -1) {
			path := filepath.Join(filepath.Dir(file), m[2])
			if _, err := os.Stat(path); err != nil || len(m[1]) < 20 {
				t.Errorf("%s: %v, shown as %q", file, err, m[1])
			}
			shown[filepath.Clean(path)] = true
		}
	}
	for _, p := range pictures {
		path := filepath.Join(root, "docs", "images", p.name+".png")
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Errorf("%v: make screenshots", err)
			continue
		}
		picture, err := png.DecodeConfig(bytes.NewReader(raw))
		if err != nil || len(raw) > mostPicture || picture.Width != pictureWidth {
			t.Errorf("%s: %d bytes, %+v, %v", path, len(raw), picture, err)
		}
		if !shown[path] {
			t.Errorf("no document shows %s", path)
		}
	}
	files, err := os.ReadDir(filepath.Join(root, "docs", "images"))
	if err != nil || len(files) != len(pictures) {
		t.Errorf("%v: %d files, %d pictures", err, len(files), len(pictures))
	}
	for _, f := range files {
		if strings.ToLower(f.Name()) != f.Name() {
			t.Error(f.Name())
		}
	}
}
