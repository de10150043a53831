// Package jsonscan reads JSON from front to back, once, and keeps the text of what is kept: numbers with their digits,
// objects with their order. It is for the pages of a listing, which are large, and of which little is kept.
//
//	x := jsonscan.New(jsonscan.Text(body)) // checked by gjson.ValidBytes
//	x.Members(func(key string) {
//		if key == "id" {
//			id = x.ID()
//		} else {
//			x.Skip()
//		}
//	})
package jsonscan
