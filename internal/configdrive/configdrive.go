// Package configdrive converts to a config drive for Ironic: a drive itself (packed by gzip, in base64, or its URL), a
// JSON object from which Ironic builds one, a file with either or with an image, or a directory with its contents.
package configdrive

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/value"
)

// packed is the beginning of gzip data, in base64.
const packed = "H4sI"

// MaxSize is the maximum size of a config drive in bytes: a larger one fails when the node writes it, long after the
// request for the deployment was accepted.
const MaxSize = 64 << 20

// maxFile is the maximum length of the file of a drive: one in base64 that compression does not make smaller.
const maxFile = MaxSize/3*4 + 1<<20

// Read returns the config drive for a word, as JSON for the API. Errors never contain its content.
func Read(ctx context.Context, word string) (json.RawMessage, error) {
	word = strings.TrimSpace(word)
	if word == "" {
		return nil, errors.New("it is empty; omit it to deploy without a config drive")
	}
	if drive, err := itself(word, "it"); drive != nil || err != nil {
		return drive, err
	}
	info, err := os.Stat(word)
	if err != nil {
		return nil, fmt.Errorf("%s is neither a file nor a config drive: a config drive begins with %s (base64-encoded gzip), or is a JSON object or a URL", shown(word), packed)
	}
	if info.IsDir() {
		return ofDirectory(ctx, word)
	}
	file, err := os.Open(word)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	return From(file, word)
}

// From returns the config drive in a file, which errors call by its name.
func From(file io.Reader, name string) (json.RawMessage, error) {
	content, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(content) > maxFile:
		return nil, tooLarge(name)
	}
	word := string(bytes.TrimSpace(content))
	if word == "" {
		return nil, fmt.Errorf("%s is empty; a config drive is an ISO 9660 image (plain, compressed with gzip, or that in base64), a JSON object, or a URL", name)
	}
	if drive, err := itself(word, name); drive != nil || err != nil {
		return drive, err
	}
	const identifier, at = "CD001", 32769 // of an ISO 9660 image
	switch {
	case bytes.HasPrefix(content, []byte{0x1f, 0x8b}):
		if err := checkGzip(content, name); err != nil {
			return nil, err
		}
		return text(base64.StdEncoding.EncodeToString(content)), nil
	case len(content) > at && bytes.HasPrefix(content[at:], []byte(identifier)):
		return pack(content, name)
	}
	return nil, fmt.Errorf("%s is not a config drive, which is an ISO 9660 image (plain, compressed with gzip, or that in base64), a JSON object, or a URL", name)
}

// IsPath reports whether a word can only be a path. A drive in base64 whose beginning was lost may begin with a slash,
// but is longer.
func IsPath(word string) bool {
	return short(word) && strings.HasPrefix(strings.TrimLeft(word, ".~"), "/")
}

