package doctor

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/show"
)

// soon is the remaining lifetime of a certificate below which there is a warning.
const soon = 21 * 24 * time.Hour

// tlsConfig returns the client's TLS configuration. Its errors are findings.
func (d *doctor) tlsConfig(t craton.TLS) *tls.Config {
	config, err := t.Config()
	if err != nil {
		d.addError("tls settings", err, "correct ca_path, client_cert or client_key; "+adviceConfig)
		return nil
	}
	if key := t.ClientKey; key != "" {
		if info, err := os.Stat(key); err == nil && info.Mode().Perm()&0o004 != 0 {
			d.warn("tls settings", "chmod 600 "+key, "everyone on this machine can read the key %s", key)
		}
	}
	for _, c := range config.Certificates {
		d.checkEnd("client certificate", c.Leaf, "get a new client certificate")
	}
	return config
}

// checkEnd checks whether a certificate is valid now and for some time. It adds nothing if it is.
func (d *doctor) checkEnd(check string, c *x509.Certificate, advice string) bool {
	now := time.Now()
	switch left := c.NotAfter.Sub(now); {
	case now.Before(c.NotBefore):
		d.problem(check, advice+", or correct this machine's clock", "%s is only valid from %s", nameOf(c), day(c.NotBefore))
	case left <= 0:
		d.problem(check, advice, "%s was valid until %s", nameOf(c), day(c.NotAfter))
	case left < soon:
		d.warn(check, advice, "%s is valid until %s, in %s", nameOf(c), day(c.NotAfter), plural(int(left.Hours()/24), "day"))
	default:
		return true
	}
	return false
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// nameOf returns the name of a certificate.
func nameOf(c *x509.Certificate) string {
	if name := c.Subject.String(); name != "" {
		return "the certificate of " + show.Clean(name)
	}
	return "the certificate of " + show.Clean(strings.Join(namesOf(c), ", "))
}

// namesOf returns the hosts for which a certificate is valid.
func namesOf(c *x509.Certificate) []string {
	names := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

// checkTLS checks whether the server has proved its identity, and whether a client that verifies would accept it.
func (d *doctor) checkTLS(p *probe, target *url.URL, config *tls.Config) bool {
	const check = "certificate"
	if target.Scheme != "https" {
		return true
	}
	if p.tls == nil {
		message, advice := explainHandshake(p.err)
		d.problem(check, advice, "%s", message)
		return false
	}
	verify := !config.InsecureSkipVerify
	why, advice := untrusted(p.tls, target.Hostname(), config.RootCAs)
	switch {
	case !verify && why != "":
		d.warn(check, "to verify again, "+advice+", and unset validate_certs or remove --insecure", "certificates are not verified, so anyone on the network path can take your API key. This one would be rejected: %s", why)
		return true
	case !verify:
		d.warn(check, "unset validate_certs or remove --insecure", "certificates are not verified, so anyone on the network path can take your API key. This one would be accepted")
		return true
	case why != "":
		d.problem(check, advice, "%s", why)
		return false
	}
	leaf := p.tls.PeerCertificates[0]
	if d.checkEnd(check, leaf, "renew the server's certificate") {
		d.ok(check, "%s, valid until %s, %s", nameOf(leaf), day(leaf.NotAfter), tls.VersionName(p.tls.Version))
	}
	return true
}

// untrusted returns why a client refuses a server's certificate, and what to do; "" if it accepts it.
func untrusted(state *tls.ConnectionState, host string, roots *x509.CertPool) (why, advice string) {
	leaf := state.PeerCertificates[0]
	o := x509.VerifyOptions{Roots: roots, DNSName: host, Intermediates: x509.NewCertPool()}
	for _, c := range state.PeerCertificates[1:] {
		o.Intermediates.AddCert(c)
	}
	_, err := leaf.Verify(o)
	if err == nil {
		return "", ""
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		names := namesOf(leaf)
		if len(names) == 0 {
			return fmt.Sprintf("the certificate names no host (subject %s)", show.Clean(leaf.Subject.String())), "give the server a certificate with a subject alternative name"
		}
		return fmt.Sprintf("the certificate is for %s, not for %s", show.Clean(strings.Join(names, ", ")), host),
			"use one of these names in CRATON_URL, or give the server a certificate for the name in CRATON_URL"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		c := invalid.Cert
		if c == nil {
			c = leaf
		}
		if time.Now().Before(c.NotBefore) {
			return fmt.Sprintf("%s is only valid from %s", nameOf(c), day(c.NotBefore)), "correct this machine's clock, or replace the server's certificate"
		}
		return fmt.Sprintf("%s was valid until %s", nameOf(c), day(c.NotAfter)), "renew the server's certificate"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		why = fmt.Sprintf("the certificate is signed by %s, which is not trusted here", show.Clean(leaf.Issuer.String()))
		advice = "set ca_path (CRATON_CA_PATH) to the PEM file of that authority"
		if roots != nil {
			advice = "put the PEM file of that authority where ca_path (CRATON_CA_PATH) points"
		}
		if len(state.PeerCertificates) == 1 && leaf.Issuer.String() != leaf.Subject.String() {
			advice += ", or make the server send the intermediate certificates"
		}
		return why, advice
	}
	return "the certificate is rejected: " + show.Clean(err.Error()), "give the server another certificate"
}

// explainHandshake returns why the TLS handshake failed.
func explainHandshake(err error) (why, advice string) {
	text := cause(err).Error()
	switch {
	case errors.As(err, new(tls.RecordHeaderError)) || strings.Contains(text, "server gave HTTP response to HTTPS client"):
		return "the server there does not use TLS", "write http:// in CRATON_URL, or give the server a certificate (`craton server --tls-cert FILE --tls-key FILE`)"
	case strings.Contains(text, "certificate required") || strings.Contains(text, "bad certificate"):
		return "the server requires a client certificate, or a different one: " + show.Clean(text), "set client_cert and client_key (CRATON_CLIENT_CERT, CRATON_CLIENT_KEY)"
	case strings.Contains(text, "protocol version"):
		return "the server does not support TLS 1.2 or later", "upgrade the server, or the proxy in front of it"
	}
	return "the TLS handshake failed: " + show.Clean(text), "check the log of the server, or of the proxy in front of it"
}
