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

// FleetOptions select a part of the fleet; all conditions that are set must hold.
type FleetOptions struct {
	CloudID  int
	RegionID int
	CellID   int
	Networks bool   // include networks and their interfaces
	Text     string // only objects that may contain this text, with their containers; needs "fleet-text" in [Capabilities]
	Known    string // the Tag of a fleet that the caller already has: see [IsUnchanged]
	Past     Past   // the state to read; the zero Past is the client's
}

// FleetMark identifies the state of a fleet.
type FleetMark struct {
	Tag      string // entity tag: it changes with anything in the fleet
	Revision string // the end of the change log in that state: a cursor
}

// FleetStream is a fleet, from one snapshot, that is being received. It must be closed, or read to its end.
type FleetStream struct {
	FleetMark

	stream *rest.Stream
}

// FleetLine is one object of a fleet. Its bytes are valid until the next line.
type FleetLine struct {
	Kind    Kind
	Outside bool   // it is outside the requested place, but an ancestor of a device in it
	Object  []byte // JSON, as in lists with details, without resolved variables
	// Resolved are a region's variables with those that it inherits, if the caller may not read the project; otherwise
	// nil.
	Resolved []byte

	Protected bool   // see [Client.Protect]
	Set       string // the set that it belongs to; "" for none. See [Client.Set]
}

// Decode decodes the object into one of the types of this package, such as a *Host. Text that decoding would change is
// an error, as in the responses of all other methods.
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

// Fleet requests everything that the caller may see of the fleet, or of a place in it, from one snapshot: containers
// before their contents.
//
// It needs "fleet" in [Capabilities]; for other servers the error is that of an unknown path. The client's timeout
// limits each wait for a part of the response, not the complete response.
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

// FleetMark requests the mark of the fleet that [Client.Fleet] would return, without reading it: a few index lookups,
// however large the fleet is. With [FleetOptions.Known] and an unchanged fleet, the error is [IsUnchanged].
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
	r.Header.Set("If-None-Match", cmp.Or(o.Known, `"none"`)) // in one process, no tag is computed unless it is requested
	return r, c.addPast(r)
}

// fleetError returns the error for a response without a fleet.
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

// All yields the objects, and ends with an error if the fleet is incomplete: the objects before must not be used then.
func (s *FleetStream) All() iter.Seq2[FleetLine, error] {
	return func(yield func(FleetLine, error) bool) {
		defer s.Close()
		lines := bufio.NewReaderSize(s.stream, 256<<10)
		var long []byte
		for n := -1; ; n++ { // the first line is not an object
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

// brokenError returns the error for an incomplete fleet.
func (s *FleetStream) brokenError(err error) error {
	if none, ok := errors.AsType[*rest.TransportError](err); ok {
		return (*ConnectionError)(none)
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("it ends before its last line")
	}
	return &ResponseError{Method: http.MethodGet, Path: "/fleet", Err: err}
}

// line reads a line without its newline. long is a buffer for lines that do not fit the reader's.
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

// lineKinds are the kinds of lines, by their names.
var lineKinds = func() map[string]Kind {
	kinds := map[string]Kind{fleetLine: fleetLine}
	for _, k := range []Kind{KindProject, KindCloud, KindRegion, KindCell, KindHost, KindNetworkDevice, KindNetwork, KindNetworkInterface} {
		kinds[string(k)] = k
	}
	return kinds
}()

// fleetLine is the first line.
const fleetLine = "fleet"

// parseLine parses {"host":{...}} and the like. count is that of the last line, -1 for others. An unknown line has no
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

// plainLine parses a line with one member of a known kind, as nearly all are.
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
