package api

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// minPacked is the length in bytes from which on an answer is compressed:
// what is shorter goes into one or two packets as it is.
const minPacked = 2 << 10

// packer compresses what is written to it.
type packer interface {
	io.WriteCloser
	Reset(to io.Writer)
}

// coding is a compression by its name in the header Content-Encoding. Those
// that use it share its packers, which take long to make.
type coding struct {
	name  string
	spare sync.Pool
}

// codings are in the order in which they are liked: zstd takes a third of the
// time of gzip, for less. Both are at their fastest, because most networks of
// fleets are faster than any other.
var codings = []*coding{
	{name: "zstd", spare: sync.Pool{New: func() any {
		w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true))
		if err != nil {
			panic(err) // the options are constant
		}
		return w
	}}},
	{name: "gzip", spare: sync.Pool{New: func() any {
		w, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
		if err != nil {
			panic(err)
		}
		return w
	}}},
}

func (k *coding) packer(to io.Writer) packer {
	p := k.spare.Get().(packer) //nolint:forcetypeassert // see codings
	p.Reset(to)
	return p
}

func (k *coding) put(p packer) {
	p.Reset(nil)
	k.spare.Put(p)
}

// codingFor is the best coding that a request accepts; nil for none. What is
// not named is not wanted: the client libraries of old name what they can read.
func codingFor(h http.Header) (best *coding) {
	most := 0.0
	for _, k := range codings {
		for part := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
			name, params, _ := strings.Cut(part, ";")
			if !strings.EqualFold(strings.TrimSpace(name), k.name) {
				continue
			}
			weight := 1.0
			if text, ok := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(params), " ", ""), "q="); ok {
				weight, _ = strconv.ParseFloat(text, 64) // what is no number wants none
			}
			if weight > most {
				best, most = k, weight
			}
		}
	}
	return best
}
