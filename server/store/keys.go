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

// Account is an authenticated user.
type Account struct {
	ID       int64
	Username string
	Project  string      // canonical UUID
	Role     schema.Role // the lower one of the user's and the key's role
	Key      int64       // id of the key
	MaxRole  schema.Role // the highest role that the key allows; 0 for no limit
	Expires  Micros      // when the key expires; 0 for never
	Log      Cursor      // end of the change log at authentication; only with a replica
}

// UserKey is an API key of a user, without the secret.
type UserKey struct {
	ID      int64
	Name    string
	Role    schema.Role // the highest role that the key allows; 0 for no limit
	Created Micros
	Expires Micros // 0 for never
	Used    Micros // last use, in whole hours; 0 if not known
}

// allows returns the role of a user who signs in with the key.
func (k *UserKey) allows(user schema.Role) schema.Role {
	if k.Role == 0 {
		return user
	}
	return min(k.Role, user)
}

const (
	// KeyPrefix is the prefix of every key, for secret scanners. It is followed by 24 random characters and a checksum
	// of 6 characters.
	KeyPrefix = "crn_"

	// MaxKeys is the maximum number of keys of one user.
	MaxKeys = 100

	// firstKey is the name of the key that a user is created with, like in v1.
	firstKey = "api_key"

	randomKey = 24 // characters out of 62: 142 bits
	digits62  = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// newKey returns a new secret: crn_, random characters, and the CRC-32 of both as 6 base-62 digits.
func newKey() string {
	text := []byte(KeyPrefix)
	var random [1]byte
	for len(text) < len(KeyPrefix)+randomKey {
		rand.Read(random[:])
		if at := int(random[0]); at < 4*len(digits62) { // skipping larger values makes all digits equally frequent
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

// hashKey returns the hash of an API key that is stored. The server generates all keys itself, from at least 122 random
// bits, so that they cannot be guessed. Therefore one round of SHA-256 is as safe as a slow password hash, and keeps
// requests cheap.
func hashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// proof has the credentials of a user: name, project, and the hash of a key.
type proof struct{ user, project, hash string }

// keyRow is the database's row for a proof. hash is empty if there is no such key.
type keyRow struct {
	user, id      int64
	hash, role    string
	narrower      *string
	expires, used *int64
	log           Cursor
}

// Authenticate returns the account of a user of a project if key is one of the user's API keys and has not expired.
// Otherwise ok is false, without a reason.
func (s *Store) Authenticate(ctx context.Context, username, project, key string) (account Account, ok bool, err error) {
	want := hashKey(key)
	k, err := s.proofs.do(ctx, proof{username, project, want}, func(ctx context.Context) (k keyRow, err error) {
		err = s.readOne(ctx, func(ctx context.Context, q *session) error {
			k = keyRow{}
			columns, from, dest := "u.id, u.role, k.id, k.key_hash, k.role, k.expires_at, k.used_at", "users u JOIN user_keys k ON k.user_id = u.id", []any{&k.user, &k.role, &k.id, &k.hash, &k.narrower, &k.expires, &k.used}
			if s.replica != nil { // the same query returns the position that a replica must have reached
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
	if !ok { // a newer version of the program has migrated the tables
		return Account{}, false, nil
	}
	if k.expires != nil {
		account.Expires = Micros(*k.expires * 1e6)
	}
	s.uses.note(account.Key, k.used, now)
	return account, true, nil
}

// Manager is the caller that changes a user's keys or role.
type Manager struct {
	Scope
	User    int64       // id of the caller; 0 if it is not a user of this store
	Role    schema.Role // role of the caller
	MaxRole schema.Role // highest role that the caller's key allows; 0 for no limit

	Expires Micros // when the caller's key expires; 0 for never
}

var errGivesRoot = &Error{Code: ExceedsGrant, Message: "Only root gives the role root, and takes it away."}

// limit returns the highest role of a key that m creates for another user: unlimited for root, otherwise m's own. So m
// cannot gain a role through the key if the user gets a higher role later.
func (m Manager) limit() schema.Role {
	if m.Role == schema.Root {
		return 0
	}
	return m.Role
}

// managed returns the row of a user that m changes. m cannot change another user with a higher role.
func (q *session) managed(ctx context.Context, m Manager, user string) (Row, error) {
	row, err := q.find(ctx, Users, m.Scope, user, changing)
	if err != nil {
		return nil, err
	}
	if row[Users.Index("id")] != m.User && row.role() > m.Role {
		return nil, refuse(ExceedsGrant, "This user has a higher role than you: only a user with at least that role can manage it.")
	}
	return row, nil
}

// Keys returns the keys of a user, oldest first.
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

// CreateKey creates a key for a user, with the name, role and expiry of k. It returns the key and its secret, which
// cannot be read again. It fails with [ExceedsGrant] if the key would have a higher role than its creator, or expire
// later than the key that the creator uses, and with [Conflict] if the user has a key with this name.
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
			return refuse(ExceedsGrant, "A key cannot have a higher role than its user, which is %s.", row.role())
		case k.allows(row.role()) > m.Role, own && m.MaxRole != 0 && k.allows(schema.Root) > m.MaxRole:
			return refuse(ExceedsGrant, "The new key would have a higher role than the key that you use: give it the role %s or a lower one.", m.Role)
		case m.Expires != 0 && (k.Expires == 0 || k.Expires > m.Expires):
			return refuse(ExceedsGrant, "The new key would outlive the one that you use, which expires at %s: choose an earlier expiry, or use a key that is valid longer.", time.UnixMicro(int64(m.Expires)).UTC().Format(time.RFC3339))
		}
		if !own && k.Role == 0 {
			k.Role = m.limit()
		}
		var n int
		if err := q.row(ctx, "SELECT count(*) FROM user_keys WHERE user_id = ?", []any{row[Users.Index("id")]}, &n); err != nil {
			return err
		}
		if n >= MaxKeys {
			return refuse(Invalid, "The user already has %d keys, which is the limit: delete unused ones first.", n)
		}
		k.Created = Micros(s.now().Unix() * 1e6)
		if k.ID, err = q.insertKey(ctx, row[Users.Index("id")], k, secret); err != nil {
			if errors.Is(err, engine.ErrUnique) {
				return refuse(Conflict, "The user already has a key with this name.")
			}
			return err
		}
		return q.recordKey(ctx, row, nil, &k)
	})
	return k, secret, err
}

// addFirstKey stores the key that a user is created with. most is the highest role that the key allows; 0 for no limit.
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

// DeleteKey deletes a key of a user. It fails with [ExceedsGrant] for a key with a higher role than m, with [NotFound]
// if there is no such key, and with [InUse] for the last key of the last root user.
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
			return refuse(ExceedsGrant, "This key has a higher role than you, whose role is %s: only a user with at least that role can delete it.", m.Role)
		}
		return q.deleteKey(ctx, row, &keys[0])
	})
}

// deleteKey deletes a key of a user whose row is locked.
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

// recordKey records a new or deleted key of a user, without its secret and hash.
func (q *session) recordKey(ctx context.Context, user Row, before, after *UserKey) error {
	r, err := q.begin(ctx, Updated, Users, user)
	if err != nil {
		return err
	}
	r.before, r.after = side(nil).key(before).text(), side(nil).key(after).text()
	return q.record(ctx, r)
}

// memberKey is the member of a change in the log that describes a key.
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

// keyIn returns the key in one side of a change. ok is false if there is none.
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
