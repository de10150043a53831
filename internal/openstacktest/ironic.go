package openstacktest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/internal/retry"
)

// IronicPageSize is the most objects that a page of an Ironic here holds, so that few nodes fill several.
const IronicPageSize = 20

// IronicDriver is the one hardware type of an Ironic here. It needs no
// hardware: power goes on and off, and a deployment succeeds.
const IronicDriver = "fake-hardware"

// Ironic is a running Ironic: the API and a conductor in one process.
type Ironic struct {
	URL string // http://127.0.0.1:PORT, without /v1

	process *process
}

// An IronicOption configures an Ironic of one's own.
type IronicOption func(*ironicConfig)

type ironicConfig struct {
	release  string
	keystone *Keystone
	basic    bool
	pageSize int
	redfish  bool
}

// IronicRelease makes Ironic serve the API of an earlier release of itself, as in the course of an upgrade: "9.2" has
// 1.35 as its last version, "11.0" 1.43.
func IronicRelease(release string) IronicOption {
	return func(c *ironicConfig) { c.release = release }
}

// IronicBehind makes Ironic ask for tokens of a Keystone; otherwise it asks for no credentials.
func IronicBehind(k *Keystone) IronicOption {
	return func(c *ironicConfig) { c.keystone = k }
}

// The user of an Ironic that stands alone and has users of its own, and its password as that Ironic's file has it.
const (
	IronicUser     = "operator"
	IronicPassword = "standalone-password"
	ironicUsers    = IronicUser + ":$2b$04$M5ddbmK/sQOUINu7psPgregQu3cWUGPaDYlePdpqskP0dRhzbXKoa\n"
)

// IronicBasic makes Ironic ask for a name and a password with each request, those of [IronicUser].
func IronicBasic() IronicOption {
	return func(c *ironicConfig) { c.basic = true }
}

// IronicRedfish gives Ironic the hardware type redfish too, for a [NewRedfish].
func IronicRedfish() IronicOption {
	return func(c *ironicConfig) { c.redfish = true }
}

// IronicPages makes pages of Ironic hold n objects at most instead of [IronicPageSize]; Ironic's own default is 1000.
func IronicPages(n int) IronicOption {
	return func(c *ironicConfig) { c.pageSize = n }
}

const (
	ironicPackage  = "python3-ironic"
	ironicVariable = "CRATON_TEST_IRONIC"
)

var (
	sharedIronic         = sync.OnceValues(func() (*Ironic, error) { return newIronic(ironicConfig{}) })
	sharedIronicKeystone = sync.OnceValues(func() (*Ironic, error) {
		k, err := sharedKeystone()
		if err != nil {
			return nil, err
		}
		return newIronic(ironicConfig{keystone: k})
	})
)

// StartIronic returns the Ironic without credentials that the tests of a package share. It runs until the test process
// ends. Other tests make and remove nodes meanwhile: a test narrows what it reads, to the class of [Ironic.Nodes] for
// instance, or takes a [NewIronic].
func StartIronic(t testing.TB) *Ironic {
	t.Helper()
	needIronic(t)
	return ironicOr(t)(sharedIronic())
}

// StartIronicBehindKeystone returns the Ironic that the tests of a package share which asks for tokens of the Keystone
// that they share. Its policy is Ironic's own: who has the role admin in the project "admin" may do all, a reader of it
// may read.
func StartIronicBehindKeystone(t testing.TB) (*Ironic, *Keystone) {
	t.Helper()
	needIronic(t)
	k := StartKeystone(t)
	return ironicOr(t)(sharedIronicKeystone()), k
}

// NewIronic starts an Ironic for one test.
func NewIronic(t testing.TB, options ...IronicOption) *Ironic {
	t.Helper()
	needIronic(t)
	i := ironicOr(t)(RunIronic(options...))
	t.Cleanup(i.Stop)
	return i
}

// RunIronic starts an Ironic for a program that is no test, which ends with
// [Ironic.Stop]. The error is [ErrMissing] where there is none.
func RunIronic(options ...IronicOption) (*Ironic, error) {
	var config ironicConfig
	for _, o := range options {
		o(&config)
	}
	return newIronic(config)
}

// Stop ends an Ironic of one's own, and waits for its end.
func (i *Ironic) Stop() { i.process.stop() }

func ironicOr(t testing.TB) func(*Ironic, error) *Ironic {
	return func(i *Ironic, err error) *Ironic {
		t.Helper()
		if err != nil {
			t.Fatalf("cannot start Ironic: %v", err)
		}
		return i
	}
}

func newIronic(config ironicConfig) (*Ironic, error) {
	from, err := ironicSourceHere()
	if err != nil {
		return nil, err
	}
	prepared, err := preparedIronic(from)
	if err != nil {
		return nil, err
	}
	p, endpoint, err := serve(from.python, prepared, from.serve, "/v1", func(dir, _ string) ([]string, error) { return nil, config.write(dir, from) })
	if err != nil {
		return nil, err
	}
	return &Ironic{URL: endpoint, process: p}, nil
}

// ironicConf is ironic.conf. No periodic work disturbs, and no node is cleaned on its way to being available.
const ironicConf = `[DEFAULT]
rpc_transport = json-rpc
host = localhost
enabled_hardware_types = ` + IronicDriver + `
%s
enabled_network_interfaces = noop
enabled_storage_interfaces = noop
[database]
connection = sqlite:///ironic.db?timeout=60
sqlite_synchronous = false
[json_rpc]
auth_strategy = noauth
host_ip = 127.0.0.1
[api]
max_limit = %d
api_workers = 1
[conductor]
automated_clean = false
sync_power_state_interval = 0
node_locked_retry_attempts = 1
[dhcp]
dhcp_provider = none
[oslo_messaging_notifications]
driver = noop
`

