package value

import (
	"errors"

	"github.com/tidwall/gjson"
)

// ErrTwice is the fault of a duplicate key in an object: readers of JSON silently keep one of its values.
var ErrTwice = errors.New("is given twice; keep one of them")

// CheckTwice finds a duplicate key in an object within valid JSON. Its error is a *[Fault] with the key's path.
func CheckTwice(raw string) error { return checkTwice(gjson.Parse(raw)) }

func checkTwice(v gjson.Result) (err error) {
	i, list := 0, v.IsArray()
	if !list && !v.IsObject() {
		return nil
	}
	seen := map[string]bool{}
	v.ForEach(func(key, member gjson.Result) bool {
		switch {
		case list:
			err = At(i, checkTwice(member))
		case seen[key.Str]:
			err = In(key.Str, ErrTwice)
		default:
			seen[key.Str] = true
			err = In(key.Str, checkTwice(member))
		}
		i++
		return err == nil
	})
	return err
}
