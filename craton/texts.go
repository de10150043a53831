package craton

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/value"
)

// checkBody returns an error for texts in a request body that no fleet may contain: the original server accepts them,
// and craton server refuses them. Existing ones can still be named in paths and queries, and deleted.
func checkBody(method, path string, body any) error {
	if body == nil || method != http.MethodPost && method != http.MethodPut {
		return nil
	}
	raw, err := value.Encode(body)
	if err != nil {
		return nil //nolint:nilerr // the request itself will say it
	}
	doc := gjson.ParseBytes(raw)
	if !doc.IsObject() {
		return nil
	}
	if strings.HasSuffix(path, "/variables") {
		return checkVariables(doc)
	}
	doc.ForEach(func(key, member gjson.Result) bool {
		check := value.CheckWord
		switch {
		case key.Str == "variables":
			err = value.In(key.Str, checkVariables(member))
			return err == nil
		case key.Str == "labels":
			for i, label := range member.Array() {
				err = cmp.Or(err, value.In(key.Str, value.At(i, checkEncoded(label, value.CheckName))))
			}
			return err == nil
		case key.Str == "note":
			check = value.CheckText
		}
		err = value.In(key.Str, checkEncoded(member, check))
		return err == nil
	})
	return err
}

// checkVariables checks keys and values. The server refuses an empty key itself, in its own words.
func checkVariables(object gjson.Result) (err error) {
	object.ForEach(func(key, member gjson.Result) bool {
		err = value.In(key.Str, cmp.Or(checkEncoded(key, value.CheckWord), value.CheckJSON(member.Raw)))
		return err == nil
	})
	return err
}

// checkEncoded checks an encoded string: encoding/json replaces invalid UTF-8 by an escape.
func checkEncoded(s gjson.Result, check func(string) error) error {
	switch {
	case s.Type != gjson.String:
		return nil
	case strings.Contains(s.Raw, `\ufffd`):
		return value.ErrNotUTF8
	}
	return check(s.Str)
}

// checkRows returns an error for rows whose text decoding would change, and rows whose name is not a text. list is a
// list of objects of the API.
func checkRows(list []byte, nameKey string) (err error) {
	whole := value.IsDecodable(string(list))
	i := 0
	gjson.ParseBytes(list).ForEach(func(_, row gjson.Result) bool {
		err = value.At(i, checkRow(row, nameKey, whole))
		i++
		return err == nil
	})
	return err
}

// checkRow is checkRows for one object.
func checkRow(row gjson.Result, nameKey string, whole bool) (err error) {
	if !row.IsObject() {
		return nil // another check's
	}
	id := func(err error) error {
		if err == nil {
			return nil
		}
		return fmt.Errorf("(id %s) %w", strings.Trim(row.Get("id").Raw, `"`), err)
	}
	if name := row.Get(nameKey); name.Exists() && name.Type != gjson.String {
		return id(errors.New("has the " + nameKey + " " + name.Raw + ", which is not text"))
	}
	if whole {
		return nil
	}
	row.ForEach(func(key, member gjson.Result) bool {
		switch {
		case key.Str == "variables": // whose values stay as received
			member.ForEach(func(key, _ gjson.Result) bool {
				if !value.IsDecodable(key.Raw) {
					err = fmt.Errorf("a key of its variables %w", value.ErrNotUTF8)
				}
				return err == nil
			})
		case !value.IsDecodable(key.Raw + member.Raw):
			err = fmt.Errorf("its %s %w", key.Str, value.ErrNotUTF8)
		}
		return err == nil
	})
	return id(err)
}
