package iotronic

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/craton-fleet/craton/internal/configdrive"
	"github.com/craton-fleet/craton/internal/value"
	api "github.com/craton-fleet/craton/iotronic"
)

// stars is what Ironic shows in place of a secret.
const stars = api.Hidden

// masked reports whether Ironic has masked a part of a value.
func masked(value json.RawMessage) bool { return bytes.Contains(value, []byte(stars)) }

// hiding is the meaning of asterisks in what the API shows.
type hiding int

const (
	starred hiding = iota // the text itself: nothing is hidden there
	kept                  // a secret, which counts as equal
	renewed               // a secret, which is to be written again
)

// hidingOf returns the meaning of asterisks in a field that hides secrets, or does not.
func hidingOf(hides, anew bool) hiding {
	switch {
	case !hides:
		return starred
	case anew:
		return renewed
	}
	return kept
}

// same compares what a task wants with what the API shows. A number equals its text: from a template such as "{{ cpus *
// 1024 }}", some releases of Ansible make a number and others a text. Likewise true equals 1, and false equals 0:
// Ironic treats them as equal, and does not store a change from one to the other.
func same(have, want json.RawMessage, stars hiding) bool {
	return value.EqualJSON(have, want) && (stars == starred || !masked(have)) || sameValues(decoded(have), decoded(want), stars)
}

// sameNumber compares a text with a number.
func sameNumber(text string, number json.Number) bool {
	return json.Valid([]byte(text)) && value.EqualJSON(json.RawMessage(text), json.RawMessage(number))
}

// sameFlag compares a flag with a number as Python does.
func sameFlag(flag bool, number json.Number) bool {
	one, zero := value.EqualJSON(json.RawMessage(number), json.RawMessage("1")), value.EqualJSON(json.RawMessage(number), json.RawMessage("0"))
	return flag && one || !flag && zero
}

func sameValues(have, want any, hidden hiding) bool {
	switch have := have.(type) {
	case string:
		if hidden != starred && strings.Contains(have, stars) {
			text, ok := want.(string)
			return hidden == kept && (have == stars || ok && isMasked(have, text))
		}
		if number, ok := want.(json.Number); ok {
			return sameNumber(have, number)
		}
		return have == want
	case json.Number:
		if text, ok := want.(string); ok {
			return sameNumber(text, have)
		}
		if flag, ok := want.(bool); ok {
			return sameFlag(flag, have)
		}
	case bool:
		if number, ok := want.(json.Number); ok {
			return sameFlag(have, number)
		}
	case map[string]any:
		want, ok := want.(map[string]any)
		if !ok || len(have) != len(want) {
			return false
		}
		for key, value := range have {
			if other, ok := want[key]; !ok || !sameValues(value, other, hidden) {
				return false
			}
		}
		return true
	case []any:
		want, ok := want.([]any)
		if !ok || len(have) != len(want) {
			return false
		}
		for i := range have {
			if !sameValues(have[i], want[i], hidden) {
				return false
			}
		}
		return true
	}
	return value.EqualJSON(raw(have), raw(want))
}

// isMasked reports whether a text contains all visible parts of another, which are separated by asterisks.
func isMasked(have, text string) bool {
	seen := strings.Split(have, stars)
	last := len(seen) - 1
	text, begins := strings.CutPrefix(text, seen[0])
	text, ends := strings.CutSuffix(text, seen[last])
	for _, part := range seen[1:last] {
		var found bool
		if _, text, found = strings.Cut(text, part); !found {
			return false
		}
	}
	return begins && ends
}

// decoded returns a value with all digits of its numbers.
func decoded(raw json.RawMessage) any {
	v, _ := value.Decode(raw) // invalid JSON is nil, which equals nothing
	return v
}

// alsoHidden are keys whose values Ironic always hides in instance_info.
var alsoHidden = []string{"image_url", "configdrive"}

