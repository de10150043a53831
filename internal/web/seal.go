package web

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// seals encrypts texts with the newest of several keys and decrypts texts with any of them. A sealed text begins with
// the number of its key. If the number is unknown, another server has made a new key, and the keys are read again.
type seals struct {
	keys func(context.Context) ([]Key, error)

	mu    sync.Mutex
	known map[int64]cipher.AEAD
}

// read reads the keys and forgets deleted ones.
func (s *seals) read(ctx context.Context) (newest int64, err error) {
	keys, err := s.keys(ctx)
	if err != nil {
		return 0, err
	}
	known := map[int64]cipher.AEAD{}
	for _, k := range keys {
		block, err := aes.NewCipher(k.Secret)
		if err != nil {
			return 0, fmt.Errorf("the page's key %d: %w", k.Number, err)
		}
		if known[k.Number], err = cipher.NewGCM(block); err != nil {
			return 0, err
		}
		newest = max(newest, k.Number)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = known
	return newest, nil
}

// of returns the key with a number, or nil.
func (s *seals) of(number int64) cipher.AEAD {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known[number]
}

// seal encrypts a text for a purpose.
func (s *seals) seal(ctx context.Context, text, purpose []byte) (string, error) {
	newest, err := s.read(ctx)
	if err != nil {
		return "", err
	}
	key := s.of(newest)
	if key == nil {
		return "", fmt.Errorf("the page has no key %d", newest)
	}
	nonce := make([]byte, key.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	return strconv.FormatInt(newest, 10) + "." + base64.RawURLEncoding.EncodeToString(key.Seal(nonce, nonce, text, purpose)), nil
}

// open decrypts a text that was sealed for a purpose. It returns nil if no key fits.
func (s *seals) open(ctx context.Context, sealed string, purpose []byte) ([]byte, error) {
	word, rest, _ := strings.Cut(sealed, ".")
	number, err := strconv.ParseInt(word, 10, 64)
	raw, broken := base64.RawURLEncoding.Strict().DecodeString(rest)
	if err != nil || broken != nil || strconv.FormatInt(number, 10) != word { // accept only one spelling of the number
		return nil, nil //nolint:nilerr // it is none of ours
	}
	key := s.of(number)
	if key == nil {
		if _, err := s.read(ctx); err != nil {
			return nil, err
		}
		key = s.of(number)
	}
	if key == nil || len(raw) < key.NonceSize() {
		return nil, nil
	}
	n := key.NonceSize()
	text, err := key.Open(nil, raw[:n], raw[n:], purpose)
	if err != nil {
		return nil, nil //nolint:nilerr // it is none of ours
	}
	return text, nil
}
