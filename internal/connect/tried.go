package connect

import (
	"fmt"
	"strings"

	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/keystone"
)

// askDoctor ends what an error says of credentials that were refused.
const askDoctor = "run `craton doctor`"

// askConfig is the same for what doctor does not look at.
const askConfig = "`craton config` shows what is set where"

// describeAttempt returns where requests to a service go and who sends them, for the error of credentials that are
// refused: all but the secret, and what has set each. auth says who signs in to Keystone; nil is a user of the
// service's own. found says where the URL is from.
func describeAttempt(v *settings.Values, url, found string, auth *keystone.Config) string {
	text := fmt.Sprintf("tried %s (%s) as ", rest.Bare(url), found)
	if auth != nil {
		return text + signedInAs(v, auth)
	}
	return text + strings.Join(givenSettings(v, []string{"username", "user %s"}, []string{"project_id", "project %s"}, []string{"password", "the API key"}), ", ")
}

// signedInAs returns who signs in to Keystone, and what has set that.
func signedInAs(v *settings.Values, c *keystone.Config) string {
	said := givenSettings(v, []string{"os_cloud", "cloud %s"}, []string{"auth_url", "Keystone %s"}, []string{"username", "user %s"}, []string{"user_id", "user with id %s"},
		[]string{"application_credential_id", "application credential %s"}, []string{"application_credential_name", "application credential %s"},
		[]string{"project_id", "project %s"}, []string{"project_name", "project %s"}, []string{"password", "the password"}, []string{"token", "the token"},
		[]string{"application_credential_secret", "the application credential's secret"})
	if v.String("os_cloud") == "" {
		return strings.Join(said, ", ")
	}
	// What a cloud says stands in its file.
	of := func(what, id, name string) {
		if text := id + name; text != "" && v.String(what+"_id")+v.String(what+"_name") == "" {
			said = append(said, what+" "+text+" (of the cloud)")
		}
	}
	if v.String("username") == "" && v.String("user_id") == "" && c.Username+c.UserID != "" {
		said = append(said, "user "+c.Username+c.UserID+" (of the cloud)")
	}
	of("project", c.ProjectID, c.ProjectName)
	return strings.Join(said, ", ")
}

// givenSettings returns settings that have a value, each with what has set it. A word for one has a place for the
// value, but that of a secret.
func givenSettings(v *settings.Values, words ...[]string) (said []string) {
	for _, w := range words {
		text := v.String(w[0])
		if text == "" {
			continue
		}
		word := w[1]
		if strings.Contains(word, "%s") {
			word = fmt.Sprintf(word, rest.Bare(text))
		}
		said = append(said, word+" ("+v.Origin(w[0])+")")
	}
	return said
}
