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

// CacheDir returns where this program keeps tokens for the user's other processes: craton/tokens in the user's cache
// folder ($XDG_CACHE_HOME, or ~/.cache; ~/Library/Caches on macOS). It is "" for a user who has none, or no home
// directory.
func CacheDir() string {
	dir, err := private.CachePath("tokens")
	if err != nil {
		return ""
	}
	return dir
}

const (
	// cacheForm is the version of the files' contents; files of another are not read.
	cacheForm  = 1
	lockEnding = ".lock"
	// lockWait is how long a process waits for another one that makes the token it wants.
	lockWait = 15 * time.Second
	// maxFileAge is how old a file gets that nobody has written again. No token lives as long.
	maxFileAge = 7 * 24 * time.Hour
)

// cache is the file of one identity's token, of Keystone's address, who signs in and what for. Whatever is wrong with
// the file or its folder, it only means that there is no token in it: another owner, permissions for others, a
// folder that cannot be written to.
type cache struct {
	folder, name string // name is without ending
	secret       rest.Hidden[string]
}

// cacheFile is the content of a file.
type cacheFile struct {
	Form  int    `json:"form"`
	Salt  []byte `json:"salt"`
	Check []byte `json:"check"` // of the secret that the token was made with, see check
	Token *token `json:"token"`
}

func newCache(folder, url string, r *request) *cache {
	o := r.opts
	identity, _ := json.Marshal([]any{ // strings and a bool never fail
		url, r.method, o.UserID, o.Username, o.DomainID, o.DomainName, o.ApplicationCredentialID, o.ApplicationCredentialName, o.Scope,
	})
	sum := sha256.Sum256(identity)
	return &cache{folder: folder, name: hex.EncodeToString(sum[:16]), secret: rest.Hide(r.secret)}
}

func (c *cache) path() string { return filepath.Join(c.folder, c.name+".json") }

// check returns what a changed password is noticed by: two bytes of a keyed hash. They tell all but one in 65,536
// others from the right one, and are too few to find it by guessing for whoever gets hold of the file.
func (c *cache) check(salt []byte) []byte {
	mac := hmac.New(sha256.New, salt)
	mac.Write([]byte(c.secret()))
	return mac.Sum(nil)[:2]
}

// maxCached bounds what is read of a file: a token and a large catalogue.
const maxCached = 16 << 20

// readPrivate reads a file; nil if there is none, or if others could have.
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

// store keeps a token, in a file that is there whole or not at all.
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

// remove throws the token away.
func (c *cache) remove() {
	if private.MakeFolder(c.folder) == nil {
		_ = os.Remove(c.path())
	}
}

// sweep removes what was left behind long ago: tokens of identities that are no longer used, and halves of killed
// processes.
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

// lock waits until no other process makes this token, within reason, and returns what ends the lock. It is a matter of
// manners, not of safety: without it a token more is made.
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
