package store

import (
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/value"
)

// table is a table of the database, as the migrations create it: what a backup needs to know of it.
type table struct {
	name    string
	columns []tableColumn
	key     []string // of the primary key
}

type tableColumn struct {
	name     string
	boolean  bool
	identity bool // the database assigns its values
	itself   bool // it refers to another row of the table
}

// identity returns the column whose values the database assigns; "" if there is none.
func (t *table) identity() string {
	for _, c := range t.columns {
		if c.identity {
			return c.name
		}
	}
	return ""
}

var (
	comment     = value.LazyPattern(`--[^\n]*`)
	createTable = value.LazyPattern(`^CREATE TABLE (\w+) \(([\s\S]*)\)[^)]*$`)
	addColumn   = value.LazyPattern(`^ALTER TABLE (\w+) ADD COLUMN ([\s\S]*)$`)
	primaryKey  = value.LazyPattern(`^PRIMARY KEY \((.*)\)$`)
)

// tablesOf returns the tables of a version of the schema, referenced tables first. They are parsed from the migrations,
// the only description of an old version.
func tablesOf(version int) (tables []*table) {
	byName := map[string]*table{}
	for _, migration := range migrations[:version] {
		for text := range strings.SplitSeq(comment().ReplaceAllString(migration, ""), ";") {
			text = strings.TrimSpace(text)
			if m := createTable().FindStringSubmatch(text); m != nil {
				t := &table{name: m[1]}
				for _, part := range topLevel(m[2]) {
					t.add(part)
				}
				byName[t.name], tables = t, append(tables, t)
			} else if m := addColumn().FindStringSubmatch(text); m != nil {
				byName[m[1]].add(m[2])
			}
		}
	}
	return tables
}

// unsaved are the tables that are not in backups: their contents are created again, or refer to what no longer exists.
var unsaved = []string{"page_keys", "page_ends"}

// savedTables returns the tables of a version of the schema that are in backups.
func savedTables(version int) []*table {
	return slices.DeleteFunc(tablesOf(version), func(t *table) bool { return slices.Contains(unsaved, t.name) })
}

// add parses one part of a table's definition.
func (t *table) add(part string) {
	words := strings.Fields(part)
	switch words[0] {
	case "PRIMARY":
		t.key = strings.Split(primaryKey().FindStringSubmatch(part)[1], ", ")
		return
	case "UNIQUE", "CHECK", "FOREIGN":
		return
	}
	c := tableColumn{
		name: words[0], boolean: words[1] == "BOOLEAN",
		identity: strings.Contains(part, "AUTOINCREMENT"),
		itself:   strings.Contains(part, "REFERENCES "+t.name+" "),
	}
	if strings.Contains(part, "PRIMARY KEY") {
		t.key = []string{c.name}
	}
	t.columns = append(t.columns, c)
}

// topLevel splits a text at the commas outside of parentheses.
func topLevel(text string) (parts []string) {
	depth, from := 0, 0
	for i, r := range text + "," {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth--
		case r == ',' && depth == 0:
			if part := strings.Join(strings.Fields(text[from:i]), " "); part != "" {
				parts = append(parts, part)
			}
			from = i + 1
		}
	}
	return parts
}
