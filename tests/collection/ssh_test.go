package collection_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/craton-fleet/craton/internal/skip"
)

// overSSH skips the test where there is no SSH server, unless CRATON_TEST_SSH is "required". It starts one on loopback
// that lets this user in by a new key, and returns the variables by which Ansible gets there. It needs no rights but
// this user's; as root it needs the directory that Debian's service makes.
func (h *home) overSSH(t *testing.T) string {
	t.Helper()
	sshd, err := exec.LookPath("sshd")
	if err != nil {
		sshd = "/usr/sbin/sshd"
	}
	for _, program := range []string{sshd, "ssh", "ssh-keygen"} {
		if _, missing := exec.LookPath(program); missing != nil && os.Getenv("CRATON_TEST_SSH") != "required" {
			skip.Packages(t, "openssh-server", "openssh-client")
		}
	}
	if os.Getuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(h.dir, "ssh")
	if err := os.Mkdir(at, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"host", "me"} {
		h.run(t, "/usr/bin/env", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(at, key))
	}
	config := h.write(t, "ssh/config", strings.ReplaceAll(`
HostKey DIR/host
AuthorizedKeysFile DIR/me.pub
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
`, "DIR", at))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(at, "log"))
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { // one process for each connection, as inetd does
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			socket, err := conn.(*net.TCPConn).File()
			_ = conn.Close()
			if err != nil {
				return
			}
			server := exec.CommandContext(t.Context(), sshd, "-i", "-e", "-f", config)
			server.Stdin, server.Stdout, server.Stderr = socket, socket, log
			serving.Go(func() {
				defer socket.Close()
				_ = server.Run()
			})
		}
	})
	t.Cleanup(func() { // the context is done, so the servers are ended, and by that Ansible's lasting connection
		_ = listener.Close()
		serving.Wait()
		_ = log.Close()
		if text, _ := os.ReadFile(log.Name()); t.Failed() {
			t.Logf("the SSH server said:\n%s", text)
		}
	})
	public, err := os.ReadFile(filepath.Join(at, "host.pub"))
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	known := h.write(t, "ssh/known_hosts", fmt.Sprintf("[127.0.0.1]:%d %s", port, public))
	// The path of the lasting connection's socket must be short.
	return fmt.Sprintf("ansible_connection=ssh ansible_host=127.0.0.1 ansible_port=%d ansible_user=%s ansible_ssh_private_key_file=%s "+
		"ansible_remote_tmp=%s ansible_async_dir=%s ansible_ssh_common_args='-F none -o UserKnownHostsFile=%s' ansible_control_path_dir=%s",
		port, me.Username, filepath.Join(at, "me"), filepath.Join(h.dir, "remote"), filepath.Join(h.dir, "async"), known, filepath.Join(scratch, "cp"))
}

// TestSSH: on a machine at the other end of an SSH connection, Ansible copies the program that the machine needs, also
// for another user and for a task that nobody waits for, and leaves nothing there.
func TestSSH(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		hosts := h.write(t, "remote-hosts", "remote "+h.overSSH(t)+"\n")
		open := filepath.Join(h.dir, "open") // where the other user may make a fleet
		if err := errors.Join(os.Mkdir(open, 0o755), os.Chmod(open, 0o777), os.Chmod(h.dir, 0o755), os.Chmod(filepath.Dir(h.dir), 0o755)); err != nil {
			t.Fatal(err)
		}
		// Only root may become another user without a password.
		become, uid := "become_method: craton.test.plain", os.Getuid()
		if uid == 0 {
			nobody, err := user.Lookup("nobody")
			if err != nil {
				t.Fatal(err)
			}
			uid, _ = strconv.Atoi(nobody.Uid)
			become = "become_method: ansible.builtin.su\n      become_user: nobody\n      become_flags: -s /bin/sh"
		} else {
			h.write(t, plainBecomeFile, plainBecome)
		}
		out := h.run(t, "ansible-playbook", "-vvv", "-i", hosts, "-e", "fleet="+h.fleet, "-e", "other=sqlite:"+filepath.Join(open, "fleet.db"), h.write(t, "remote.yml", `
- hosts: remote
  gather_facts: false
  module_defaults: {group/craton.fleet.craton: {url: "{{ fleet }}"}}
  tasks:
    - craton.fleet.craton_cloud: &cloud {name: east, note: "{{ inventory_hostname }}", variables: {day: 2024-01-02}}
      check_mode: true
      register: check
    - craton.fleet.craton_cloud: *cloud
      register: create
    - craton.fleet.craton_cloud: *cloud
      register: again
    - craton.fleet.craton_cloud: {name: later, url: null}
      environment: {CRATON_URL: "{{ fleet }}"}
      async: 60
      poll: 1
      register: later
    - craton.fleet.craton_cloud: {name: theirs, url: "{{ other }}"}
      become: true
      `+become+`
      register: theirs
    - craton.fleet.craton_cloud_info:
      delegate_to: localhost
      vars: {ansible_connection: local}
      register: clouds
    - ansible.builtin.set_fact: {system: Linux, machine: riscv64, cacheable: true}
    - craton.fleet.craton_cloud: *cloud
      register: strange
      ignore_errors: true
    - ansible.builtin.setup: {gather_subset: ['!all', '!min', platform]}
    - craton.fleet.craton_cloud: *cloud
      register: known
    - ansible.builtin.debug:
        msg: "seen results {{ [check, create, again, later, theirs, known] | map(attribute='changed') | list | to_json }}"
    - ansible.builtin.debug: {msg: "seen clouds {{ clouds.clouds | map(attribute='name') | sort | to_json }}"}
    - ansible.builtin.debug: {msg: "seen strange {{ strange.msg | to_json }}"}
`))
		var changed []bool
		var clouds []string
		var strange string
		seen(t, out, "results", &changed)
		seen(t, out, "clouds", &clouds)
		seen(t, out, "strange", &strange)
		if want := []bool{true, true, false, true, true, false}; fmt.Sprint(changed) != fmt.Sprint(want) || fmt.Sprint(clouds) != "[east later]" {
			t.Errorf("changed %v, clouds %v", changed, clouds)
		}
		if !strings.Contains(strange, "this task runs on linux/riscv64. Delegate it to localhost") {
			t.Error(strange)
		}
		if n := strings.Count(out, "PUT "); n < 6 {
			t.Errorf("%d files were sent", n)
		}
		info, err := os.Stat(filepath.Join(open, "fleet.db"))
		if err != nil {
			t.Fatal(err)
		}
		if owner := info.Sys().(*syscall.Stat_t).Uid; int(owner) != uid {
			t.Errorf("the other user's fleet belongs to %d, not to %d", owner, uid)
		}
		// What watches the asynchronous task looks every five seconds whether it has ended, and tidies up then.
		for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
			left, err := os.ReadDir(filepath.Join(h.dir, "remote"))
			if err == nil && len(left) > 0 && time.Now().Before(end) {
				continue
			}
			if err != nil || len(left) > 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
			break
		}
	})
}
