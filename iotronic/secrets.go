package iotronic

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/rest"
)

// Hidden is what Ironic shows in the place of a secret, in driver_info and instance_info.
const Hidden = "******"

// secretWords are those of oslo.utils that can mean something to a driver or a deployment.
var secretWords = []string{
	"password", "adminpass", "admin_pass", "new_pass", "passphrase", "sys_pswd", "secret", "token", "configdrive",
	"encrypted_key", "private_key", "fernetkey", "sslkey",
}

// SecretWords are words that Ironic looks for in keys, in lower case: what stands under such a key is a secret.
func SecretWords() []string { return slices.Clone(secretWords) }

// IsSecretKey tells a key whose value Ironic hides.
func IsSecretKey(key string) bool {
	key = strings.ToLower(key)
	return slices.ContainsFunc(secretWords, func(word string) bool { return strings.Contains(key, word) })
}

// conceal takes the secrets of a body that was sent out of what a server answers to it: Ironic repeats changes that it
// cannot make, and values that it does not like.
func (e *HTTPError) conceal(body any) {
	raw, err := rest.Encode(body)
	if body == nil || err != nil {
		return
	}
	for _, secret := range secretsIn(gjson.ParseBytes(raw), false) {
		for _, form := range written(secret) {
			e.Message = strings.ReplaceAll(e.Message, form, Hidden)
			e.Details = strings.ReplaceAll(e.Details, form, Hidden)
		}
	}
}

// secretsIn are the texts and numbers in a value that stand under a key of a secret, or in a change whose path has one; with
// all that is in there. The long ones come first, for one may be in another.
func secretsIn(value gjson.Result, secret bool) (found []string) {
	switch {
	case value.IsObject():
		changed := slices.ContainsFunc(strings.Split(value.Get("path").String(), "/"), IsSecretKey)
		value.ForEach(func(key, inner gjson.Result) bool {
			found = append(found, secretsIn(inner, secret || IsSecretKey(key.Str) || changed && key.Str == "value")...)
			return true
		})
	case value.IsArray():
		value.ForEach(func(_, inner gjson.Result) bool {
			found = append(found, secretsIn(inner, secret)...)
			return true
		})
	case secret && (value.Type == gjson.String || value.Type == gjson.Number) && value.String() != "":
		found = append(found, value.String())
	}
	slices.SortFunc(found, func(a, b string) int { return len(b) - len(a) })
	return found
}

// written are the forms in which a server repeats a text: as it is, and quoted by JSON and by Python. What is short stands in
// other words too, and so counts only with its quotes.
func written(text string) []string {
	const short = 4
	forms := []string{text}
	for _, escaped := range []string{strings.Trim(strconv.Quote(text), `"`), strings.Trim(strconv.QuoteToASCII(text), `"`)} {
		forms = append(forms, escaped, strings.ReplaceAll(strings.ReplaceAll(escaped, `\"`, `"`), `'`, `\'`))
	}
	slices.Sort(forms)
	forms = slices.Compact(forms)
	if len(text) >= short {
		return forms
	}
	var quoted []string
	for _, form := range forms {
		quoted = append(quoted, "'"+form+"'", `"`+form+`"`)
	}
	return quoted
}
