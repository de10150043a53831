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

// seals seal texts with the newest of some keys, and open what any of them has sealed. A sealed text begins with the
// number of its key: one that is not known yet was made by another server meanwhile, and the keys are read again.
type seals struct {
	keys func(context.Context) ([]Key, error)

	mu    sync.Mutex
	known map[int64]cipher.AEAD
}

// read reads the keys, and forgets those that are no more.
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

// of returns the key with a number; nil if there is none.
func (s *seals) of(number int64) cipher.AEAD {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known[number]
}

// seal seals a text for a purpose.
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
	_, _ = rand.Read(nonce) // it never fails
	return strconv.FormatInt(newest, 10) + "." + base64.RawURLEncoding.EncodeToString(key.Seal(nonce, nonce, text, purpose)), nil
}

// open returns the text that was sealed for a purpose; nil if none of the keys has done so.
func (s *seals) open(ctx context.Context, sealed string, purpose []byte) ([]byte, error) {
	word, rest, _ := strings.Cut(sealed, ".")
	number, err := strconv.ParseInt(word, 10, 64)
	raw, broken := base64.RawURLEncoding.Strict().DecodeString(rest)
	if err != nil || broken != nil || strconv.FormatInt(number, 10) != word { // there is one way to write it
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
