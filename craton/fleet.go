package craton

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/internal/value"
)

// FleetOptions choose a part of the fleet: all that are set must hold.
type FleetOptions struct {
	CloudID  int
	RegionID int
	CellID   int
	Networks bool   // networks and their interfaces too
	Text     string // only what may hold this text, with what contains that; needs "fleet-text" in [Capabilities]
	Known    string // the Tag of a fleet that the caller has already: see [IsUnchanged]
	Past     Past   // the state to ask for; the zero Past is the client's
}

// FleetMark identifies the state of a fleet at one moment.
type FleetMark struct {
	Tag      string // entity tag: it changes with anything in the fleet
	Revision string // where the change log ended at its moment: a cursor
}

// FleetStream is a whole fleet of one moment while it is received. It must be closed, or read to its end.
type FleetStream struct {
	FleetMark

	stream *rest.Stream
}

// FleetLine is one object of a fleet. Its bytes are the caller's until the next line.
type FleetLine struct {
	Kind    Kind
	Outside bool   // it is not in the place that was asked for, but above a device in it
	Object  []byte // JSON, as lists with details and without resolved values have it
	// Resolved are a region's variables with what it inherits, where the caller may not read the project; else nil.
	Resolved []byte

	Protected bool   // see [Client.Protect]
	Set       string // that it belongs to; "" for none. See [Client.Set]
}

// Decode reads the object into one of the types of this package, such as a *Host. Text that it would alter is an error,
// as in the responses of all other methods.
func (l *FleetLine) Decode(object any) error {
	if err := json.Unmarshal(l.Object, object); err != nil {
		return err
	}
	return checkRow(gjson.ParseBytes(l.Object), "name", value.IsDecodable(string(l.Object)))
}

// errUnchanged is the error that IsUnchanged recognises.
var errUnchanged = errors.New("craton: the fleet has not changed")

// IsUnchanged reports whether the fleet is the one with the tag in [FleetOptions].
func IsUnchanged(err error) bool { return errors.Is(err, errUnchanged) }

// Fleet requests all that the caller may see of the fleet, or of a place in it, from one moment: containers before
// their contents.
//
// It needs "fleet" in [Capabilities]; the error of other servers is that of a path that does not exist. The timeout of
// the client bounds each wait for a part of the response, not the whole of it.
func (c *Client) Fleet(ctx context.Context, o FleetOptions) (*FleetStream, error) {
	r, err := c.fleetRequest(http.MethodGet, o)
	if err != nil {
		return nil, err
	}
	stream, resp, err := c.rest.Stream(ctx, r)
	switch {
	case err != nil:
		return nil, typedError(err, r.Method, fleetPath)
	case resp != nil:
		return nil, fleetError(resp, r.Method, o)
	}
	return &FleetStream{FleetMark: fleetMark(stream.Header), stream: stream}, nil
}

// FleetMark asks which fleet [Client.Fleet] would give, without any of it. It is a matter of a few looks into indexes,
// however large the fleet. With [FleetOptions.Known] a fleet that is known is the error of [IsUnchanged].
func (c *Client) FleetMark(ctx context.Context, o FleetOptions) (FleetMark, error) {
	r, err := c.fleetRequest(http.MethodHead, o)
	if err != nil {
		return FleetMark{}, err
	}
	r.Packed = true // as Fleet's
	resp, err := c.rest.Do(ctx, r)
	switch {
	case err != nil:
		return FleetMark{}, typedError(err, r.Method, fleetPath)
	case !resp.OK():
		return FleetMark{}, fleetError(resp, r.Method, o)
	}
	return fleetMark(resp.Header), nil
}

const fleetPath = "/fleet"

func (c *Client) fleetRequest(method string, o FleetOptions) (*rest.Request, error) {
	q := url.Values{}
	for name, id := range map[string]int{"cloud_id": o.CloudID, "region_id": o.RegionID, "cell_id": o.CellID} {
		if id != 0 {
			q.Set(name, strconv.Itoa(id))
		}
	}
	if o.Networks {
		q.Set("networks", "true")
	}
	if o.Text != "" {
		q.Set("text", o.Text)
	}
	o.Past.addTo(q)
	r := &rest.Request{Method: method, Path: fleetPath, Query: q, Header: http.Header{}}
	r.Header.Set("If-None-Match", cmp.Or(o.Known, `"none"`)) // in one process nothing is read for a tag that is not asked for
	return r, c.addPast(r)
}

// fleetError returns the error of a response without a fleet.
func fleetError(resp *rest.Response, method string, o FleetOptions) error {
	if resp.Status == http.StatusNotModified && o.Known != "" {
		return errUnchanged
	}
	return newError(&Response{Status: resp.Status, Header: resp.Header, Body: resp.Body, of: resp}, method, resp.Path)
}

