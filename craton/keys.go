package craton

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// Role defines what a user may do in its project. Each role includes the narrower ones; see docs/server.md.
type Role string

// The roles, the narrowest first.
const (
	RoleReader Role = "reader" // reads what belongs to the project
	RoleMember Role = "member" // changes it
	RoleAdmin  Role = "admin"  // also reads the project itself, changes its variables, and manages its users
	RoleRoot   Role = "root"   // does everything in every project
)

// Self is the id of the user that the client signs in as, for roles and keys. Users that are not admins cannot look up
// their own id.
const Self = 0

// UserKey is an API key of a user. A user of `craton server` can have several.
type UserKey struct {
	ID        int       `json:"id"`
	Name      string    `json:"name"` // unique among the user's
	Role      Role      `json:"role"` // its maximum role; "": that of its user
	Key       APIKey    `json:"key"`  // only in the response to CreateKey
	CreatedAt Timestamp `json:"created_at"`
	ExpiresAt Timestamp `json:"expires_at"` // zero: never
	UsedAt    Timestamp `json:"used_at"`    // the last use, in whole hours; zero: none that the server knows of
	Current   bool      `json:"current"`    // the client itself uses it
}

// UserKeyCreate is the fields of a new key; the server chooses the secret.
type UserKeyCreate struct {
	Name      string
	Role      Role      // "": that of the user
	ExpiresAt time.Time // zero: never
}

// MarshalJSON leaves out unset fields.
func (k UserKeyCreate) MarshalJSON() ([]byte, error) {
	body := struct {
		Name      string `json:"name"`
		Role      Role   `json:"role,omitzero"`
		ExpiresAt string `json:"expires_at,omitzero"`
	}{k.Name, k.Role, ""}
	if !k.ExpiresAt.IsZero() {
		body.ExpiresAt = k.ExpiresAt.UTC().Format(time.RFC3339)
	}
	return json.Marshal(body)
}

// hintKeys is the advice for a server that has neither roles nor keys.
const hintKeys = "this server has no roles and keys of users: they require a newer craton server"

// Role returns a user's role. Callers that are not admins can only use [Self].
func (s *UserService) Role(ctx context.Context, user int) (Role, error) {
	return s.role(ctx, http.MethodGet, user, nil)
}

// SetRole gives a user a role. The error is [IsForbidden] for a role wider than the caller's, and [IsConflict] for the
// last root user.
func (s *UserService) SetRole(ctx context.Context, user int, role Role) error {
	_, err := s.role(ctx, http.MethodPut, user, map[string]Role{"role": role})
	return err
}

func (s *UserService) role(ctx context.Context, method string, user int, body any) (Role, error) {
	var out struct {
		Role Role `json:"role"`
	}
	err := s.explainMissingRoute(s.Reader.client.call(ctx, method, s.userPath(user)+"/role", nil, body, &out, "role"))
	return out.Role, err
}

// Keys returns the keys of a user, oldest first, without their secrets.
func (s *UserService) Keys(ctx context.Context, user int) ([]*UserKey, error) {
	var out struct {
		Keys []*UserKey `json:"keys"`
	}
	err := s.explainMissingRoute(s.Reader.client.call(ctx, http.MethodGet, s.userPath(user)+"/keys", nil, nil, &out, "keys"))
	return out.Keys, err
}

// CreateKey creates a key. Only its result has the secret. The error is [IsForbidden] for a key that could do more than
// the one that the client uses, and [IsConflict] for a name that the user has already.
func (s *UserService) CreateKey(ctx context.Context, user int, key UserKeyCreate) (*UserKey, error) {
	out := new(UserKey)
	if err := s.explainMissingRoute(s.Reader.client.call(ctx, http.MethodPost, s.userPath(user)+"/keys", nil, key, out, "key")); err != nil {
		return nil, err
	}
	return out, nil
}

// DeleteKey deletes a key, which is invalid from then on. The error is [IsNotFound] if there is no such key.
func (s *UserService) DeleteKey(ctx context.Context, user, key int) error {
	return s.explainMissingRoute(s.Reader.client.call(ctx, http.MethodDelete, s.userPath(user)+"/keys/"+strconv.Itoa(key), nil, nil, nil, ""))
}

func (s *UserService) userPath(user int) string {
	if user == Self {
		return "/users/self"
	}
	return "/users/" + strconv.Itoa(user)
}

// explainMissingRoute adds to the error of a missing route that the server has neither roles nor keys.
func (s *UserService) explainMissingRoute(err error) error {
	if e, ok := err.(*Error); ok && e.Foreign && e.Status == http.StatusNotFound { //nolint:errorlint // call returns it bare
		e.Hint = hintKeys
	}
	return err
}
