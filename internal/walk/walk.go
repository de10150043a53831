// Package walk reads complete listings. The object at the end of a page is where the next page begins; when it is
// deleted meanwhile, both APIs answer with an error, and the listing has to be read from its beginning.
//
//	hosts, err := walk.All(craton.IsMarkerGone, func() iter.Seq2[*craton.Host, error] {
//		return client.Hosts.All(ctx, options)
//	}, func(*craton.Host) bool { return true })
package walk

import "iter"

// tries is how often a listing is read in all.
const tries = 4

// Retry does a walk, and starts it again if gone reports that its error means that the marker is gone.
func Retry(gone func(error) bool, walk func() error) error {
	var err error
	for range tries {
		if err = walk(); !gone(err) {
			break
		}
	}
	return err
}

// All reads a listing to its end and returns what keep selects.
func All[T any](gone func(error) bool, listing func() iter.Seq2[T, error], keep func(T) bool) ([]T, error) {
	var found []T
	err := Retry(gone, func() error {
		found = nil
		for one, err := range listing() {
			if err != nil {
				return err
			}
			if keep(one) {
				found = append(found, one)
			}
		}
		return nil
	})
	return found, err
}
