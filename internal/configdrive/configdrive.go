// Package configdrive makes what Ironic takes for a config drive of what people have: a drive itself (packed by gzip,
// in base64, or its URL), a JSON object of which Ironic builds one, a file of either or of an image, or a directory of
// what is to be on it.
package configdrive

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/value"
)

// packed is the beginning of gzip data, in base64.
const packed = "H4sI"

// Read makes a config drive of a word: what the API takes, as JSON. An error never holds the content.
func Read(ctx context.Context, word string) (json.RawMessage, error) {
	word = strings.TrimSpace(word)
	if drive := itself(word); drive != nil {
		return drive, nil
	}
	info, err := os.Stat(word)
	if err != nil {
		const most = 60 // of what is shown: it may be a drive that is broken
		if len(word) > most {
			word = word[:most] + "..."
		}
		return nil, fmt.Errorf("%q is neither a file nor a config drive: a config drive begins with %s (gzip in base64), is a JSON object, or a URL", word, packed)
	}
	if info.IsDir() {
		return ofDirectory(ctx, word)
	}
	content, err := os.ReadFile(word)
	if err != nil {
		return nil, err
	}
	return Of(content, word)
}

// Of returns the config drive in the content of a file, which errors call by its name.
func Of(content []byte, name string) (json.RawMessage, error) {
	if drive := itself(string(bytes.TrimSpace(content))); drive != nil {
		return drive, nil
	}
	const identifier, at = "CD001", 32769 // of an ISO 9660 image
	switch {
	case bytes.HasPrefix(content, []byte{0x1f, 0x8b}):
		return text(base64.StdEncoding.EncodeToString(content)), nil
	case len(content) > at && bytes.HasPrefix(content[at:], []byte(identifier)):
		return pack(content)
	}
	return nil, fmt.Errorf("%s is not a config drive: that is an ISO 9660 image, plain, compressed with gzip, or that in base64; a JSON object; or a URL", name)
}

// itself returns a word that the API takes as it is; nil if it is none.
func itself(word string) json.RawMessage {
	switch {
	case strings.HasPrefix(word, packed), strings.Contains(word, "://") && !strings.ContainsAny(word, " \n"):
		return text(word)
	case gjson.Valid(word) && gjson.Parse(word).IsObject():
		return json.RawMessage(word)
	}
	return nil
}

func text(s string) json.RawMessage {
	raw, err := value.Encode(s)
	if err != nil {
		panic(err) // a text can be encoded
	}
	return bytes.TrimSpace(raw)
}

func pack(image []byte) (json.RawMessage, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(image); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return text(base64.StdEncoding.EncodeToString(b.Bytes())), nil
}

// parts are the files of which Ironic itself builds a drive, and what it calls them.
var parts = map[string]string{"meta_data.json": "meta_data", "network_data.json": "network_data", "vendor_data.json": "vendor_data", "user_data": "user_data"}

// ofDirectory returns a drive of what is in a directory: what Ironic can build a drive of is left to it, all else needs
// a program for images.
func ofDirectory(ctx context.Context, dir string) (json.RawMessage, error) {
	if info, err := os.Stat(filepath.Join(dir, "openstack")); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("the directory %s has no subdirectory openstack, which a config drive must have", dir)
	}
	links, err := check(dir, nil)
	if err != nil {
		return nil, err
	}
	object, err := buildable(dir)
	if err != nil || object != nil {
		return object, err
	}
	if links {
		whole, err := os.MkdirTemp("", "config-drive-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(whole) //nolint:errcheck // a temporary directory
		if err := followed(whole, dir); err != nil {
			return nil, err
		}
		dir = whole
	}
	image, err := makeImage(ctx, dir)
	if err != nil {
		return nil, err
	}
	return pack(image)
}

