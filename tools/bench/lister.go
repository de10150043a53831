package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// streams is the number of pages that the floor fetches in parallel: the inventory's default.
const streams = 16

// lister is an inventory command, and the server that it lists.
type lister struct {
	command     string // craton-inventory, beside the binary
	binary, url string
	environment func(url string) []string // for listing the server, or a proxy in front of it
}

// listing is the cost of one way to list. Times are medians.
type listing struct {
	objects     int
	requests    int           // of one --list
	floor       time.Duration // fetching the same pages in parallel, without parsing
	wall, cpu   time.Duration // of --list
	bytes, peak int64         // of the output, and of peak resident memory
}

// measure measures each way to list a server with a number of objects; a way is NAME=VALUE in the environment.
func (l lister) measure(ctx context.Context, objects, runs int, ways ...string) ([]listing, error) {
	pages, err := l.pages(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]listing, len(ways))
	floors, walls, cpus := make([]time.Duration, runs), make([][]time.Duration, len(ways)), make([][]time.Duration, len(ways))
	for i := range runs { // alternating, so that a slow moment of the machine hits all alike
		if floors[i], err = floor(ctx, pages); err != nil {
			return nil, err
		}
		for w, way := range ways {
			r, err := l.list(ctx, way)
			if err != nil {
				return nil, err
			}
			walls[w], cpus[w] = append(walls[w], r.wall), append(cpus[w], r.cpu)
			all[w].bytes, all[w].peak = r.bytes, max(all[w].peak, r.peak)
		}
	}
	for w := range all {
		all[w].objects, all[w].requests, all[w].floor = objects, len(pages), median(floors)
		all[w].wall, all[w].cpu = median(walls[w]), median(cpus[w])
	}
	return all, nil
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// pages returns the requests of one --list, recorded by a proxy.
func (l lister) pages(ctx context.Context) ([]*http.Request, error) {
	target, err := url.Parse(l.url)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var seen []*http.Request
	proxy := httputil.NewSingleHostReverseProxy(target)
	socket, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	hs := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		again, err := http.NewRequestWithContext(ctx, r.Method, target.String()+r.URL.RequestURI(), nil)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		again.Header = r.Header.Clone()
		again.Header.Del("Accept-Encoding") // which the floor's client adds itself
		mu.Lock()
		seen = append(seen, again)
		mu.Unlock()
		proxy.ServeHTTP(w, r)
	})}
	go hs.Serve(socket) //nolint:errcheck // closed below
	defer hs.Close()    //nolint:errcheck // no request is running any more
	through := l
	through.url = "http://" + socket.Addr().String()
	if _, err := through.list(ctx); err != nil {
		return nil, err
	}
	return seen, nil
}

// floor fetches the pages in parallel and discards their bodies.
func floor(ctx context.Context, pages []*http.Request) (time.Duration, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: streams}}
	defer client.CloseIdleConnections()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(streams)
	started := time.Now()
	for _, page := range pages {
		group.Go(func() error {
			resp, err := client.Do(page.Clone(ctx))
			if err != nil {
				return err
			}
			defer resp.Body.Close() //nolint:errcheck // read to its end
			if resp.StatusCode != http.StatusOK {
				return fmt.Errorf("%s: %s", page.URL, resp.Status)
			}
			_, err = drain(resp.Body)
			return err
		})
	}
	err := group.Wait()
	return time.Since(started), err
}

// ran is one run of the binary.
type ran struct {
	wall, cpu   time.Duration
	bytes, peak int64
}

// list runs --list like Ansible, with its output through a pipe, and with additional environment variables.
func (l lister) list(ctx context.Context, more ...string) (ran, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(filepath.Dir(l.binary), l.command), "--list")
	cmd.Env = append(l.environment(l.url), more...)
	cmd.Stderr = os.Stderr
	return run(cmd)
}

// run runs a program, with its output through a pipe.
func run(cmd *exec.Cmd) (ran, error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return ran{}, err
	}
	started := time.Now()
	if err := cmd.Start(); err != nil {
		return ran{}, err
	}
	n, err := drain(out)
	if err := errors.Join(err, cmd.Wait()); err != nil {
		return ran{}, fmt.Errorf("%s: %w", filepath.Base(cmd.Path), err)
	}
	r := ran{wall: time.Since(started), bytes: n, cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.peak = usage.Maxrss * rssUnit
	}
	return r, nil
}

// drain reads and discards everything, in pieces of a pipe's size (io.Discard reads 8 kB at a time).
func drain(r io.Reader) (n int64, err error) {
	buf := make([]byte, 1<<16)
	for {
		got, err := r.Read(buf)
		n += int64(got)
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}
