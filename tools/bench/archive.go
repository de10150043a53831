package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"regexp"
	"slices"
	"strconv"

	"github.com/klauspost/compress/zstd"
)

// A large fleet is a small one repeated: the backup of a real one, whose cells and hosts are written again and again
// with other ids, names, addresses and revisions, as a stream. So it has everything that a backup has, including the
// change log, whatever the schema is, and a million hosts take a minute.

// model is a complete backup in memory.
type model struct {
	head  []byte // its first line
	parts []*modelPart
	cells int64 // the last id
	hosts int64
	log   int64 // the newest revision
}

type modelPart struct {
	text    []byte // the line that begins it
	name    string
	columns []string
	rows    []*modelRow
}

// modelRow is a line with parts that differ in each copy.
type modelRow struct {
	line     []byte
	slots    []slot
	revision int64 // of a change
	again    bool  // it is repeated in every copy
}

// slot is such a part of a row.
type slot struct {
	from, to int // offsets in the line
	kind     slotKind
	n        int64 // the number in the model
}

type slotKind uint8

const (
	cellID slotKind = iota
	hostID
	hostNumber // of a host's name
	serial     // of its serial number
	address    // of its address
	cellNumber // of a cell's name
	revision
	changeID
)

// The parts of texts that differ.
var (
	modelHost    = regexp.MustCompile(`\bhost-(\d{6})\.example`)
	modelCell    = regexp.MustCompile(`\bcell(\d+)\b`)
	modelSerial  = regexp.MustCompile(`\bSN(\d{8})\b`)
	modelAddress = regexp.MustCompile(`\b10\.(\d+)\.(\d+)\.(\d+)\b`)
	modelCellID  = regexp.MustCompile(`\\"cell_id\\":(\d+)`)
	modelID      = regexp.MustCompile(`\\"id\\":(\d+)`)
)

// readModel reads the backup of a small fleet.
func readModel(file io.Reader) (*model, error) {
	packed, err := zstd.NewReader(file)
	if err != nil {
		return nil, err
	}
	defer packed.Close()
	lines := bufio.NewScanner(packed)
	lines.Buffer(nil, 64<<20)
	m := &model{}
	for lines.Scan() {
		line := bytes.Clone(lines.Bytes())
		switch {
		case m.head == nil:
			m.head = line
		case bytes.HasPrefix(line, []byte(`{"rows":`)):
		case line[0] == '{':
			var begin struct {
				Table, Update string
				Columns       []string
				Last          map[string]int64
			}
			if err := json.Unmarshal(line, &begin); err != nil {
				return nil, err
			}
			switch begin.Table {
			case "cells":
				m.cells = begin.Last["id"]
			case "devices":
				m.hosts = begin.Last["id"]
			}
			m.parts = append(m.parts, &modelPart{text: line, name: begin.Table, columns: begin.Columns})
		default:
			row, err := m.parts[len(m.parts)-1].read(line)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", line, err)
			}
			m.log = max(m.log, row.revision)
			m.parts[len(m.parts)-1].rows = append(m.parts[len(m.parts)-1].rows, row)
		}
	}
	if m.log == 0 {
		return nil, errors.Join(errors.New("a backup without changes is no model"), lines.Err())
	}
	return m, lines.Err()
}

// read parses the slots of a row.
func (p *modelPart) read(line []byte) (*modelRow, error) {
	r := &modelRow{line: line}
	var columns []json.RawMessage
	if err := json.Unmarshal(line, &columns); err != nil {
		return nil, err
	}
	at := 1
	texts := map[string]string{}
	begin := map[string]int{}
	for i, c := range columns {
		texts[p.columns[i]], begin[p.columns[i]] = string(c), at
		at += len(c) + 1
	}
	number := func(column string, kind slotKind) {
		text, from := texts[column], begin[column]
		if len(text) > 0 && text[0] == '"' { // an id in a text
			text, from = text[1:len(text)-1], from+1
		}
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			r.slots = append(r.slots, slot{from, from + len(text), kind, n})
		}
	}
	kinds := map[string]slotKind{"5": cellID, "6": hostID, `"cell"`: cellID, `"host"`: hostID}
	var inside bool // of ids in JSON
	switch p.name {
	case "cells":
		number("id", cellID)
	case "devices":
		number("id", hostID)
		number("cell_id", cellID)
	case "labels":
		number("device_id", hostID)
	case "variables":
		kind, known := kinds[texts["owner_kind"]]
		if !known {
			return r, nil
		}
		number("owner_id", kind)
	case "changes":
		number("revision", revision)
		r.revision = r.slots[0].n
		kind, known := kinds[texts["kind"]]
		if !known {
			return r, nil
		}
		number("object_id", kind)
		from := begin["change"] + 1
		r.slots = append(r.slots, slot{from, from + len(texts["change"]) - 2, changeID, r.revision})
		r.texts(modelID, kind)
		inside = true
	default:
		return r, nil
	}
	r.again = true
	if inside {
		r.texts(modelCellID, cellID)
	}
	r.texts(modelHost, hostNumber)
	r.texts(modelCell, cellNumber)
	r.texts(modelSerial, serial)
	r.texts(modelAddress, address)
	slices.SortFunc(r.slots, func(a, b slot) int { return a.from - b.from })
	return r, nil
}

