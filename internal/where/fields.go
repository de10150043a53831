package where

import (
	"slices"
	"strings"

	"github.com/craton-fleet/craton/internal/nearest"
	"github.com/craton-fleet/craton/internal/schema"
)

// KeyProtected is the field that says whether an object is protected from deletion. v1 does not have it.
const KeyProtected = "protected"

// Keys of fields that are not in the schema under these names.
const (
	keyID     = "id"
	keyName   = "name"
	keyLabels = "labels"
)

// words are other words that people use for fields.
var words = map[string]string{"ip_address": "ip", "device_type": "type"}

// reserved are words that are never names of variables, for any kind, so that a term has the same meaning for all
// kinds, or is an error.
var reserved = []string{
	"active", "cell", "cell_id", "cloud", "cloud_id", "created_at", "device_type", "id", "ip", "ip_address", "label", "labels", "name",
	"note", "parent", "parent_id", "project_id", "protected", "region", "region_id", "type", "updated_at", "variables", "vars",
}

// slips are operators of other languages between terms.
var slips = []string{"and", "or", "not", "in", "like", "where"}

// isReserved reports whether a variable needs the prefix vars.
func isReserved(k *schema.Kind, key string) bool {
	_, field := fieldOf(k, key)
	return field || slices.Contains(reserved, key) || isSlip(key) || nearField(k, key) != ""
}

// nearField returns the field that was probably meant by a word: a term about a variable that no object has would match
// nothing or, negated, everything.
func nearField(k *schema.Kind, word string) string { return nearest.Within(word, wordsOf(k), 1) }

func isSlip(word string) bool { return slices.Contains(slips, strings.ToLower(word)) }

// Kinds are the kinds for which terms are supported.
var Kinds = []*schema.Kind{schema.Cloud, schema.Region, schema.Cell, schema.Host, schema.NetworkDevice, schema.Device, schema.Network}

// Fields returns the fields for terms about a kind, in the order in which help shows them.
func Fields(k *schema.Kind) []Field {
	fields := []Field{{Word: "name", Key: keyName, Type: TextField}, {Word: "id", Key: keyID, Type: IDField}}
	if k.Labels != schema.Unlabelled {
		fields = append(fields, Field{Word: "label", Key: keyLabels, Type: LabelField, May: true})
	}
	if slices.Contains([]*schema.Kind{schema.Cloud, schema.Region, schema.Cell}, k) {
		fields = append(fields, Field{Word: k.Name, Type: PlaceField}) // it is its own place
	}
	for _, f := range k.Fields {
		one := Field{Word: f.Option(), Key: f.Key, May: !f.Required}
		if word := words[f.Key]; word != "" {
			one.Word = word
		}
		switch f.Type {
		case schema.Text, schema.LongText, schema.Prefix:
			one.Type = TextField
		case schema.Address:
			one.Type, one.May = AddressField, false
		case schema.Integer:
			one.Type = IDField
		case schema.Flag:
			one.Type, one.May = FlagField, false
		case schema.Reference:
			one.Type = PlaceField
			fields = append(fields, one)
			one = Field{Word: f.Key, Key: f.Key, Type: IDField}
		}
		fields = append(fields, one)
	}
	if k.Protects() || k.View {
		fields = append(fields, Field{Word: KeyProtected, Key: KeyProtected, Type: FlagField})
	}
	return fields
}

// fieldOf returns the field of a kind with a name.
func fieldOf(k *schema.Kind, word string) (Field, bool) {
	for _, f := range Fields(k) {
		if f.Word == word || f.Key == word && f.Type != PlaceField {
			return f, true
		}
	}
	return Field{}, false
}

// wordsOf returns the names of a kind's fields.
func wordsOf(k *schema.Kind) (all []string) {
	for _, f := range Fields(k) {
		if f.Key != f.Word || f.Type != IDField || f.Word == keyID {
			all = append(all, f.Word)
		}
	}
	return all
}
