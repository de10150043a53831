package openstacktest

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

//go:embed redfish.py
var redfishProgram string

// Redfish is a machine that is managed by Redfish: the fake one of sushy-tools' emulator, for an Ironic with
// [IronicRedfish]. Its power takes up to a second to go on or off, and it is off at first.
type Redfish struct {
	URL            string // http://127.0.0.1:PORT
	System         string // the path of the machine
	User, Password string
	MAC            string // of its one interface

	process *process
}

// RedfishState is what a machine says of itself, in the words of Redfish.
type RedfishState struct {
	Power    string // On or Off
	Device   string // that it boots from, such as Pxe or Hdd; None after it has booted from one that was set for once
	Enabled  string // Once, Continuous or Disabled
	BootMode string // UEFI or Legacy
}

const (
	redfishUUID = "27946b59-9e44-4fa7-8e91-f3527a1ef094"
	redfishMAC  = "52:54:00:fe:d0:01"
)

// redfishConf is the emulator's configuration: Python.
const redfishConf = `
SUSHY_EMULATOR_FAKE_DRIVER = True
SUSHY_EMULATOR_STATE_DIR = "state"
SUSHY_EMULATOR_AUTH_FILE = "htpasswd"
SUSHY_EMULATOR_FAKE_SYSTEMS = [{
    "uuid": "` + redfishUUID + `", "name": "machine", "power_state": "Off", "nics": [{"mac": "` + redfishMAC + `"}],
}]
SUSHY_EMULATOR_STORAGE = {"` + redfishUUID + `": [{
    "Id": "1", "Name": "Disks", "StorageControllers": [{"MemberId": "0", "Name": "Controller", "SpeedGbps": 12}], "Drives": ["disk0"],
}]}
SUSHY_EMULATOR_DRIVES = {("` + redfishUUID + `", "1"): [{
    "Id": "disk0", "Name": "Disk", "CapacityBytes": 107374182400, "Protocol": "SATA",
}]}
SUSHY_EMULATOR_VOLUMES = {("` + redfishUUID + `", "1"): []}
`

// NewRedfish starts a machine for one test. The test is skipped where there is no sushy-tools.
func NewRedfish(t testing.TB) *Redfish {
	t.Helper()
	python := tools(t, "sushy-tools")
	prepared := filepath.Join(t.TempDir(), "redfish")
	err := os.Mkdir(prepared, 0o700)
	for name, text := range map[string]string{"emulator.conf": redfishConf, "htpasswd": ironicUsers} {
		err = errors.Join(err, os.WriteFile(filepath.Join(prepared, name), []byte(text), 0o600))
	}
	if err != nil {
		t.Fatal(err)
	}
	p, url, err := serve(python, prepared, redfishProgram, "/redfish/v1/", func(string, string) ([]string, error) { return nil, nil })
	if err != nil {
		t.Fatalf("cannot start a machine with Redfish: %v", err)
	}
	t.Cleanup(p.stop)
	return &Redfish{URL: url, System: "/redfish/v1/Systems/" + redfishUUID, User: IronicUser, Password: IronicPassword, MAC: redfishMAC, process: p}
}

// State asks the machine, past Ironic.
func (r *Redfish) State(ctx context.Context) (RedfishState, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL+r.System, nil)
	if err != nil {
		return RedfishState{}, err
	}
	req.SetBasicAuth(r.User, r.Password)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return RedfishState{}, err
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	if resp.StatusCode != http.StatusOK {
		return RedfishState{}, fmt.Errorf("the machine answers %s", resp.Status)
	}
	var is struct {
		PowerState string
		Boot       struct{ BootSourceOverrideTarget, BootSourceOverrideEnabled, BootSourceOverrideMode string }
	}
	err = json.NewDecoder(resp.Body).Decode(&is)
	return RedfishState{is.PowerState, is.Boot.BootSourceOverrideTarget, is.Boot.BootSourceOverrideEnabled, is.Boot.BootSourceOverrideMode}, err
}

// Orders are the changes that the machine was asked for so far: a method, a path below the machine's, and JSON.
func (r *Redfish) Orders() ([]string, error) {
	text, err := os.ReadFile(filepath.Join(r.process.dir, "orders"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	all := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	for i := range all {
		all[i] = strings.Replace(all[i], r.System, "", 1)
	}
	return all, err
}
