package server_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// recordedInventory is the inventory of the fleet that the recorded requests have built when they ask for it: region r1
// is in two clouds, so both groups have their cloud's name; cell c1 has hosts, c2b is only a child.
const recordedInventory = `{
  "_meta": {
    "hostvars": {
      "10.20.0.11": {
        "console": "10.10.1.100",
        "dns": [
          "10.0.0.1",
          "10.0.0.2"
        ],
        "empty": "",
        "level": "host",
        "nested": {
          "y": 3
        },
        "none": null,
        "ntp": "ntp2.east",
        "off": false,
        "p_only": true,
        "role": "backend",
        "store": "swift",
        "tuning": {
          "hugepages": 64
        },
        "uplink": "et-0",
        "zero": 0
      },
      "10.20.0.13": {
        "console": "10.10.1.100",
        "dns": [
          "10.0.0.1",
          "10.0.0.2"
        ],
        "empty": "",
        "level": "host",
        "nested": {
          "y": 3
        },
        "none": null,
        "ntp": "ntp2.east",
        "off": false,
        "p_only": true,
        "role": "backend",
        "store": "swift",
        "tuning": {
          "hugepages": 64
        },
        "uplink": "et-0",
        "zero": 0
      },
      "10.20.0.22": {
        "dns": [
          "10.0.0.1",
          "10.0.0.2"
        ],
        "empty": "",
        "level": "region",
        "nested": {
          "y": 3
        },
        "none": null,
        "ntp": "ntp2.east",
        "off": false,
        "p_only": true,
        "store": "swift",
        "zero": 0
      },
      "2001:db8::1": {
        "dns": [
          "10.0.0.1",
          "10.0.0.2"
        ],
        "k": "v",
        "level": "project",
        "ntp": "ntp.project",
        "p_only": true
      }
    }
  },
  "all": {
    "hosts": [
      "10.20.0.11",
      "10.20.0.13",
      "10.20.0.22",
      "2001:db8::1"
    ]
  },
  "east-r1": {
    "children": [
      "r1-c1",
      "r1-c2b"
    ],
    "hosts": [
      "10.20.0.22"
    ],
    "vars": {
      "level": "region",
      "nested": {
        "y": 3
      },
      "store": "swift"
    }
  },
  "r1-c1": {
    "hosts": [
      "10.20.0.11",
      "10.20.0.13"
    ],
    "vars": {
      "console": "10.10.1.100",
      "level": "cell"
    }
  },
  "web": {
    "hosts": [
      "10.20.0.11"
    ],
    "vars": {}
  },
  "west2-r1": {
    "children": [],
    "hosts": [
      "2001:db8::1"
    ],
    "vars": {}
  }
}
`

func TestAnsibleInventory(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.place("east", "r1", "c1")
	f.must(f.root, 201, "POST", "/v1/regions", `{"name":"r2","cloud_id":1}`)
	host := func(name, ip, more string) {
		f.must(f.root, 201, "POST", "/v1/hosts", `{"name":"`+name+`","ip_address":"`+ip+`","device_type":"server","cloud_id":1`+more+`}`)
	}
	host("a", "10.0.0.10", `,"region_id":1,"cell_id":1,"labels":["web","all"]`)
	host("b", "10.0.0.9", `,"region_id":1,"cell_id":1`)
	host("c", "10.0.1.1", `,"region_id":2`)
	r := f.must(f.root, 200, "GET", "/v1/ansible-inventory", "")
	hosts := func(group string) any { return r.JSON[group].(map[string]any)["hosts"] }
	if diff := cmp.Diff([]any{"10.0.0.9", "10.0.0.10", "10.0.1.1"}, hosts("all")); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]any{"10.0.0.9", "10.0.0.10"}, hosts("r1-c1")); diff != "" {
		t.Errorf("r1-c1 (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]any{"10.0.1.1"}, hosts("r2")); diff != "" {
		t.Errorf("r2 (-want +got):\n%s", diff)
	}

	r = f.must(f.root, 200, "GET", "/v1/ansible-inventory?region_id=2", "")
	if diff := cmp.Diff([]any{"10.0.1.1"}, hosts("all")); diff != "" {
		t.Errorf("region 2 (-want +got):\n%s", diff)
	}
	r = f.must(f.root, 200, "GET", "/v1/ansible-inventory?cell_id=x", "")
	if diff := cmp.Diff([]any{}, hosts("all")); diff != "" {
		t.Errorf("cell x (-want +got):\n%s", diff)
	}
	f.must(f.root, 400, "GET", "/v1/ansible-inventory?limit=10", "")

	// A label that is called like a region leaves the region its cloud's name.
	f.must(f.root, 200, "PUT", "/v1/hosts/1/labels", `{"labels":["r2"]}`)
	r = f.must(f.root, 200, "GET", "/v1/ansible-inventory", "")
	if r.JSON["east-r2"] == nil || len(hosts("r2").([]any)) != 1 {
		t.Errorf("label and region r2: %s", r.Text)
	}
	f.must(f.root, 200, "PUT", "/v1/hosts/1/labels", `{"labels":["east-r2"]}`)
	if r := f.must(f.root, 409, "GET", "/v1/ansible-inventory", ""); !strings.Contains(r.message(), `"east-r2"`) {
		t.Errorf("message %q does not name the group", r.message())
	}
	f.must(f.root, 204, "DELETE", "/v1/hosts/1/labels", `{"labels":["east-r2"]}`)
	host("d", "10.0.0.9", `,"region_id":2`)
	if r := f.must(f.root, 409, "GET", "/v1/ansible-inventory", ""); !strings.Contains(r.message(), `"b" (id 2) and "d" (id 4)`) {
		t.Errorf("message %q does not name both hosts", r.message())
	}
	f.must(f.root, 200, "GET", "/v1/ansible-inventory?region_id=1", "")
}