// concealValue returns a value as the API will show it under a key of a field, with secrets replaced by a word.
func concealValue(field, key string, value json.RawMessage, word string) json.RawMessage {
	value = bytes.TrimSpace(value)
	isDict := bytes.HasPrefix(value, []byte("{"))
	switch {
	case field == "instance_info" && slices.Contains(alsoHidden, key), !isDict && api.IsSecretKey(key):
		return raw(word)
	case bytes.HasPrefix(value, []byte(`"`)):
		var text string
		if json.Unmarshal(value, &text) == nil {
			if masked, secrets := api.Mask(text); secrets != nil {
				return raw(masked)
			}
		}
		return value
	case !isDict:
		return value
	}
	o := dictOf(value)
	for k, v := range o {
		o[k] = concealValue("", k, v, word)
	}
	return raw(o)
}

// textSecrets returns the secrets within the texts of a value.
func textSecrets(value json.RawMessage) (found []string) {
	switch v := decoded(value).(type) {
	case string:
		_, found = api.Mask(v)
	case []any:
		for _, inner := range v {
			found = append(found, textSecrets(raw(inner))...)
		}
	case map[string]any:
		for _, inner := range v {
			found = append(found, textSecrets(raw(inner))...)
		}
	}
	return found
}

// conceal returns a node without the secrets from the task, wherever the API shows them: a policy of Ironic can allow
// that, and Ironic always shows them within lists. Everything else stays as the API shows it.
func (w *want) conceal(o api.Object) api.Object {
	for option, given := range w.dicts {
		if have, ok := o[option]; ok && api.HidesSecrets(option) {
			o = maps.Clone(o)
			o[option] = raw(concealed(decoded(have), decoded(raw(given.values))))
		}
	}
	return w.steps.conceal(o)
}

// conceal returns a node without the values of secret keys in the steps from the task: Ironic shows them in clear text
// while the steps run, and after a failure.
func (s *steps) conceal(o api.Object) api.Object {
	if len(s.of) == 0 || o == nil {
		return o
	}
	o = maps.Clone(o)
	for _, key := range []string{"driver_internal_info", "clean_step", "deploy_step", "service_step"} {
		if have, ok := o[key]; ok {
			o[key] = raw(withoutSecrets(decoded(have)))
		}
	}
	return o
}

// withoutSecrets replaces the values of secret keys by asterisks.
func withoutSecrets(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			if _, text := inner.(string); text && api.IsSecretKey(key) {
				v[key] = stars
			} else {
				v[key] = withoutSecrets(inner)
			}
		}
	case []any:
		for i := range v {
			v[i] = withoutSecrets(v[i])
		}
	}
	return v
}

// concealed replaces each secret in a value by asterisks, if the task has set one there.
func concealed(have, given any) any {
	switch have := have.(type) {
	case map[string]any:
		given, _ := given.(map[string]any)
		for key, value := range have {
			other, ok := given[key]
			switch {
			case !ok || value == nil:
			case !isSecret(key):
				have[key] = concealed(value, other)
			case !masked(raw(value)):
				have[key] = stars
			}
		}
	case []any:
		given, _ := given.([]any)
		for i := range min(len(have), len(given)) {
			have[i] = concealed(have[i], given[i])
		}
	case string:
		text, _ := api.Mask(have)
		return text
	}
	return have
}

// isSecret reports whether the output of the task masks the value of a key.
func isSecret(key string) bool {
	key = strings.ToLower(key)
	return api.IsSecretKey(key) || slices.ContainsFunc(alsoHidden, func(word string) bool { return strings.Contains(key, word) })
}

// minSecret is the minimum length, in characters, of texts in a config drive that count as secrets although their key
// does not say so.
const minSecret = 8