// short reports whether a word can be a path: user data and broken drives contain spaces, or are longer.
func short(word string) bool {
	const most = 255
	return len(word) <= most && !strings.ContainsFunc(word, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}

// shown returns a word for an error: completely, so that it can be masked if it is a secret, or nothing of it.
func shown(word string) string {
	if short(word) {
		return strconv.Quote(word)
	}
	return fmt.Sprintf("a text of %d characters", utf8.RuneCountInString(word))
}

// itself returns a word that the API accepts unchanged, which errors call by a name; nil if it is not one.
func itself(word, name string) (json.RawMessage, error) {
	switch {
	case strings.HasPrefix(word, packed):
		joined := strings.Join(strings.Fields(word), "") // base64 programs wrap lines
		data, err := base64.StdEncoding.DecodeString(joined)
		if err != nil {
			return nil, fmt.Errorf("%s begins like base64-encoded gzip, but is not valid base64 from byte %d: it may have been truncated", name, badByte(err))
		}
		if err := checkGzip(data, name); err != nil {
			return nil, err
		}
		return text(joined), nil
	case strings.Contains(word, "://") && !strings.ContainsAny(word, " \n"):
		return text(word), nil
	case gjson.Valid(word) && gjson.Parse(word).IsObject():
		return json.RawMessage(word), checkObject(gjson.Parse(word), name)
	}
	return nil, nil
}

// badByte returns the end of valid base64.
func badByte(err error) int64 {
	at, _ := errors.AsType[base64.CorruptInputError](err)
	return int64(at)
}

// checkGzip refuses incomplete gzip data, and more than a drive can contain.
func checkGzip(data []byte, name string) error {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err == nil {
		var n int64
		if n, err = io.Copy(io.Discard, io.LimitReader(z, MaxSize+1)); n > MaxSize {
			return tooLarge(name)
		}
		if n == 0 && err == nil {
			return fmt.Errorf("%s is gzip data without content: it contains no config drive", name)
		}
	}
	if err != nil {
		return fmt.Errorf("%s is not complete gzip data (%w): it may have been truncated", name, err)
	}
	return nil
}

// checkObject refuses an object from which Ironic cannot build a drive.
func checkObject(object gjson.Result, name string) error {
	if len(object.Raw) > MaxSize {
		return tooLarge(name)
	}
	fields := 0
	var odd error
	object.ForEach(func(key, inner gjson.Result) bool {
		fields++
		known := slices.Sorted(maps.Values(parts))
		switch isText := inner.Type == gjson.String; {
		case !slices.Contains(known, key.Str):
			odd = fmt.Errorf("%s has the key %q; the keys of a config drive are %s", name, key.Str, strings.Join(known, ", "))
		case key.Str == userData && (isText || inner.IsObject() || inner.IsArray() || inner.Type == gjson.Null):
		case key.Str == userData:
			odd = fmt.Errorf("%s: %s is neither text nor a JSON object or list", name, key.Str)
		case !inner.IsObject():
			odd = fmt.Errorf("%s: %s is not a JSON object", name, key.Str)
		}
		return odd == nil
	})
	if fields == 0 {
		return fmt.Errorf("%s is an empty object; omit it to deploy without a config drive", name)
	}
	return odd
}

func tooLarge(name string) error {
	return fmt.Errorf("%s is too large: a config drive can have %d MiB of data; let the node fetch the rest when it has booted", name, MaxSize>>20)
}

func text(s string) json.RawMessage {
	raw, err := value.Encode(s)
	if err != nil {
		panic(err) // a text can be encoded
	}
	return bytes.TrimSpace(raw)
}

// pack converts an image to the form for the API.
func pack(image []byte, name string) (json.RawMessage, error) {
	if len(image) > MaxSize {
		return nil, tooLarge(name)
	}
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

const userData = "user_data" // the part that is not JSON

// parts are the files from which Ironic itself builds a drive, with their names in the object.
var parts = map[string]string{"meta_data.json": "meta_data", "network_data.json": "network_data", "vendor_data.json": "vendor_data", userData: userData}

// ofDirectory returns a drive with the contents of a directory: as an object if Ironic can build it, or else as an
// image, which needs a program.
func ofDirectory(ctx context.Context, dir string) (json.RawMessage, error) {
	if info, err := os.Stat(filepath.Join(dir, "openstack")); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("the directory %s has no subdirectory openstack, which a config drive must have", dir)
	}
	var size int64
	links, err := check(dir, nil, &size)
	if err != nil {
		return nil, err
	}
	object, err := buildable(dir)
	if err != nil {
		return nil, err
	}
	if object != nil {
		return object, checkObject(gjson.ParseBytes(object), dir)
	}
	from := dir
	if links {
		complete, err := os.MkdirTemp("", "config-drive-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(complete) //nolint:errcheck // a temporary directory
		if err := followed(complete, dir); err != nil {
			return nil, err
		}
		from = complete
	}
	image, err := makeImage(ctx, from)
	if err != nil {
		return nil, err
	}
	return pack(image, dir)
}

// check refuses a directory that contains anything but files and directories, or links to them: a pipe would block, and
// a device could be endless. links reports whether there are links. above are the directories around dir, and size is
// the total size of the files so far.
func check(dir string, above []os.FileInfo, size *int64) (links bool, err error) {
	info, err := os.Stat(dir)
	if err != nil {
		return false, err
	}
	if slices.ContainsFunc(above, func(other os.FileInfo) bool { return os.SameFile(info, other) }) {
		return false, fmt.Errorf("%s is a link to a directory that contains it; remove it", dir)
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
			return false, fmt.Errorf("%s is a broken link: %w", path, err)
		case err != nil:
			return false, err
		case info.IsDir():
			inside, err := check(path, above, size)
			if err != nil {
				return false, err
			}
			links = links || inside
		case !info.Mode().IsRegular():
			return false, fmt.Errorf("%s is not a regular file; a config drive can contain only files and directories", path)
		default:
			if *size += info.Size(); *size > MaxSize {
				return false, tooLarge("what is in " + dir)
			}
		}
	}
	return links, nil
}

// followed copies a directory that check has accepted, with links replaced by what they lead to: in an image they would
// lead nowhere, and programs for images treat them differently.
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

// buildable returns the object for a directory that contains only what Ironic can build a drive from, in
// openstack/latest; nil for any other.
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
		case key != userData && !(gjson.ValidBytes(content) && gjson.ParseBytes(content).IsObject()):
			return nil, fmt.Errorf("%s is not a JSON object", filepath.Join(latest, e.Name()))
		case key != userData:
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

// programs create images; they take the same arguments.
var programs = []string{"genisoimage", "mkisofs", "xorrisofs"}

// makeImage runs a program that creates the image of a directory.
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
