package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/craton-fleet/craton/server/internal/enginetest"
)

// TestDeleteBesideWriters: a delete of much gets through beside writers that are at the same hosts, move others in and out,
// and begin and end all the time. Nobody is told that the database is busy.
func TestDeleteBesideWriters(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	sc := fleet(t, s)
	create(t, s, Clouds, sc, CreateParams{Values: Values{"name": "d"}})
	create(t, s, Regions, sc, CreateParams{Values: Values{"name": "r", "cloud_id": int64(2)}})
	create(t, s, Cells, sc, CreateParams{Values: Values{"name": "l", "cloud_id": int64(2), "region_id": int64(2)}})
	const hosts = 600
	much := []Variable{{Name: "much", Value: `"` + strings.Repeat("x", 5000) + `"`}} // three times what is held before it goes to the log
	var making sync.WaitGroup
	for w := range 8 {
		making.Go(func() {
			for n := w; n < hosts; n += 8 {
				h := host(fmt.Sprint("h", n), Values{"cell_id": int64(1)})
				h.Variables = much
				create(t, s, Hosts, sc, h)
			}
		})
	}
	making.Wait()
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for w := range 16 {
		writers.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(w)))
			for {
				select {
				case <-stop:
					return
				default:
				}
				id := fmt.Sprint(1 + r.IntN(hosts))
				cell := int64(1 + r.IntN(2))
				var err error
				switch r.IntN(4) {
				case 0:
					_, err = s.Move(t.Context(), Hosts, sc, id, Place{Cell: &cell})
				case 1:
					_, err = s.Update(t.Context(), Hosts, sc, id, Values{"note": fmt.Sprint(r.IntN(9))})
				default:
					err = s.SetVariables(t.Context(), Hosts, sc, id, []Variable{{Name: "n", Value: fmt.Sprint(r.IntN(9))}})
				}
				if err != nil && !IsCode(err, NotFound) && !IsCode(err, Invalid) {
					t.Error(err)
					return
				}
			}
		})
	}
	if err := s.Delete(t.Context(), Clouds, sc, "1"); err != nil {
		t.Error("the delete: ", err)
	}
	close(stop)
	writers.Wait()
}

// TestNothingIsCompiled: PostgreSQL compiles what it thinks is dear, which takes longer than to run it.
func TestNothingIsCompiled(t *testing.T) {
	t.Parallel()
	enginetest.Only(t, enginetest.Postgres, enginetest.Bouncer)
	s := fresh(t)
	for range 2 { // the second connection of the pool, too
		var jit string
		err := s.read(t.Context(), func(ctx context.Context, q *session) error {
			return q.row(ctx, "SELECT current_setting('jit')", nil, &jit)
		})
		if err != nil || jit != "off" {
			t.Errorf("jit is %q, %v", jit, err)
		}
	}
}
