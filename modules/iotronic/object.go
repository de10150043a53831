package iotronic

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/internal/value"
	api "github.com/craton-fleet/craton/iotronic"
)

// Fields that are used in several files.
const (
	keyUUID        = "uuid"
	keyName        = "name"
	keyDriver      = "driver"
	keyMaintenance = "maintenance"
	keyReason      = "maintenance_reason"
	keyOwner       = "owner"
	keyParent      = "parent_node"
	keyPower       = "power_state"
	keyProvision   = "provision_state"
	keyError       = "last_error"
)

// null is JSON's null.
var null = json.RawMessage("null")

// raw returns a value as JSON. Values here come from JSON, or are texts and flags.
func raw(v any) json.RawMessage {
	text, err := value.Encode(v)
	if err != nil {
		panic(fmt.Errorf("iotronic: %w", err))
	}
	return bytes.TrimRight(text, "\n")
}

// cleaned returns an object without URLs of other parts of the API, such as links and ports: the next task may reach
// the API under another address. For nil it returns an empty object.
func cleaned(o api.Object) api.Object {
	out := make(api.Object, len(o))
	for key, value := range o {
		if key != "links" && !rest.IsLinks(gjson.ParseBytes(value)) {
			out[key] = value
		}
	}
	return out
}

// isNone reports whether a value is not set: a missing field, null, or an empty text.
func isNone(value json.RawMessage) bool {
	text := string(bytes.TrimSpace(value))
	return text == "" || text == "null" || text == `""`
}

// isTrue reports whether a field is the boolean true.
func isTrue(value json.RawMessage) bool { return string(bytes.TrimSpace(value)) == "true" }

// dictOf returns a field that is an object; for anything else, an empty object.
func dictOf(value json.RawMessage) api.Object {
	o := api.Object{}
	if json.Unmarshal(value, &o) != nil || o == nil {
		return api.Object{}
	}
	return o
}
