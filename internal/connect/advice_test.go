package connect

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/iotronic"
)

// TestAdvice: errors that settings fix say which.
func TestAdvice(t *testing.T) {
	t.Parallel()
	unknown := httptest.NewUnstartedServer(http.NotFoundHandler())
	unknown.Config.ErrorLog = log.New(io.Discard, "", 0)
	unknown.StartTLS()
	t.Cleanup(unknown.Close)
	things := func(url string, options ...iotronic.Option) error {
		c, err := iotronic.New(url, append(options, iotronic.WithRetries(0))...)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Boards.Get(t.Context(), "b")
		return err
	}
	fleet := func(url string) error {
		c, err := craton.New(url, craton.WithRetries(0))
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Hosts.Get(t.Context(), 1)
		return err
	}
	s := iotronictest.Start(t, iotronictest.Boards2019)
	for name, tt := range map[string]struct {
		err    error
		advice string
	}{
		"a certificate":           {things(unknown.URL), "; set ca_path (CRATON_CA_PATH), or os_cacert"},
		"a certificate of Craton": {fleet(unknown.URL), "; set ca_path (CRATON_CA_PATH), or os_cacert"},
		"no token":                {things(s.URL), " Set token (OS_TOKEN) to a valid one, or set os_cloud"},
		"not there":               {things(s.URL, iotronic.WithToken(iotronictest.Admin.Token)), ""},
	} {
		advised := Advised(tt.err)
		if rest, ok := strings.CutPrefix(advised.Error(), tt.err.Error()); !ok || !strings.HasPrefix(rest, tt.advice) || tt.advice == "" && rest != "" {
			t.Errorf("%s: %v", name, advised)
		}
		if iotronic.StatusOf(advised) != iotronic.StatusOf(tt.err) {
			t.Errorf("%s: the error is another one", name)
		}
	}
	if Advised(nil) != nil {
		t.Error("no error is one")
	}
}
