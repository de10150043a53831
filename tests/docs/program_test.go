package docs

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/page"
)

// block is a fenced block of go, and what the page shows that it prints.
type block struct {
	line   int // of the first line of code
	code   string
	output string
}

// section is what stands between two headings.
type section struct {
	chapter string // the heading of level two above it
	name    string // of the function that its blocks become
	blocks  []block
}

// declares tells whether a section makes a client of its own.
func (s section) declares(name string) bool {
	for _, b := range s.blocks {
		if strings.HasPrefix(b.code, name+", err := ") || strings.Contains(b.code, "\n"+name+", err := ") {
			return true
		}
	}
	return false
}

// program is a page as one.
type program struct {
	page     string
	imports  string
	sections []section
	table    []block // the code in tables, whose output is none: it is compiled only
	orphans  []int   // lines of output that are no block's
	binary   string
}

// goSpans are the code spans of a table's cell that are of the libraries.
var goSpans = regexp.MustCompile("`(\\*?(?:c|client|craton|keystone|iotronic|errors)\\.[^`]+)`")

// goType is one that is no expression.
var goType = regexp.MustCompile(`^\*?\w+\.\w+$`)

// parse reads a page.
func parse(name, text string) *program {
	p := &program{page: name}
	kind, chapter := "", ""
	inTable, goTable := false, false
	var last *block // where a block of text belongs
	for i, line := range strings.Split(text, "\n") {
		sections := len(p.sections)
		switch {
		case kind == "" && strings.HasPrefix(line, "#"):
			if strings.HasPrefix(line, "## ") {
				chapter = strings.TrimPrefix(line, "## ")
			}
			p.sections, last = append(p.sections, section{chapter: chapter, name: fmt.Sprintf("line%d", i+1)}), nil
		case kind == "" && strings.HasPrefix(line, "```"):
			kind = strings.TrimPrefix(line, "```")
			if kind == "go" {
				blocks := &p.sections[sections-1].blocks
				*blocks = append(*blocks, block{line: i + 2})
				last = &(*blocks)[len(*blocks)-1]
			} else if kind != "text" {
				last = nil
			}
		case line == "```":
			if last != nil && strings.HasPrefix(last.code, "import (") {
				blocks := &p.sections[sections-1].blocks
				p.imports, *blocks, last = last.code, (*blocks)[:len(*blocks)-1], nil
			}
			if kind == "text" {
				last = nil
			}
			kind = ""
		case kind == "go":
			last.code += line + "\n"
		case kind == "text" && last != nil:
			last.output += line + "\n"
		case kind == "text":
			p.orphans = append(p.orphans, i+1)
		case kind == "" && strings.HasPrefix(line, "|"):
			cells := strings.Split(strings.Trim(line, "|"), "|")
			cell := strings.TrimSpace(cells[len(cells)-1])
			if !inTable {
				inTable, goTable = true, cell == "Go"
			} else if goTable {
				for _, span := range goSpans.FindAllStringSubmatch(cell, -1) {
					p.table = append(p.table, block{line: i + 1, code: span[1]})
				}
			}
			continue
		}
		inTable = false
	}
	return p
}

// mark ends the output of a block.
const mark = "--8<-- end of block"

// source is the program's text. Compilers name the lines of the page.
func (p *program) source() string {
	var b strings.Builder
	fmt.Fprintf(&b, `package main

%s
import os_ "os"
import fmt_ "fmt"

var shared struct {
	ctx    context.Context
	c      *craton.Client
	client *iotronic.Client
}

var sections = map[string]func() error{
`, p.imports)
	for _, s := range p.sections {
		if len(s.blocks) > 0 {
			fmt.Fprintf(&b, "\t%[1]q: %[1]s,\n", s.name)
		}
	}
	b.WriteString(`}

func main() {
	shared.ctx = context.Background()
	for _, name := range os_.Args[1:] {
		if err := sections[name](); err != nil {
			fmt_.Fprintln(os_.Stderr, err)
			os_.Exit(1)
		}
	}
}
`)
	for _, s := range p.sections {
		if len(s.blocks) == 0 {
			continue
		}
		// The last block may return; one that returns an error is not at its end.
		fmt.Fprintf(&b, `
func %s() (failed error) {
	defer func() {
		if failed == nil {
			fmt_.Println(%q)
		}
	}()
	ctx := shared.ctx
	_ = ctx
`, s.name, mark)
		for _, name := range []string{"c", "client"} {
			if !s.declares(name) {
				fmt.Fprintf(&b, "%[1]s := shared.%[1]s\n", name)
			}
		}
		for i, block := range s.blocks {
			if i > 0 {
				fmt.Fprintf(&b, "fmt_.Println(%q)\n", mark)
			}
			fmt.Fprintf(&b, "//line %s:%d\n%s", p.page, block.line, block.code)
		}
		b.WriteString("shared.c, shared.client = c, client\nreturn nil\n}\n")
	}
	// What the tables mention: contexts, ids, credentials and options.
	b.WriteString(`
func tables(ctx context.Context, c *craton.Client, client *iotronic.Client, auth *keystone.Auth, err error, id int, projectID, uuid, name string,
	url, username, password, token, project, region, endpointType, marker, message, reason, userAgent, caPath, certificate, certificateKey string) {
`)
	for _, block := range p.table {
		code := block.code
		switch {
		case goType.MatchString(code):
			code = "{ var _ " + code + " }"
		case !strings.HasSuffix(code, ")"):
			code = "_ = " + code
		}
		fmt.Fprintf(&b, "//line %s:%d\n%s\n", p.page, block.line, code)
	}
	b.WriteString("}\n\nvar _ = tables\n")
	return b.String()
}