func fleetMark(h http.Header) FleetMark {
	return FleetMark{Tag: h.Get("Etag"), Revision: h.Get(revisionHeader)}
}

// Close ends the stream, whether it was read or not.
func (s *FleetStream) Close() { s.stream.Close() }

// All yields the objects, and ends with an error where the fleet does not come whole: what came before must not be used
// then.
func (s *FleetStream) All() iter.Seq2[FleetLine, error] {
	return func(yield func(FleetLine, error) bool) {
		defer s.Close()
		lines := bufio.NewReaderSize(s.stream, 256<<10)
		var long []byte
		for n := -1; ; n++ { // the first line is no object's
			text, err := line(lines, &long)
			if err != nil {
				yield(FleetLine{}, s.brokenError(err))
				return
			}
			l, count, err := parseLine(text)
			switch {
			case err == nil && n == -1 && l.Kind != fleetLine:
				err = errors.New("it does not begin with the line of a fleet")
			case err == nil && count >= 0 && count != n:
				err = fmt.Errorf("it has %d objects, but announces %d", n, count)
			}
			switch {
			case err != nil:
				yield(FleetLine{}, s.brokenError(err))
				return
			case count >= 0:
				if _, err := lines.ReadByte(); !errors.Is(err, io.EOF) {
					yield(FleetLine{}, s.brokenError(errors.New("it continues after its last line")))
				}
				return
			case n >= 0 && l.Kind != "" && !yield(l, nil):
				return
			}
		}
	}
}

// brokenError returns the error of a fleet that is not whole.
func (s *FleetStream) brokenError(err error) error {
	if none, ok := errors.AsType[*rest.TransportError](err); ok {
		return (*ConnectionError)(none)
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("it ends before its last line")
	}
	return &ResponseError{Method: http.MethodGet, Path: "/fleet", Err: err}
}

// line reads a line without its end. long is used for what does not fit the reader.
func line(r *bufio.Reader, long *[]byte) ([]byte, error) {
	text, err := r.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return bytes.TrimSuffix(text, []byte("\n")), err
	}
	*long = append((*long)[:0], text...)
	for errors.Is(err, bufio.ErrBufferFull) {
		text, err = r.ReadSlice('\n')
		*long = append(*long, text...)
	}
	return bytes.TrimSuffix(*long, []byte("\n")), err
}

// lineKinds are the kinds that a line can be of, by their names.
var lineKinds = func() map[string]Kind {
	kinds := map[string]Kind{fleetLine: fleetLine}
	for _, k := range []Kind{KindProject, KindCloud, KindRegion, KindCell, KindHost, KindNetworkDevice, KindNetwork, KindNetworkInterface} {
		kinds[string(k)] = k
	}
	return kinds
}()

// fleetLine is the first line's.
const fleetLine = "fleet"

// parseLine reads {"host":{...}} and the like. count is that of the last line, -1 for others. What is not known has no
// kind.
func parseLine(text []byte) (l FleetLine, count int, err error) {
	if kind, object, ok := plainLine(text); ok {
		return FleetLine{Kind: kind, Object: object}, -1, nil
	}
	if !gjson.ValidBytes(text) {
		return l, -1, fmt.Errorf("a line of it is not JSON: %.80q", text)
	}
	count = -1
	members := func(of gjson.Result) {
		of.ForEach(func(key, value gjson.Result) bool {
			switch kind := lineKinds[key.Str]; {
			case kind != "":
				l.Kind, l.Object = kind, text[value.Index:value.Index+len(value.Raw)]
			case key.Str == "end":
				count = int(value.Get("count").Int())
			case key.Str == "resolved":
				l.Resolved = text[value.Index : value.Index+len(value.Raw)]
			case key.Str == "protected":
				l.Protected = value.Bool()
			case key.Str == "set":
				l.Set = value.String()
			}
			return true
		})
	}
	whole := gjson.ParseBytes(text)
	if outside := whole.Get("outside"); outside.IsObject() {
		l.Outside = true
		members(outside)
		return l, count, nil
	}
	members(whole)
	return l, count, nil
}

// plainLine reads a line that has one member, of a known kind. That is nearly all of them.
func plainLine(text []byte) (kind Kind, object []byte, ok bool) {
	rest, ok := bytes.CutPrefix(text, []byte(`{"`))
	if !ok {
		return "", nil, false
	}
	name, rest, ok := bytes.Cut(rest, []byte(`":`))
	kind = lineKinds[string(name)]
	if !ok || kind == "" || !bytes.HasSuffix(rest, []byte("}}")) {
		return "", nil, false
	}
	object = rest[:len(rest)-1]
	return kind, object, object[0] == '{' && gjson.ValidBytes(object)
}