// driveSecrets returns the texts of a config drive that no message may show. If all its texts were masked like
// passwords, messages would lose the name of the node, which is the hostname in the drive, and each word such as disk,
// boot or 1 that the drive happens to contain. Therefore secrets are: the value of a key that names a secret (password,
// token and so on); a drive that is one text, and user_data, vendor_data and network_data as one text, and secrets in
// its lines; and any other text of at least 8 characters that is not [ordinary]. A path is not a secret: messages are
// about it.
func driveSecrets(value json.RawMessage, other func(option string) string) (secrets []string) {
	var shown []string // messages contain these
	for _, option := range []string{optName, optUUID, "instance_uuid", "instance_name", keyDriver, "url"} {
		shown = append(shown, strings.ToLower(other(option)))
	}
	drive := decoded(value)
	if text, ok := drive.(string); ok {
		if configdrive.IsPath(text) || utf8.RuneCountInString(text) < minSecret {
			return nil
		}
		secrets = append(secrets, text)
		drive = decoded(json.RawMessage(text))
	}
	parts, ok := drive.(map[string]any)
	if !ok {
		return append(secrets, driveTexts("", drive, false, shown)...)
	}
	for key, part := range parts {
		if text, ok := part.(string); ok && key != "meta_data" {
			if utf8.RuneCountInString(text) >= minSecret {
				secrets = append(secrets, text)
			}
			secrets = append(secrets, lineSecrets(text)...)
			continue
		}
		secrets = append(secrets, driveTexts(key, part, isDriveSecret(key), shown)...)
	}
	return secrets
}

// lineSecrets returns the secrets in the lines of user data, as in password: hush.
func lineSecrets(text string) (secrets []string) {
	const least = 4 // shorter ones would be found in any message
	_, secrets = api.Mask(text)
	for line := range strings.Lines(text) {
		if at := strings.IndexAny(line, ":="); at > 0 && isDriveSecret(line[:at]) {
			if secret := strings.Trim(line[at+1:], " \t\r\n\"',"); utf8.RuneCountInString(secret) >= least {
				secrets = append(secrets, secret)
			}
		}
	}
	return secrets
}

// driveTexts returns the secrets in a part of a config drive; known reports that its key names a secret.
func driveTexts(under string, v any, known bool, shown []string) (secrets []string) {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			secrets = append(secrets, driveTexts(key, inner, known || isDriveSecret(key), shown)...)
		}
	case []any:
		for _, inner := range v {
			secrets = append(secrets, driveTexts(under, inner, known, shown)...)
		}
	case json.Number:
		if known {
			return []string{v.String()}
		}
	case string:
		if known || !isOrdinary(under, v, shown) {
			return []string{v}
		}
	}
	return secrets
}

// hints are parts of keys whose value may be a secret.
var hints = []string{"key", "pw", "psk", "cred", "auth", "hash", "salt", "seed", "pin", "otp", "community"}

// isDriveSecret reports whether the name of a key in a config drive marks its value as a secret: cloud-init uses passwd
// too.
func isDriveSecret(key string) bool {
	return isSecret(key) || strings.Contains(strings.ToLower(key), "pass")
}

// isOrdinary reports whether a text is no secret, given its form, if its key does not mark it as one: a short text, a
// part of what messages contain, an address, a UUID under a key for one, or a single word in lower case such as
// available or provision_state, which messages consist of. Secrets that people or programs choose have digits, capitals
// or other characters, or are longer.
func isOrdinary(key, text string, shown []string) bool {
	const longestWord, leastHinted = 16, 4
	least, word := minSecret, longestWord
	key = strings.ToLower(key)
	if slices.ContainsFunc(hints, func(hint string) bool { return strings.Contains(key, hint) }) {
		least, word = leastHinted, 0
	}
	if n := utf8.RuneCountInString(text); n < least || n <= word && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz_") == "" {
		return true
	}
	_, noAddress := netip.ParseAddr(text)
	_, noPrefix := netip.ParsePrefix(text)
	return noAddress == nil || noPrefix == nil || value.IsUUID(text) && strings.HasSuffix(key, "id") || api.IsMAC(text) ||
		slices.ContainsFunc(shown, func(name string) bool { return strings.Contains(name, strings.ToLower(text)) })
}