// build compiles the program in a directory; root is that of the module.
func (p *program) build(ctx context.Context, dir, root string) error {
	if len(p.orphans) > 0 {
		return fmt.Errorf("%s:%d: what prints this?", p.page, p.orphans[0])
	}
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte(p.source()), 0o600); err != nil {
		return err
	}
	p.binary = filepath.Join(dir, "page")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", p.binary, source)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as in the Makefile: much is compiled already
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// run runs the sections of some chapters, in the order of the page, in a directory that is their home too, and returns
// what differs from the page.
func (p *program) run(ctx context.Context, dir string, env []string, belongs func(chapter string) bool) (complaints []string) {
	var names []string
	var blocks []block
	for _, s := range p.sections {
		if len(s.blocks) > 0 && belongs(s.chapter) {
			names, blocks = append(names, s.name), append(blocks, s.blocks...)
		}
	}
	if len(blocks) == 0 {
		return []string{p.page + " has no such blocks"}
	}
	cmd := exec.CommandContext(ctx, p.binary, names...)
	cmd.Dir, cmd.Env = dir, append([]string{"HOME=" + dir}, env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	outputs := strings.Split(string(out), mark+"\n")
	for i, b := range blocks {
		if i == len(outputs)-1 {
			return append(complaints, fmt.Sprintf("%s:%d: %v: %s%s", p.page, b.line, err, outputs[i], stderr.String()))
		}
		if want, got := strings.TrimRight(b.output, "\n"), strings.TrimRight(outputs[i], "\n"); !page.Matches(want, got) {
			complaints = append(complaints, fmt.Sprintf("%s:%d: the page shows\n%s\nand the block prints\n%s", p.page, b.line, want, got))
		}
	}
	if err != nil || stderr.Len() > 0 {
		complaints = append(complaints, fmt.Sprintf("%s: %v: %s", p.page, err, stderr.String()))
	}
	return complaints
}

// TestProgram: what a page shows and a block does not print is found, and so are blocks that fail or do not compile.
func TestProgram(t *testing.T) {
	t.Parallel()
	const text = "# A page\n\n```go\nimport (\n\t\"context\"\n\t\"fmt\"\n\n" +
		"\t\"github.com/craton-fleet/craton/craton\"\n\t\"github.com/craton-fleet/craton/keystone\"\n\t\"github.com/craton-fleet/craton/iotronic\"\n)\n```\n\n" +
		"## One\n\n```go\nc, err := craton.New(\"http://craton.example\")\nif err != nil {\n\treturn err\n}\nx := 1\n```\n\n" +
		"```go\nfmt.Println(c.URL(), x)\n```\n\n```text\nhttp://.../v1 1\n```\n\n" +
		"### Made above\n\n```go\nfmt.Println(c.URL())\nreturn nil\n```\n\n```text\nhttp://craton.example/v2\n```\n\n" +
		"## Two\n\n```go\nfmt.Println(1)\n```\n\n```go\nreturn fmt.Errorf(\"no way\")\n```\n\n" +
		"| python | Go |\n|---|---|\n| `craton.x` | words, `*craton.Error`, `c.Hosts.Get(ctx, id)` |\n"
	root := filepath.Join("..", "..")
	p := parse("some.md", text)
	dir := t.TempDir()
	if err := p.build(t.Context(), dir, root); err != nil {
		t.Fatal(err)
	}
	for chapter, want := range map[string][]string{
		"One": {"some.md:35: the page shows\nhttp://craton.example/v2\nand the block prints\nhttp://craton.example/v1"},
		"Two": {"some.md:46: the page shows\n\nand the block prints\n1", "some.md:50: exit status 1: no way\n"},
		"Six": {"some.md has no such blocks"},
	} {
		if diff := cmp.Diff(want, p.run(t.Context(), dir, nil, is(chapter))); diff != "" {
			t.Error(chapter, diff)
		}
	}
	p = parse("some.md", strings.NewReplacer("x := 1", "x, y := 1, 2", "Hosts.Get", "Hosts.Gte").Replace(text))
	err := p.build(t.Context(), dir, root)
	if err == nil || !strings.Contains(err.Error(), "some.md:21: declared and not used: y") || !strings.Contains(err.Error(), "some.md:55: c.Hosts.Gte undefined") {
		t.Error(err)
	}
	p = parse("some.md", text+"\n```text\n1\n```\n\n## Three\n\n```text\n2\n```\n")
	if err := p.build(t.Context(), dir, root); err == nil || err.Error() != "some.md:64: what prints this?" {
		t.Error(err)
	}
}
