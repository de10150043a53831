package iotronic

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"testing"

	api "github.com/craton-fleet/craton/iotronic"
)

// BenchmarkInventory is of 10,000 nodes of Ironic with some 25 fields, without the network: as they come out of
// the client library, and on.
func BenchmarkInventory(b *testing.B) {
	const nodes = 10_000
	var objects []object
	var items []api.RawItem
	for n := range nodes {
		o := maps.Clone(bareMetal()[n%3])
		o["uuid"], o["name"] = fmt.Sprintf("%08x-0000-4000-8000-000000000000", n), fmt.Sprintf("metal-%06d", n)
		text, err := json.Marshal(o)
		if err != nil {
			b.Fatal(err)
		}
		objects, items = append(objects, o), append(items, api.RawItem{UUID: o["uuid"].(string), JSON: text})
	}
	o := DefaultOptions()
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			d := newDecoder()
			for _, item := range items {
				newMachine(d, "node", item)
			}
		}
	})
	l := listingOf(b, api.DialectIronic, objects...)
	b.Run("build", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Build(l, o); err != nil {
				b.Fatal(err)
			}
		}
	})
	doc, err := Build(l, o)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := doc.Write(io.Discard, false); err != nil {
				b.Fatal(err)
			}
		}
	})
}