// check refuses a directory that contains anything but files and directories, or links to them: a pipe would be waited
// for, and a device read without end. links tells whether there are links. above are the directories that dir is in.
func check(dir string, above []os.FileInfo) (links bool, err error) {
	info, err := os.Stat(dir)
	if err != nil {
		return false, err
	}
	if slices.ContainsFunc(above, func(other os.FileInfo) bool { return os.SameFile(info, other) }) {
		return false, fmt.Errorf("%s is a link to a directory that it is in itself; remove it", dir)
	}
	above = append(above[:len(above):len(above)], info)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		isLink := e.Type()&os.ModeSymlink != 0
		links = links || isLink
		switch info, err := os.Stat(path); {
		case err != nil && isLink:
			return false, fmt.Errorf("%s is a link that leads nowhere: %w", path, err)
		case err != nil:
			return false, err
		case info.IsDir():
			inside, err := check(path, above)
			if err != nil {
				return false, err
			}
			links = links || inside
		case !info.Mode().IsRegular():
			return false, fmt.Errorf("%s is not a regular file; a config drive can contain only files and directories", path)
		}
	}
	return links, nil
}

// followed copies a directory that check has passed, with what links lead to in their place: in an image they would lead
// nowhere, and what programs for images make of them differs.
func followed(to, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		from, path := filepath.Join(dir, e.Name()), filepath.Join(to, e.Name())
		info, err := os.Stat(from)
		if err != nil {
			return err
		}
		if info.IsDir() {
			if err := os.Mkdir(path, 0o700); err != nil {
				return err
			}
			if err := followed(path, from); err != nil {
				return err
			}
		} else {
			content, err := os.ReadFile(from) //nolint:gosec // what the directory leads to
			if err != nil {
				return err
			}
			if err := os.WriteFile(path, content, 0o600|info.Mode().Perm()); err != nil {
				return err
			}
		}
		if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
			return err
		}
	}
	return nil
}

// buildable returns the object of a directory with nothing but what Ironic builds a drive of, in openstack/latest; nil
// of another one.
func buildable(dir string) (json.RawMessage, error) {
	for _, at := range []struct{ path, only string }{{dir, "openstack"}, {filepath.Join(dir, "openstack"), "latest"}} {
		entries, err := os.ReadDir(at.path)
		if err != nil {
			return nil, err
		}
		if len(entries) != 1 || entries[0].Name() != at.only {
			return nil, nil
		}
	}
	latest := filepath.Join(dir, "openstack", "latest")
	entries, err := os.ReadDir(latest)
	if err != nil {
		return nil, err
	}
	o := map[string]json.RawMessage{}
	for _, e := range entries {
		key := parts[e.Name()]
		if key == "" {
			return nil, nil
		}
		content, err := os.ReadFile(filepath.Join(latest, e.Name()))
		switch {
		case err != nil:
			return nil, err
		case key != "user_data" && !(gjson.ValidBytes(content) && gjson.ParseBytes(content).IsObject()):
			return nil, fmt.Errorf("%s is not a JSON object", filepath.Join(latest, e.Name()))
		case key != "user_data":
			o[key] = content
		case !utf8.Valid(content):
			return nil, nil
		default:
			o[key] = text(string(content))
		}
	}
	raw, err := value.Encode(o)
	return bytes.TrimSpace(raw), err
}

// programs make images; they take the same arguments.
var programs = []string{"genisoimage", "mkisofs", "xorrisofs"}

// makeImage has a program make the image of a directory.
func makeImage(ctx context.Context, dir string) ([]byte, error) {
	at := slices.IndexFunc(programs, func(name string) bool { _, err := exec.LookPath(name); return err == nil })
	if at < 0 {
		return nil, fmt.Errorf("%s contains more than Ironic can build a config drive from (openstack/latest with meta_data.json, user_data, network_data.json, vendor_data.json); to make an image of it, install one of %s",
			dir, strings.Join(programs, ", "))
	}
	image, err := os.CreateTemp("", "config-drive-")
	if err != nil {
		return nil, err
	}
	defer os.Remove(image.Name()) //nolint:errcheck // a temporary file
	if err := image.Close(); err != nil {
		return nil, err
	}
	var problem bytes.Buffer
	cmd := exec.CommandContext(ctx, programs[at], "-o", image.Name(), "-ldots", "-allow-lowercase", "-allow-multidot", "-l", "-quiet", "-J", "-r", "-V", "config-2", dir) //nolint:gosec // a program of this list
	cmd.Stderr = &problem
	if err := cmd.Run(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", programs[at], err), errors.New(strings.TrimSpace(problem.String())))
	}
	return os.ReadFile(image.Name())
}
