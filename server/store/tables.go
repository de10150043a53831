package store

import (
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/value"
)

// table describes a table of the database, as created by the migrations, for backups.
type table struct {
	name    string
	columns []tableColumn
	key     []string // columns of the primary key
}

type tableColumn struct {
	name     string
	boolean  bool
	identity bool // the database assigns its values
	itself   bool // it refers to a row of the same table
}

// identity returns the column whose values the database assigns, or "" if there is none.
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

// tablesOf returns the tables of a version of the schema, referenced tables first. It parses the migrations, because
// old versions have no other description.
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

// unsaved has the tables that are not in backups. Their data are created again, or are useless after a restore.
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

// topLevel splits a text at commas outside parentheses.
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
