package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"strconv"
	"strings"
	"time"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/server/store/engine"
)

// Account is a user as authentication sees it.
type Account struct {
	ID       int64
	Username string
	Project  string      // canonical UUID
	Role     schema.Role // of the user, or of its key if that is narrower
	Key      int64       // id of the key
	MaxRole  schema.Role // the most that the key may do; 0: what its user may
	Expires  Micros      // of the key; 0: never
	Log      Cursor      // where the change log ended when that was looked up; only of a store with a replica
}

// UserKey is an API key of a user, without its secret.
type UserKey struct {
	ID      int64
	Name    string
	Role    schema.Role // the most that it may do; 0: what its user may
	Created Micros
	Expires Micros // 0: never
	Used    Micros // lately, in whole hours; 0: not yet, as far as is known
}

// allows is what a user may do with the key.
func (k *UserKey) allows(user schema.Role) schema.Role {
	if k.Role == 0 {
		return user
	}
	return min(k.Role, user)
}

const (
	// KeyPrefix is how keys begin: by it those who look for secrets where none
	// should be find them. 24 random characters follow, and 6 that check them.
	KeyPrefix = "crn_"

	// MaxKeys is how many keys a user has at most.
	MaxKeys = 100

	// firstKey is the name of the key that a user is made with: what v1 calls it.
	firstKey = "api_key"

	randomKey = 24 // characters, of 62: 142 bits
	digits62  = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// newKey makes the secret of a key: crn_, random characters, and the CRC-32 of
// both, in 6 digits.
func newKey() string {
	text := []byte(KeyPrefix)
	var random [1]byte
	for len(text) < len(KeyPrefix)+randomKey {
		rand.Read(random[:])
		if at := int(random[0]); at < 4*len(digits62) { // or some would come more often
			text = append(text, digits62[at%len(digits62)])
		}
	}
	sum := crc32.ChecksumIEEE(text)
	check := []byte("000000")
	for i := len(check) - 1; sum > 0; i-- {
		check[i] = digits62[sum%uint32(len(digits62))]
		sum /= uint32(len(digits62))
	}
	return string(append(text, check...))
}

// hashKey is how an API key is stored. The server makes every key itself from
// at least 122 random bits, so that there is nothing to guess: one round of
// SHA-256 is as safe as a slow password hash, and a request stays cheap.
func hashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// proof is what shows who somebody is: the hash of a key of a user of a project.
type proof struct{ user, project, hash string }

// keyRow is what the database says of it; without a hash there is no such key.
type keyRow struct {
	user, id      int64
	hash, role    string
	narrower      *string
	expires, used *int64
	log           Cursor
}

// Authenticate returns the account of a user of a project if key is one of its
// API keys, and has not expired. ok is false if not, without a hint at what was
// wrong.
func (s *Store) Authenticate(ctx context.Context, username, project, key string) (account Account, ok bool, err error) {
	want := hashKey(key)
	k, err := s.proofs.do(ctx, proof{username, project, want}, func(ctx context.Context) (k keyRow, err error) {
		err = s.peek(ctx, func(ctx context.Context, q *session) error {
			k = keyRow{}
			columns, from, dest := "u.id, u.role, k.id, k.key_hash, k.role, k.expires_at, k.used_at", "users u JOIN user_keys k ON k.user_id = u.id", []any{&k.user, &k.role, &k.id, &k.hash, &k.narrower, &k.expires, &k.used}
			if s.replica != nil { // the same look tells how far a replica has to be
				columns, from, dest = columns+", log.revision, log.change", from+" CROSS JOIN log", append(dest, &k.log.Revision, &k.log.Change)
			}
			err := q.row(ctx, "SELECT "+columns+" FROM "+from+" WHERE u.username = ? AND u.project_id = ? AND k.key_hash = ?", []any{username, project, want}, dest...)
			if errors.Is(err, sql.ErrNoRows) {
				k, err = keyRow{}, nil
			}
			return err
		})
		return k, err
	})
	now := s.now()
	ok = subtle.ConstantTimeCompare([]byte(k.hash), []byte(want)) == 1 && (k.expires == nil || *k.expires > now.Unix())
	if err != nil || !ok {
		return Account{}, false, err
	}
	account = Account{Username: username, Project: project, ID: k.user, Key: k.id, Log: k.log}
	account.Role, ok = schema.ParseRole(k.role)
	if k.narrower != nil {
		var known bool
		account.MaxRole, known = schema.ParseRole(*k.narrower)
		account.Role, ok = min(account.Role, account.MaxRole), ok && known
	}
	if !ok { // the tables are of a version to come
		return Account{}, false, nil
	}
	if k.expires != nil {
		account.Expires = Micros(*k.expires * 1e6)
	}
	s.uses.note(account.Key, k.used, now)
	return account, true, nil
}

// Manager is who changes a user's keys or role.
type Manager struct {
	Scope
	User    int64       // its id; 0: it is no user of the store
	Role    schema.Role // what it may do
	MaxRole schema.Role // the most that its key may do; 0: what the user may

	Expires Micros // of its key; 0: never
}

var errGivesRoot = &Error{Code: ExceedsGrant, Message: "Only root gives the role root, and takes it away."}

// limit is the role that a key has which m makes for somebody else: none for
// root's, and else m's own, so that whoever knows the key gains nothing when its
// user may do more one day.
func (m Manager) limit() schema.Role {
	if m.Role == schema.Root {
		return 0
	}
	return m.Role
}

// managed is the row of a user that m changes something of. Of others, those are
// out of reach that may do more than m.
func (q *session) managed(ctx context.Context, m Manager, user string) (Row, error) {
	row, err := q.find(ctx, Users, m.Scope, user, changing)
	if err != nil {
		return nil, err
	}
	if row[Users.Index("id")] != m.User && row.role() > m.Role {
		return nil, refuse(ExceedsGrant, "This user may do more than you: only one who may as much manages it.")
	}
	return row, nil
}

// Keys are those of a user, the oldest first.
func (s *Store) Keys(ctx context.Context, sc Scope, user string) (keys []UserKey, err error) {
	err = s.read(ctx, func(ctx context.Context, q *session) error {
		keys = nil
		row, err := q.find(ctx, Users, sc, user, unlocked)
		if err != nil {
			return err
		}
		keys, err = q.keys(ctx, "user_id = ?", row[Users.Index("id")])
		return err
	})
	for i := range keys {
		keys[i].Used = max(keys[i].Used, s.uses.of(keys[i].ID))
	}
	return keys, err
}

func (q *session) keys(ctx context.Context, where string, args ...any) (keys []UserKey, err error) {
	var k UserKey
	var role *string
	var created int64
	var expires, used *int64
	err = q.each(ctx, "SELECT id, name, role, created_at, expires_at, used_at FROM user_keys WHERE "+where+" ORDER BY id", args,
		[]any{&k.ID, &k.Name, &role, &created, &expires, &used}, func() {
			one := UserKey{ID: k.ID, Name: strings.Clone(k.Name), Created: Micros(created * 1e6)}
			if role != nil {
				one.Role, _ = schema.ParseRole(*role)
			}
			if expires != nil {
				one.Expires = Micros(*expires * 1e6)
			}
			if used != nil {
				one.Used = Micros(*used * 1e6)
			}
			keys = append(keys, one)
		})
	return keys, err
}

// CreateKey makes a key for a user, of which k says the name, the role and when
// it expires, and returns it with its secret, which cannot be read again. A key
// may do no more than who makes it, and live no longer than the key by which it
// is made: [ExceedsGrant]. [Conflict] if the user has a key with the name.
func (s *Store) CreateKey(ctx context.Context, m Manager, user string, k UserKey) (UserKey, string, error) {
	secret := newKey()
	err := s.write(ctx, func(ctx context.Context, q *session) error {
		row, err := q.managed(ctx, m, user)
		if err != nil {
			return err
		}
		own := row[Users.Index("id")] == m.User
		switch {
		case k.Role > row.role():
			return refuse(ExceedsGrant, "A key may do no more than its user, whose role is %s.", row.role())
		case k.allows(row.role()) > m.Role, own && m.MaxRole != 0 && k.allows(schema.Root) > m.MaxRole:
			return refuse(ExceedsGrant, "The new key could do more than the one that you use: give it the role %s or a narrower one.", m.Role)
		case m.Expires != 0 && (k.Expires == 0 || k.Expires > m.Expires):
			return refuse(ExceedsGrant, "The new key would outlive the one that you use, which expires at %s: have it expire no later, or use one that lives longer.", time.UnixMicro(int64(m.Expires)).UTC().Format(time.RFC3339))
		}
		if !own && k.Role == 0 {
			k.Role = m.limit()
		}
		var n int
		if err := q.row(ctx, "SELECT count(*) FROM user_keys WHERE user_id = ?", []any{row[Users.Index("id")]}, &n); err != nil {
			return err
		}
		if n >= MaxKeys {
			return refuse(Invalid, "The user has %d keys already: delete those that are not used any more.", n)
		}
		k.Created = Micros(s.now().Unix() * 1e6)
		if k.ID, err = q.insertKey(ctx, row[Users.Index("id")], k, secret); err != nil {
			if errors.Is(err, engine.ErrUnique) {
				return refuse(Conflict, "The user has a key with this name already.")
			}
			return err
		}
		return q.recordKey(ctx, row, nil, &k)
	})
	return k, secret, err
}

// addFirstKey stores the key that a user is made with, and the most that it may
// do; 0: what the user may.
func (q *session) addFirstKey(ctx context.Context, user Row, secret string, most schema.Role) error {
	_, err := q.insertKey(ctx, user[Users.Index("id")], UserKey{Name: firstKey, Role: most, Created: Micros(q.store.now().Unix() * 1e6)}, secret)
	return err
}

func (q *session) insertKey(ctx context.Context, user any, k UserKey, secret string) (id int64, err error) {
	var role, expires any
	if k.Role != 0 {
		role = k.Role.String()
	}
	if k.Expires != 0 {
		expires = int64(k.Expires) / 1e6
	}
	err = q.row(ctx, "INSERT INTO user_keys (user_id, name, key_hash, role, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
		[]any{user, k.Name, hashKey(secret), role, int64(k.Created) / 1e6, expires}, &id)
	return id, err
}

// DeleteKey deletes a key of a user. One that may do more than m is out of its
// reach: [ExceedsGrant]. [NotFound] if there is no such key, [InUse] for the last one
// that is root's.
func (s *Store) DeleteKey(ctx context.Context, m Manager, user, key string) error {
	return s.write(ctx, func(ctx context.Context, q *session) error {
		row, err := q.managed(ctx, m, user)
		if err != nil {
			return err
		}
		id, ok := Users.parseID(key)
		if !ok {
			return errNotFound
		}
		keys, err := q.keys(ctx, "user_id = ? AND id = ?", row[Users.Index("id")], id)
		if err != nil {
			return err
		}
		if len(keys) == 0 {
			return errNotFound
		}
		if keys[0].allows(row.role()) > m.Role {
			return refuse(ExceedsGrant, "This key may do more than you can now, with the role %s.", m.Role)
		}
		return q.deleteKey(ctx, row, &keys[0])
	})
}

// deleteKey deletes a key of a user that is held.
func (q *session) deleteKey(ctx context.Context, user Row, k *UserKey) error {
	if err := q.keepRootKey(ctx, user, k); err != nil {
		return err
	}
	for _, text := range []string{
		"UPDATE users SET key_hash = '' WHERE key_hash = (SELECT k.key_hash FROM user_keys k WHERE k.id = ?)",
		"DELETE FROM user_keys WHERE id = ?",
	} {
		if err := q.exec(ctx, text, []any{k.ID}); err != nil {
			return err
		}
	}
	return q.recordKey(ctx, user, k, nil)
}

// recordKey records that a user has a key, or has it no more: never its secret,
// nor a hash of it.
func (q *session) recordKey(ctx context.Context, user Row, before, after *UserKey) error {
	r, err := q.begin(ctx, Updated, Users, user)
	if err != nil {
		return err
	}
	r.before, r.after = side(nil).key(before).text(), side(nil).key(after).text()
	return q.record(ctx, r)
}

// memberKey is the member by which the log says so.
const memberKey = "key"

func (s side) key(k *UserKey) side {
	if k == nil {
		return s
	}
	s = append(s.member(memberKey), `{"expires_at":`...)
	if k.Expires == 0 {
		s = append(s, "null"...)
	} else {
		s = append(time.UnixMicro(int64(k.Expires)).UTC().AppendFormat(append(s, '"'), stampLayout), '"')
	}
	s = strconv.AppendInt(append(s, `,"id":`...), k.ID, 10)
	s = jsontext.AppendString(append(s, `,"name":`...), k.Name)
	if s = append(s, `,"role":`...); k.Role == 0 {
		return append(s, "null}"...)
	}
	return append(jsontext.AppendString(s, k.Role.String()), '}')
}

// keyIn is the key of a side of a change, as far as it names it; ok is false if
// there is none.
func keyIn(text string) (k UserKey, ok bool) {
	if !strings.Contains(text, `"`+memberKey+`"`) {
		return k, false
	}
	x := jsontext.NewScanner(text)
	x.Members(func(name string) {
		if name != memberKey || x.Peek() != '{' {
			x.Skip()
			return
		}
		ok = true
		x.Members(func(name string) {
			switch name {
			case "id":
				k.ID, _ = strconv.ParseInt(x.Skip(), 10, 64)
			case "name":
				k.Name = strings.Clone(x.Str())
			default:
				x.Skip()
			}
		})
	})
	return k, ok
}
