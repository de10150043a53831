package keystone

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/craton-fleet/craton/internal/private"
	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/internal/retry"
)

// CacheDir returns the directory in which this program caches tokens for the user's other processes: craton/tokens in
// the user's cache directory ($XDG_CACHE_HOME, or ~/.cache; ~/Library/Caches on macOS). It is "" for a user without
// one, or without a home directory.
func CacheDir() string {
	dir, err := private.CachePath("tokens")
	if err != nil {
		return ""
	}
	return dir
}

const (
	// cacheForm is the version of the files' format; files with another one are not read.
	cacheForm  = 1
	lockEnding = ".lock"
	// lockWait is how long a process waits for another one that is requesting the same token.
	lockWait = 15 * time.Second
	// maxFileAge is the maximum age of an unused file. No token is valid for that long.
	maxFileAge = 7 * 24 * time.Hour
)

// cache is the file with one identity's token: for Keystone's URL, the user and the scope. If anything is wrong with
// the file or its directory (another owner, permissions for others, a directory that is not writable), it only means
// that there is no token in it.
type cache struct {
	folder, name string // name is without ending
	secret       rest.Hidden[string]
}

// cacheFile is the content of a file.
type cacheFile struct {
	Form  int    `json:"form"`
	Salt  []byte `json:"salt"`
	Check []byte `json:"check"` // of the secret with which the token was requested, see check
	Token *token `json:"token"`
}

func newCache(folder, url string, r *request) *cache {
	o := r.opts
	identity, _ := json.Marshal([]any{ // encoding strings and a bool never fails
		url, r.method, o.UserID, o.Username, o.DomainID, o.DomainName, o.ApplicationCredentialID, o.ApplicationCredentialName, o.Scope,
	})
	sum := sha256.Sum256(identity)
	return &cache{folder: folder, name: hex.EncodeToString(sum[:16]), secret: rest.Hide(r.secret)}
}

func (c *cache) path() string { return filepath.Join(c.folder, c.name+".json") }

// check returns a value by which a changed password is noticed: two bytes of a keyed hash. They differ for all but one
// in 65,536 others, and are too few to guess the password for somebody who gets the file.
func (c *cache) check(salt []byte) []byte {
	mac := hmac.New(sha256.New, salt)
	mac.Write([]byte(c.secret()))
	return mac.Sum(nil)[:2]
}

// maxCached is the maximum size of a file: a token and a large catalogue.
const maxCached = 16 << 20

// readPrivate reads a file; nil if there is none, or if others could have written or read it.
func readPrivate(path string) []byte {
	f, err := private.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(f, maxCached))
	if err != nil {
		return nil
	}
	return data
}

// load returns the token in the file, or nil.
func (c *cache) load() *token {
	if private.MakeFolder(c.folder) != nil {
		return nil
	}
	data := readPrivate(c.path())
	var k cacheFile
	if data == nil || json.Unmarshal(data, &k) != nil || k.Form != cacheForm || k.Token == nil || k.Token.ID == "" ||
		!hmac.Equal(k.Check, c.check(k.Salt)) {
		return nil
	}
	return k.Token
}

// store caches a token, in a file that is written atomically.
func (c *cache) store(t *token, now time.Time) {
	if private.MakeFolder(c.folder) != nil {
		return
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	data, err := json.Marshal(cacheFile{Form: cacheForm, Salt: salt, Check: c.check(salt), Token: t})
	if err != nil {
		return
	}
	f, err := private.Create(c.path())
	if err != nil {
		return
	}
	if _, err = f.Write(data); private.Keep(f, c.path(), err) == nil {
		c.sweep(now)
	}
}

// remove deletes the token.
func (c *cache) remove() {
	if private.MakeFolder(c.folder) == nil {
		_ = os.Remove(c.path())
	}
}

// sweep deletes old files: tokens of identities that are no longer used, and incomplete files of killed processes.
func (c *cache) sweep(now time.Time) {
	entries, err := os.ReadDir(c.folder)
	if err != nil {
		return
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && info.Mode().IsRegular() && e.Name() != c.name+lockEnding && now.Sub(info.ModTime()) > maxFileAge {
			_ = os.Remove(filepath.Join(c.folder, e.Name()))
		}
	}
}

// lock waits until no other process requests this token, for a limited time, and returns a function that unlocks. It
// saves requests, and is not needed for correctness: without it, one more token is requested.
func (c *cache) lock(ctx context.Context) (unlock func()) {
	nothing := func() {}
	if private.MakeFolder(c.folder) != nil {
		return nothing
	}
	f, err := private.OpenLock(filepath.Join(c.folder, c.name+lockEnding))
	if err != nil {
		return nothing
	}
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	pauses := retry.Pauses{First: 5 * time.Millisecond, Max: 50 * time.Millisecond}
	if err := pauses.Do(ctx, func(int) (again bool, err error) { return !tryLock(f), nil }); err != nil {
		_ = f.Close()
		return nothing
	}
	return func() { _ = f.Close() } // the lock goes with it
}
