package iotronic

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/value"
)

// Hidden is what Ironic shows in place of a secret, in driver_info and instance_info.
const Hidden = "******"

// secretWords are the words of oslo.utils that are relevant for a driver or a deployment.
var secretWords = []string{
	"password", "adminpass", "admin_pass", "new_pass", "passphrase", "sys_pswd", "secret", "token", "configdrive",
	"encrypted_key", "private_key", "fernetkey", "sslkey",
}

// secretKeys are keys of driver_info that later releases of Ironic hide too.
var secretKeys = []string{"snmp_auth_key", "snmp_priv_key"}

// SecretWords are lower-case words for which some release of Ironic searches keys: the value of a key that contains one
// is a secret.
func SecretWords() []string { return slices.Concat(secretWords, secretKeys) }

// IsSecretKey reports whether Ironic masks the value of a key.
func IsSecretKey(key string) bool {
	key = strings.ToLower(key)
	return slices.Contains(secretKeys, key) || slices.ContainsFunc(secretWords, func(word string) bool { return strings.Contains(key, word) })
}

// HidesSecrets reports whether Ironic masks secrets in an attribute of nodes: they are read as [Hidden].
func HidesSecrets(attribute string) bool {
	return attribute == "driver_info" || attribute == "instance_info"
}

// inText matches what Ironic treats as secrets within a text, in the second group: word=value, --word value, and quoted
// ones. The expressions are compiled when they are first needed: most runs never need them.
var inText = sync.OnceValue(func() (patterns []*regexp.Regexp) {
	word := "(?:" + strings.Join(secretWords, "|") + ")[0-9]*"
	for _, pattern := range []string{
		`(` + word + `\s*=\s*["'])([^"']*)`,
		`(` + word + `\s*=\s*)([^\s'"]+)`,
		`(--` + word + `\s+)([^'"=\s]+)`,
		`(` + word + `["']\s*:\s*u?["'])([^"']*)`,
		`(` + word + `\s+["'])([^"']*)`,
		`(<` + word + `>)([^<]*)`,
		`(` + word + `["']\s*,\s*'--?[A-z]+'\s*,\s*u?["'])([^"']*)`,
		`(` + word + `\s*--?[A-z]+\s*)(\S+)`,
	} {
		patterns = append(patterns, regexp.MustCompile("(?is)"+pattern))
	}
	return patterns
})

// Mask returns a text as Ironic shows it in driver_info and instance_info if a part of it is a secret; secrets are
// those parts.
func Mask(text string) (masked string, secrets []string) {
	for _, pattern := range inText() {
		for _, found := range pattern.FindAllStringSubmatch(text, -1) {
			if found[2] != "" && found[2] != Hidden {
				secrets = append(secrets, found[2])
			}
		}
		text = pattern.ReplaceAllString(text, "${1}"+Hidden)
	}
	return text, secrets
}

// concealing returns a function that removes the secrets in a request body from the response to it: Ironic repeats
// changes that it cannot make, and values that it does not accept.
func concealing(body any) func(text string) string {
	if body == nil {
		return func(text string) string { return text }
	}
	var forms [][2]string
	if raw, err := value.Encode(body); err == nil {
		for _, secret := range secretsIn(gjson.ParseBytes(raw), false) {
			forms = append(forms, written(secret)...)
		}
	}
	return func(text string) string {
		for _, form := range forms {
			text = strings.ReplaceAll(text, form[0], form[1])
		}
		return text
	}
}

// secretsIn returns the texts and numbers in a value that are under the key of a secret, or in a change whose path has
// one, including nested ones, and the secrets within other texts. Longer ones come first, because one may contain
// another.
func secretsIn(v gjson.Result, secret bool) (found []string) {
	isSecret := func(key string) bool { return key == imageURL || IsSecretKey(key) }
	switch {
	case v.IsObject():
		changed := slices.ContainsFunc(strings.Split(v.Get("path").String(), "/"), isSecret)
		v.ForEach(func(key, inner gjson.Result) bool {
			inside := secretsIn(inner, secret || isSecret(key.Str) || changed && key.Str == "value")
			if id := inner.Get("uuid").Str; key.Str == "meta_data" && value.IsUUID(id) { // the node's, which messages contain
				inside = slices.DeleteFunc(inside, func(text string) bool { return text == id })
			}
			found = append(found, inside...)
			return true
		})
	case v.IsArray():
		v.ForEach(func(_, inner gjson.Result) bool {
			found = append(found, secretsIn(inner, secret)...)
			return true
		})
	case secret && (v.Type == gjson.String || v.Type == gjson.Number) && v.String() != "":
		found = append(found, v.String())
	case v.Type == gjson.String:
		_, found = Mask(v.Str)
	}
	slices.SortStableFunc(found, func(a, b string) int { return len(b) - len(a) })
	return found
}

// imageURL is a key that Ironic hides in instance_info, because it may contain a signature.
const imageURL = "image_url"

// lowCode is how Go quotes what Python writes as \xa0.
var lowCode = value.LazyPattern(`\\u00([0-9a-f]{2})`)

// written returns the forms in which a server repeats a text, each with its replacement: unchanged, and quoted by JSON
// and by Python. A short text also occurs in other words, and so is replaced only with its quotes.
func written(text string) (forms [][2]string) {
	const short = 8
	var all []string
	for _, quoted := range []string{text, strings.Trim(strconv.Quote(text), `"`), strings.Trim(strconv.QuoteToASCII(text), `"`)} {
		for _, form := range []string{quoted, lowCode().ReplaceAllString(quoted, `\x$1`)} {
			all = append(all, form, strings.ReplaceAll(form, `\"`, `"`), strings.ReplaceAll(strings.ReplaceAll(form, `\"`, `"`), `'`, `\'`))
		}
	}
	slices.Sort(all)
	for _, form := range slices.Compact(all) {
		if len(text) >= short {
			forms = append(forms, [2]string{form, Hidden})
			continue
		}
		for _, quote := range []string{"'", `"`} {
			forms = append(forms, [2]string{quote + form + quote, quote + Hidden + quote})
		}
	}
	slices.SortStableFunc(forms, func(a, b [2]string) int { return len(b[0]) - len(a[0]) })
	return forms
}
