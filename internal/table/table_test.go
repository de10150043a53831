package table_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/table"
)

func TestText(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		table table.Table
		look  table.Look
		want  string
	}{
		"plain": {table: table.Table{Header: []string{"Id", "Name"}, Rows: [][]string{{"1", "east"}, {"10", ""}}}, want: `
+----+------+
| Id | Name |
+----+------+
| 1  | east |
| 10 |      |
+----+------+
`},
		"no rows": {table: table.Table{Header: []string{"Id", "Name"}}, want: `
+----+------+
| Id | Name |
+----+------+
+----+------+
`},
		"wide and combining characters": {table: table.Table{Header: []string{"Name"}, Rows: [][]string{{"東京"}, {"e\u0301te\u0301"}, {"tokyo"}}}, want: `
+-------+
| Name  |
+-------+
| 東京  |
| ` + "e\u0301te\u0301" + `   |
| tokyo |
+-------+
`},
		"lines in a cell": {table: table.Table{Header: []string{"Id", "Note"}, Rows: [][]string{{"1", "one\nthree"}, {"2", "x"}}}, want: `
+----+-------+
| Id | Note  |
+----+-------+
| 1  | one   |
|    | three |
| 2  | x     |
+----+-------+
`},
		"too narrow a terminal": {table: table.Table{Header: []string{"Id", "Note", "Name"}, Rows: [][]string{{"1", "a long note with words", "averylongnameofahost"}}},
			look: table.Look{Width: 36}, want: `
+----+--------------+--------------+
| Id | Note         | Name         |
+----+--------------+--------------+
| 1  | a long note  | averylongnam |
|    | with words   | eofahost     |
+----+--------------+--------------+
`},
		"painted": {table: table.Table{Header: []string{"Id"}, Rows: [][]string{{"1"}}},
			look: table.Look{Paint: func(row, _ int, line string) string {
				if row < 0 {
					return strings.ToUpper(line)
				}
				return line
			}}, want: `
+----+
| ID |
+----+
| 1  |
+----+
`},
	} {
		if diff := cmp.Diff(strings.TrimPrefix(c.want, "\n"), c.table.Text(c.look)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// However narrow the terminal, columns stay readable.
func TestNeverUnreadable(t *testing.T) {
	t.Parallel()
	text := table.Table{Header: []string{"Name"}, Rows: [][]string{{"0123456789"}}}.Text(table.Look{Width: 3})
	if !strings.Contains(text, "| 01234567 |\n| 89       |") {
		t.Error(text)
	}
}
