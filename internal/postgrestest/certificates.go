package postgrestest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"time"
)

// certificates creates a CA, and certificates for the server and for a client with the name of the role.
func (s *Server) certificates() error {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	day := func(days int) time.Time { return time.Now().AddDate(0, 0, days) }
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA of a test"}, NotBefore: day(-1), NotAfter: day(1),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	for i, c := range []struct {
		name string // base name of the files
		of   *x509.Certificate
	}{
		{"ca", ca},
		{"server", &x509.Certificate{Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}},
		{"client", &x509.Certificate{Subject: pkix.Name{CommonName: Role}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}},
	} {
		key := caKey
		if c.of != ca {
			if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
				return err
			}
			c.of.SerialNumber, c.of.NotBefore, c.of.NotAfter = big.NewInt(int64(i+1)), ca.NotBefore, ca.NotAfter
		}
		der, err := x509.CreateCertificate(rand.Reader, c.of, ca, &key.PublicKey, caKey)
		if err != nil {
			return err
		}
		pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return err
		}
		if err := s.directory.Write(c.name+".pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))); err != nil {
			return err
		}
		if err := s.directory.Write(c.name+".key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))); err != nil {
			return err
		}
	}
	s.CA, s.Cert, s.Key = s.directory.File("ca.pem"), s.directory.File("client.pem"), s.directory.File("client.key")
	return os.Chown(s.Key, os.Geteuid(), os.Getegid()) // the key of the client, which must be able to read it
}
