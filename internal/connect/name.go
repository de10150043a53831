package connect

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path/filepath"
	"strings"

	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/internal/settings"
)

// Name returns a key for the fleet of the settings and the user who reads it, and a description. It sends no request,
// and contains no secret; for a bare token it contains a hash.
func Name(v *settings.Values) (name, words string, err error) {
	url, project := v.String("url"), v.String("project_id")
	if path, file := strings.CutPrefix(url, sqlitePrefix); file {
		whole, err := filepath.Abs(path)
		return named(sqlitePrefix+whole, project), ofProject(sqlitePrefix+whole, project), err
	}
	words = rest.Bare(url)
	if !UsesKeystone(v) {
		return named(words, v.String("username"), project), ofProject(words+" as "+v.String("username"), project), nil
	}
	c, err := keystoneConfig(v)
	if err != nil {
		return "", "", err
	}
	if c.Token != "" {
		sum := sha256.Sum256([]byte(c.Token))
		c.Token = hex.EncodeToString(sum[:])
	}
	c.AuthURL, c.Password, c.ApplicationCredentialSecret = rest.Bare(c.AuthURL), "", ""
	text, err := json.Marshal(c)
	if url == "" {
		words = c.AuthURL
	}
	return named(words, string(text)), strings.Join(strings.Fields(words+" as "+c.Username+c.UserID+c.ApplicationCredentialName+c.ApplicationCredentialID+" of "+c.ProjectName+c.ProjectID), " "), err
}

// ofProject appends the project to the description of a fleet, if it is set.
func ofProject(words, project string) string {
	if project != "" {
		words += " of " + project
	}
	return strings.TrimSpace(words)
}

func named(parts ...string) string {
	text, _ := json.Marshal(parts) // strings never fail
	return string(text)
}
