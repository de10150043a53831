package openstacktest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// ironicPython names a Python that has a newer Ironic than Debian's, which is then the one of all tests:
// tests/newest-ironic installs one, and sets it.
const ironicPython = "CRATON_TEST_IRONIC_PYTHON"

// ironicSource is where an Ironic comes from.
type ironicSource struct {
	python  string // that has it
	version string
	serve   string // a program that runs it
	create  string // a program that makes an empty database
	conf    string // what it wants beside ironicConf
}

// ironicSourceHere is where this process has its Ironic from.
var ironicSourceHere = sync.OnceValues(func() (*ironicSource, error) {
	if python := os.Getenv(ironicPython); python != "" {
		out, err := exec.CommandContext(context.Background(), python, "-I", "-c", `from importlib.metadata import version; print(version("ironic"))`).Output()
		if err != nil {
			return nil, fmt.Errorf("%s=%s: %w", ironicPython, python, err)
		}
		return &ironicSource{python, strings.TrimSpace(string(out)), serveNewIronic, createNewIronic, newIronicConf}, nil
	}
	version, err := installed(ironicPackage)
	return &ironicSource{debian, version, serveIronic, createIronic, ""}, err
})

// NewestIronicVersion is the last version of the API that the newest Ironic has.
const NewestIronicVersion = "1.115"

// NewestIronic reports whether the Ironic of the tests is one from PyPI, and not Debian's.
func NewestIronic() bool { return os.Getenv(ironicPython) != "" }

// needIronic skips or fails the test where there is no Ironic.
func needIronic(t testing.TB) {
	t.Helper()
	if !NewestIronic() {
		need(t, ironicPackage, ironicVariable)
	}
}

// serveIronic runs the all-in-one process with the API on the socket that is file descriptor 3. The conductor's own
// server gets any free port; its number must be in the configuration before that is read.
const serveIronic = `
import ironic.cmd  # makes sockets cooperative, so it comes first
import socket, sys
from oslo_service import wsgi

rpc = socket.create_server(("127.0.0.1", 0))
with open("rpc.conf", "w") as f:
    f.write("[json_rpc]\nport = %d\n" % rpc.getsockname()[1])
api = socket.socket(fileno=3)
wsgi.Server._get_socket = lambda self, *_: api if self.name == "ironic_api" else rpc

from ironic.cmd.singleprocess import main
sys.argv = ["ironic", "--config-file", "ironic.conf", "--config-file", "rpc.conf"]
main()
`

// serveNewIronic does the same for a release that has threads. It would start a second process, which knew nothing of
// this program.
const serveNewIronic = `
import ironic.command  # chooses threads, so it comes first
import socket, sys
from cheroot.server import HTTPServer
from ironic.common import service

def bind(self, *_):
    self.socket = socket.socket(fileno=3)
    self.bind_addr = self.socket.getsockname()
HTTPServer.bind = bind
launcher = service.process_launcher
service.process_launcher = lambda **_: launcher(no_fork=True)

from ironic.command.singleprocess import main
sys.argv = ["ironic", "--config-file", "ironic.conf"]
main()
`

// newIronicConf has the API call the conductor, as a standalone Ironic does: a server of its own would give that a name
// with its port.
const newIronicConf = `[DEFAULT]
rpc_transport = none
enabled_firmware_interfaces = fake
`

// createIronic makes an empty database. A number is given to one node only, as other databases than SQLite do anyway:
// Ironic looks for the lock of a node that it has removed by number, and would find the one that a test has created at
// the same moment.
const (
	createIronic    = "from ironic.cmd.dbsync import main" + numberOnce
	createNewIronic = "from ironic.command.dbsync import main" + numberOnce
	numberOnce      = `
import sys
from ironic.db.sqlalchemy import models
models.Node.__table__.dialect_options["sqlite"]["autoincrement"] = True
sys.exit(main())
`
)
