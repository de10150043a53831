package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// The names of the checksums and of their signature.
const (
	sumsFile      = "SHA256SUMS"
	signatureFile = sumsFile + ".sig"
)

// sums writes the checksums of files in the directory of the release, for sha256sum -c.
func (r *release) sums(files []string) error {
	slices.Sort(files)
	var b bytes.Buffer
	for _, name := range files {
		text, err := os.ReadFile(filepath.Join(r.out, name))
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(text), name)
	}
	return os.WriteFile(filepath.Join(r.out, sumsFile), b.Bytes(), 0o644)
}

// sign signs the checksums with ssh-keygen and the given key, and returns the name of the signature; "" without a key.
func (r *release) sign(ctx context.Context) (string, error) {
	file := filepath.Join(r.out, sumsFile)
	if err := os.Remove(filepath.Join(r.out, signatureFile)); err != nil && !os.IsNotExist(err) {
		return "", err
	}
	if r.signKey == "" {
		return "", nil
	}
	cmd := exec.CommandContext(ctx, "ssh-keygen", "-q", "-Y", "sign", "-n", "file", "-f", r.signKey, file)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr // it may ask for a passphrase
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("ssh-keygen -Y sign: %w", err)
	}
	return "signed: " + signatureFile, nil
}
