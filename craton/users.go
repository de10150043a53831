package craton

import (
	"context"
	"fmt"
	"strconv"

	"github.com/craton-fleet/craton/internal/value"
)

// User is a user of the API: a name and a key in one project.
type User struct {
	ID        int       `json:"id"`
	Username  string    `json:"username"`
	ProjectID string    `json:"project_id"`
	IsAdmin   bool      `json:"is_admin"`
	APIKey    APIKey    `json:"api_key"` // craton server returns it only in the response to Create
	CreatedAt Timestamp `json:"created_at"`
	UpdatedAt Timestamp `json:"updated_at"`
}

// APIKey is a secret. It prints as asterisks; string(key) returns the key.
type APIKey string

// String returns asterisks, or "" if the key is empty.
func (k APIKey) String() string {
	if k == "" {
		return ""
	}
	return "********"
}

// GoString conceals the key from %#v.
func (k APIKey) GoString() string { return fmt.Sprintf("%q", k.String()) }

// UserCreate holds the fields of a new user; the server chooses the key. Username is unique in the project.
type UserCreate struct {
	Username  string `json:"username"`
	ProjectID string `json:"project_id"`
	IsAdmin   bool   `json:"is_admin,omitzero"`
	Role      Role   `json:"role,omitzero"` // "": admin or member, depending on IsAdmin; needs craton server
}

// UserListOptions filters users. It has no ID, because the API's id parameter does not filter (Q14): use Get.
type UserListOptions struct {
	Paging
	Name string `query:"name"` // the exact username
}

// UserService calls /v1/users. Only the role and the key of a user can be changed; to change anything else, delete the
// user and create it again. Callers that are not admins can only use the methods for roles and keys, with [Self].
type UserService struct {
	Lister[User, UserListOptions]
	Reader[User, int]
	Writer[User, int, UserCreate]
}

func newUserService(c *Client) *UserService {
	const path = "/users"
	s := &UserService{
		Lister: Lister[User, UserListOptions]{client: c, path: path, key: "users", id: func(o *User) string { return strconv.Itoa(o.ID) }},
		Reader: Reader[User, int]{client: c, path: path},
		Writer: Writer[User, int, UserCreate]{client: c, path: path},
	}
	s.taken = func(ctx context.Context, want *User) bool {
		return anyOther(s.All(ctx, UserListOptions{Name: want.Username}), func(o *User) bool {
			return sameName(o.Username, want.Username) && value.SameUUID(o.ProjectID, want.ProjectID)
		})
	}
	return s
}