// write makes ironic.conf in dir.
func (c ironicConfig) write(dir string, from *ironicSource) error {
	var fakes []string
	for _, kind := range strings.Fields("bios boot console deploy inspect management power raid rescue vendor") {
		fakes = append(fakes, "enabled_"+kind+"_interfaces = fake")
	}
	text := fmt.Sprintf(ironicConf, strings.Join(fakes, "\n"), cmp.Or(c.pageSize, IronicPageSize))
	options := from.conf + "[DEFAULT]\nauth_strategy = noauth\n"
	if c.basic {
		options = from.conf + "[DEFAULT]\nauth_strategy = http_basic\nhttp_basic_auth_user_file = htpasswd\n"
		if err := os.WriteFile(filepath.Join(dir, "htpasswd"), []byte(ironicUsers), 0o600); err != nil {
			return err
		}
	}
	if c.keystone != nil {
		options = from.conf + fmt.Sprintf(ironicKeystoneConf, c.keystone.URL, AdminUser, AdminPassword, AdminProject, DomainID)
	}
	if c.release != "" {
		options += "[DEFAULT]\npin_release_version = " + c.release + "\n"
	}
	if c.redfish {
		options += ironicRedfishConf
	}
	return os.WriteFile(filepath.Join(dir, "ironic.conf"), []byte(text+options), 0o600)
}

// ironicKeystoneConf replaces the configuration without credentials. Ironic asks Keystone about tokens as the admin,
// each time, so that a revoked one is refused at once.
const ironicKeystoneConf = `[DEFAULT]
auth_strategy = keystone
[keystone_authtoken]
www_authenticate_uri = %[1]s
auth_url = %[1]s
auth_type = password
token_cache_time = -1
username = %[2]s
password = %[3]s
project_name = %[4]s
user_domain_id = %[5]s
project_domain_id = %[5]s
`

// ironicRedfishConf adds hardware that is managed by Redfish. What is deployed to it is an image of a CD, which it
// fetches itself.
const ironicRedfishConf = `[DEFAULT]
enabled_hardware_types = ` + IronicDriver + `,redfish
enabled_bios_interfaces = fake,no-bios
enabled_boot_interfaces = fake,redfish-virtual-media
enabled_console_interfaces = fake,no-console
enabled_deploy_interfaces = fake,ramdisk
enabled_firmware_interfaces = fake,no-firmware
enabled_inspect_interfaces = fake,redfish
enabled_management_interfaces = fake,redfish
enabled_power_interfaces = fake,redfish
enabled_raid_interfaces = fake,no-raid
enabled_rescue_interfaces = fake,no-rescue
enabled_vendor_interfaces = fake,no-vendor
[deploy]
ramdisk_image_download_source = http
[redfish]
connection_attempts = 1
use_swift = false
`

// Nodes makes n nodes of the fake hardware, as many at a time as Ironic likes, and returns their resource class, by
// which a list finds them among those of other tests, and their names, sorted. The token is for an Ironic behind
// Keystone.
func (i *Ironic) Nodes(t testing.TB, n int, token string) (class string, names []string) {
	t.Helper()
	class = unique("class")
	var work errgroup.Group
	work.SetLimit(4)
	for at := range n {
		name := fmt.Sprintf("%s-node-%04d", class, at)
		names = append(names, name)
		work.Go(func() error { return i.node(t.Context(), class, name, token) })
	}
	if err := work.Wait(); err != nil {
		t.Fatalf("Ironic: create nodes: %v", err)
	}
	return class, names
}

// node makes a node. It asks again after a 503, with which Ironic answers when a busy Keystone does not say what a
// token is.
func (i *Ironic) node(ctx context.Context, class, name, token string) error {
	return retry.Pauses{First: 100 * time.Millisecond, Max: 2 * time.Second}.Do(ctx, func(n int) (again bool, err error) {
		status, err := i.tryNode(ctx, class, name, token)
		return status == http.StatusServiceUnavailable && n < 5, err
	})
}

func (i *Ironic) tryNode(ctx context.Context, class, name, token string) (status int, err error) {
	body, err := json.Marshal(map[string]any{
		"driver": IronicDriver, "name": name, "resource_class": class, "extra": map[string]any{"made_by": "tests"},
	})
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, i.URL+"/v1/nodes", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-OpenStack-Ironic-API-Version", "1.35")
	req.Header.Set("X-Auth-Token", token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusCreated {
		err = fmt.Errorf("%s: %s", resp.Status, answer)
	}
	return resp.StatusCode, err
}

// preparedIronic returns a directory with an empty database.
func preparedIronic(from *ironicSource) (string, error) {
	return cached(ironicPackage, from.version, ironicConf+from.conf+from.create, func(dir string) error {
		if err := (ironicConfig{}).write(dir, from); err != nil {
			return err
		}
		if err := run(from.python, dir, nil, "-I", "-c", from.create, "--config-file", "ironic.conf", "create_schema"); err != nil {
			return err
		}
		return os.Remove(filepath.Join(dir, "ironic.conf"))
	})
}