// texts finds slots by their text.
func (r *modelRow) texts(of *regexp.Regexp, kind slotKind) {
	for _, at := range of.FindAllSubmatchIndex(r.line, -1) {
		from, to := at[2], at[3]
		var n int64
		if kind == address {
			to = at[7]
			for i := range 3 {
				part, _ := strconv.ParseInt(string(r.line[at[2+2*i]:at[3+2*i]]), 10, 64)
				n = n<<8 | part
			}
		} else {
			n, _ = strconv.ParseInt(string(r.line[from:to]), 10, 64)
		}
		r.slots = append(r.slots, slot{from, to, kind, n})
	}
}

// stretch writes the backup of a fleet that is the model repeated, and returns its number of rows.
func (m *model) stretch(w io.Writer, copies int) (rows int64, err error) {
	packed, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2))
	if err != nil {
		return 0, err
	}
	s := &stretched{m: m, sum: sha256.New()}
	s.out = bufio.NewWriterSize(io.MultiWriter(packed, s.sum), 1<<20)
	s.line(m.head)
	for _, p := range m.parts {
		if err := s.part(p, int64(copies)); err != nil {
			return 0, err
		}
	}
	if err := s.out.Flush(); err != nil {
		return 0, err
	}
	s.line(fmt.Appendf(nil, `{"rows":%d,"sha256":"%s"}`, s.rows, hex.EncodeToString(s.sum.Sum(nil))))
	return s.rows, errors.Join(s.out.Flush(), packed.Close())
}

type stretched struct {
	m    *model
	out  *bufio.Writer
	sum  hash.Hash
	rows int64
	buf  []byte
}

func (s *stretched) line(text []byte) {
	_, _ = s.out.Write(text) // the writer remembers its error
	_ = s.out.WriteByte('\n')
}

func (s *stretched) part(p *modelPart, copies int64) error {
	last := map[string]int64{"cells": s.m.cells, "devices": s.m.hosts}[p.name]
	s.line(bytes.Replace(p.text, fmt.Appendf(nil, `"id":%d}`, last), fmt.Appendf(nil, `"id":%d}`, last*copies), 1))
	if p.name == "log" {
		return s.log(p, copies)
	}
	for k := range copies {
		for _, r := range p.rows {
			if k == 0 || r.again {
				s.buf = s.m.appendRow(s.buf[:0], r, k)
				s.line(s.buf)
				s.rows++
			}
		}
	}
	return s.out.Flush()
}

// log writes the row with the newest revision, and its change.
func (s *stretched) log(p *modelPart, copies int64) error {
	var newest *modelRow
	for _, other := range s.m.parts {
		for _, r := range other.rows {
			if other.name == "changes" && r.again && (newest == nil || r.revision >= newest.revision) {
				newest = r
			}
		}
	}
	var row []any
	d := json.NewDecoder(bytes.NewReader(p.rows[0].line))
	d.UseNumber()
	if err := d.Decode(&row); err != nil {
		return err
	}
	for i, column := range p.columns {
		switch column {
		case "revision":
			row[i] = newest.revision + (copies-1)*s.m.log
		case "change":
			for _, at := range newest.slots {
				if at.kind == changeID {
					row[i] = string(s.m.appendSlot(nil, newest, &at, copies-1))
				}
			}
		}
	}
	text, err := json.Marshal(row)
	s.line(text)
	s.rows++
	return err
}

func (m *model) appendRow(dst []byte, r *modelRow, k int64) []byte {
	at := 0
	for i := range r.slots {
		dst = append(dst, r.line[at:r.slots[i].from]...)
		dst = m.appendSlot(dst, r, &r.slots[i], k)
		at = r.slots[i].to
	}
	return append(dst, r.line[at:]...)
}

func (m *model) appendSlot(dst []byte, r *modelRow, s *slot, k int64) []byte {
	switch s.kind {
	case cellID:
		return strconv.AppendInt(dst, s.n+k*m.cells, 10)
	case hostID:
		return strconv.AppendInt(dst, s.n+k*m.hosts, 10)
	case cellNumber:
		return strconv.AppendInt(dst, s.n+k*m.cells, 10)
	case revision:
		return strconv.AppendInt(dst, s.n+k*m.log, 10)
	case hostNumber:
		return fmt.Appendf(dst, "%06d", s.n+k*m.hosts)
	case serial:
		return fmt.Appendf(dst, "%08d", s.n+k*m.hosts)
	case address:
		n := s.n + k*m.hosts
		return fmt.Appendf(dst, "%d.%d.%d", n>>16, n>>8&255, n&255)
	case changeID:
		if k == 0 {
			return append(dst, r.line[s.from:s.to]...)
		}
		x := uint64(s.n+k*m.log) * 0x9E3779B97F4A7C15 // pseudo-random, and different for each
		return fmt.Appendf(dst, "%016x", x^x>>29)
	}
	return dst
}
