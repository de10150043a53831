package web

// maxHTML is the maximum size of a page in bytes.
const maxHTML = 100 << 10

// shorter is a document that can be shortened, with a link to the rest. Values have no maximum length and can grow
// fivefold when they are escaped, so a page that is too large is rendered again from a shorter document.
type shorter interface {
	// shorten removes about half of the content. It reports whether there was something to remove.
	shorten() bool
}

// firstHalf returns the first half of a list, with at least one member, and whether the list became shorter.
func firstHalf[T any](all []T) ([]T, bool) {
	if len(all) < 2 {
		return all, false
	}
	return all[:len(all)/2], true
}

func (d *listPage) shorten() (less bool) {
	if d.Rows, less = firstHalf(d.Rows); less {
		d.Next = d.Rows[len(d.Rows)-1].ID
	}
	return less
}

func (d *variablePage) shorten() (less bool) {
	if d.Rows, less = firstHalf(d.Rows); less {
		d.Next = d.From + len(d.Rows)
	}
	return less
}

func (d *treePage) shorten() bool {
	rows := d.Rows()
	if len(rows) < 2 {
		return false
	}
	d.Cut, d.max = true, len(rows)/2
	return true
}

func (d *changesPage) shorten() bool { return shortenEvents(d.Happened) }

func shortenEvents(all []eventRow) (less bool) {
	for i := range all {
		h := &all[i]
		if n := len(h.Parts); n > 0 {
			h.Parts, h.More, less = h.Parts[:n/2], h.More+n-n/2, true
		}
	}
	return less
}

func (d *objectPage) shorten() bool {
	rows, less := firstHalf(d.Rows)
	if less {
		d.Rows, d.Next = rows, rows[len(rows)-1].Name
	}
	return shortenEvents(d.Happened) || less
}

func (d *comparePage) shorten() bool {
	rows, fewer := firstHalf(d.Rows)
	parts, less := firstHalf(d.Parts)
	d.More += len(d.Rows) - len(rows) + len(d.Parts) - len(parts)
	d.Rows, d.Parts = rows, parts
	return fewer || less
}

func (d *keyPage) shorten() (less bool) {
	for i := range d.Levels {
		if l := &d.Levels[i]; len(l.Value) > 2*shortText {
			l.Value, l.Cut, less = cut(l.Value, len([]rune(l.Value))/2), true, true
		}
	}
	return less
}

func (d *keysPage) shorten() (less bool) {
	if d.Rows, less = firstHalf(d.Rows); less {
		d.Next = d.Rows[len(d.Rows)-1].Key
	}
	return less
}

func (d *findPage) shorten() bool {
	rows, less := firstHalf(d.Rows)
	d.Left += len(d.Rows) - len(rows)
	d.Rows = rows
	return less
}
