package keystone_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/craton-fleet/craton/keystone"
)

// childVariable makes the test binary a process that signs in and prints its token.
const childVariable = "CRATON_TEST_KEYSTONE_CHILD"

func child() int {
	a, err := keystone.New(keystone.Config{
		AuthURL: os.Getenv("OS_AUTH_URL"), Username: os.Getenv("OS_USERNAME"), Password: os.Getenv("OS_PASSWORD"), ProjectName: os.Getenv("OS_PROJECT_NAME"),
	}, keystone.WithCache(os.Getenv(childVariable)))
	if err == nil {
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		if err = a.Authenticate(context.Background(), r); err == nil {
			fmt.Print(r.Header.Get("X-Auth-Token"))
			return 0
		}
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// TestOneTokenForManyProcesses: twenty processes that start at once make one token, and the next twenty none.
func TestOneTokenForManyProcesses(t *testing.T) {
	t.Parallel()
	k := startKeystone(t)
	_, _, config := k.someone(t)
	folder := filepath.Join(t.TempDir(), "cache", "tokens")
	run := func() string {
		var mu sync.Mutex
		seen := map[string]int{}
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				cmd := exec.CommandContext(t.Context(), os.Args[0])
				cmd.Env = append(os.Environ(), childVariable+"="+folder, "OS_AUTH_URL="+config.AuthURL, "OS_USERNAME="+config.Username,
					"OS_PASSWORD="+config.Password, "OS_PROJECT_NAME="+config.ProjectName)
				var stderr strings.Builder
				cmd.Stderr = &stderr
				out, err := cmd.Output()
				if err != nil {
					t.Errorf("%v: %s", err, stderr.String())
				}
				mu.Lock()
				defer mu.Unlock()
				seen[string(out)]++
			})
		}
		group.Wait()
		if len(seen) != 1 || k.made.Load() != 1 {
			t.Errorf("%d tokens used and %d made, want one", len(seen), k.made.Load())
		}
		for token := range seen {
			return token
		}
		return ""
	}
	token := run()
	if again := run(); again != token {
		t.Error("the second twenty have another token")
	}

	k.Revoke(t, token)
	client := newClient(t, k.api(t), newAuth(t, config, keystone.WithCache(folder)))
	if err := ask(t, client); err != nil || k.made.Load() != 2 {
		t.Errorf("after a revocation: %d tokens made, want 2; %v", k.made.Load(), err)
	}
	if got := tokenOf(t, newAuth(t, config, keystone.WithCache(folder))); got == token || k.made.Load() != 2 {
		t.Errorf("the refused token is in the cache, or %d tokens were made", k.made.Load())
	}
}

// TestCacheIsPrivate: what the cache holds, for whom, and when it does not count.
func TestCacheIsPrivate(t *testing.T) {
	t.Parallel()
	k := startKeystone(t)
	user, _, config := k.someone(t)
	folder := filepath.Join(t.TempDir(), "tokens")
	token := tokenOf(t, newAuth(t, config, keystone.WithCache(folder)))
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(files) != 2 {
		t.Fatalf("files %v, %v", files, err)
	}
	file := strings.TrimSuffix(files[0], filepath.Ext(files[0])) + ".json"
	for path, want := range map[string]os.FileMode{folder: 0o700 | os.ModeDir, files[0]: 0o600, files[1]: 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	content, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(content), token) || strings.Contains(string(content)+file, config.Password) {
		t.Errorf("the file holds %s, %v", content, err)
	}

	made := k.made.Load()
	// used means that the next process takes the token of the file.
	used := func(what string, want bool, c keystone.Config) {
		t.Helper()
		got := tokenOf(t, newAuth(t, c, keystone.WithCache(folder)))
		if k.made.Load() == made != want || got == token != want {
			t.Errorf("%s: the token of the file is used: %v", what, !want)
		}
		made = k.made.Load()
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	used("unchanged", true, config)

	byID := config
	byID.Username, byID.UserID = "", user.ID
	used("the user under its id", false, byID)
	other := k.Project(t, "other")
	k.Grant(t, user, other, "member")
	there := config
	there.ProjectName = other.Name
	used("another project", false, there)
	if tokenOf(t, newAuth(t, there)) == token || k.made.Load() != made+1 {
		t.Error("without a cache there is one")
	}
	made = k.made.Load()

	change := func(path string, mode os.FileMode) {
		t.Helper()
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	change(file, 0o640)
	used("readable by others", false, config)
	change(folder, 0o750)
	used("in a folder of others", false, config)
	change(folder, 0o700)
	if os.Geteuid() == 0 {
		if err := os.Chown(file, 12345, -1); err != nil {
			t.Fatal(err)
		}
		used("of another user", false, config)
		if err := os.Chown(file, 0, -1); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(t.TempDir(), "moved.json")
	if err := os.Rename(file, link); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(link, file); err != nil {
		t.Fatal(err)
	}
	used("a link", false, config)
	if info, err := os.Lstat(file); err != nil || !info.Mode().IsRegular() {
		t.Errorf("the link is still there: %v, %v", info, err)
	}
	for name, text := range map[string]string{"cut": string(content[:len(content)/2]), "empty": "", "of another version": strings.Replace(string(content), `"form":1`, `"form":2`, 1)} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		used(name, false, config)
	}
	if err := syscall.Unlink(file); err != nil {
		t.Fatal(err)
	}
	used("gone", false, config)

	// A changed password is not answered with the old one's token.
	wrong := config
	wrong.Password = "hush-hush"
	for range 2 { // one of 65,536 wrong passwords is taken for the right one
		if _, err := newAuth(t, wrong, keystone.WithCache(folder)).Identity(t.Context()); err == nil {
			wrong.Password += "!"
			continue
		}
		break
	}
	if k.made.Load() != made+1 {
		t.Errorf("Keystone was not asked whether %s is the password", wrong.Password)
	}
	made = k.made.Load()
	used("for the right password", true, config)
}
