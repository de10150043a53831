package rest

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/value"
)

// readBody reads a response to its end and closes it: into buf if its announced length fits, or else into a new
// allocation with some room for the next one.
func readBody(resp *http.Response, buf []byte) (data []byte, err error) {
	defer resp.Body.Close()                                            //nolint:errcheck // it was read, or it is broken
	if resp.Request != nil && resp.Request.Method == http.MethodHead { // which announces more than it sends
		return nil, nil
	}
	if resp.ContentLength > 0 && resp.ContentLength < 1<<26 {
		length := int(resp.ContentLength)
		if cap(buf) < length {
			buf = make([]byte, length+length/8)
		}
		data = buf[:length]
		var n int
		n, err = io.ReadFull(resp.Body, data)
		data = data[:n]
	} else {
		data, err = io.ReadAll(resp.Body)
	}
	if err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return data, fmt.Errorf("%w after %d bytes", errCut, len(data))
		}
		return data, fmt.Errorf("%w after %d bytes: %w", errCut, len(data), err)
	}
	if endless(resp) && IsJSON(resp.Header) && len(data) > 0 && !gjson.ValidBytes(data) {
		return data, fmt.Errorf("%w after %d bytes", errCut, len(data))
	}
	return data, nil
}

// endless reports whether an HTTP/1 response has no length and so ends with the connection, whether it is complete or
// not (Q31). All others contain their end.
func endless(resp *http.Response) bool {
	return resp.ProtoMajor < 2 && resp.ContentLength < 0 && !resp.Uncompressed && len(resp.TransferEncoding) == 0
}

// IsJSON reports whether a response comes from an API itself, and is not HTML or plain text from a proxy or a server's
// error handler.
func IsJSON(h http.Header) bool {
	mt, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return mt == "application/json"
}

// BadResponseError reports a successful response to a read that does not come from the API: a proxy's page, nothing,
// JSON that ends early, or one that [Request.Check] refuses.
type BadResponseError struct {
	*Response
	Tries int   // the number of attempts, if more than one
	Err   error // what is wrong with it
}

// Error says what is wrong with the response.
func (e *BadResponseError) Error() string {
	if e.Tries > 1 {
		return fmt.Sprintf("%v (requested %d times)", e.Err, e.Tries)
	}
	return e.Err.Error()
}

// Unwrap returns what is wrong with the response.
func (e *BadResponseError) Unwrap() error { return e.Err }

// checkResponse checks a response to a read, whose length is as announced.
func (r *Request) checkResponse(resp *Response) error {
	if r.Method != http.MethodGet || !resp.OK() || resp.Status == http.StatusNoContent && r.Check == nil {
		return nil
	}
	var err error
	switch {
	case !gjson.ValidBytes(resp.Body):
		if err = resp.notFinite(); err == nil {
			err = errors.New(resp.NotJSON())
		}
	case r.Check != nil:
		err = r.Check(resp)
	}
	if err == nil {
		return nil
	}
	return &BadResponseError{Response: resp, Err: resp.ConcealError(err)}
}

// notFinite finds NaN and Infinity, which Python writes although JSON does not have them, and names the object with the
// value.
func (r *Response) notFinite() error {
	var at *value.Fault
	if !errors.As(value.CheckFinite(string(r.Body)), &at) {
		return nil
	}
	object := gjson.ParseBytes(r.Body)
	if list, rest, is := strings.Cut(at.Path, "["); is && !strings.Contains(list, ".") { // a row of a list
		index, _, _ := strings.Cut(rest, "]")
		object = object.Get(list + "." + index)
	}
	of := ""
	if id := object.Get("id"); id.Exists() {
		of = fmt.Sprintf(" (of the object with the id %s, %q)", id, cmp.Or(object.Get("name").Str, object.Get("username").Str))
	}
	return fmt.Errorf("it is not JSON: its %s %w%s; set it there again, or delete it", at.Path, at.Err, of)
}

// NotJSON returns an error for a response that is not JSON: what it is, and what to do. It contains no secret of the
// request.
func (r *Response) NotJSON() string {
	const most, enough = 60, 1 << 16
	body := []byte(r.Conceal(string(r.Body[:min(len(r.Body), enough)])))
	start := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, strings.Join(strings.Fields(strings.ToValidUTF8(string(body[:min(len(body), 4*most)]), "\uFFFD")), " "))
	if len(start) > most {
		start = strings.ToValidUTF8(start[:most], "") + "…"
	}
	said := r.Conceal(r.Header.Get("Content-Type"))
	switch {
	case len(r.Body) == 0:
		return fmt.Sprintf("it is not JSON but empty (content type %q); check the proxies between here and the API", said)
	case IsJSON(r.Header):
		return fmt.Sprintf("it is not JSON, or is incomplete: %d bytes that begin with %q; check the proxies between here and the API", len(r.Body), start)
	}
	return fmt.Sprintf("its content type is %q, not JSON: %d bytes that begin with %q; check that the URL is that of the API, and whether a proxy responds in its place, for example with a login page",
		said, len(r.Body), start)
}

// Start returns as much of a body as an [Excerpt] needs.
func Start(body []byte) []byte {
	const most = 1 << 16
	return body[:min(len(body), most)]
}

// Excerpt returns the start of a body that is not the API's, as one line.
func Excerpt(body []byte) string {
	const most = 200
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(body), "\uFFFD")), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
