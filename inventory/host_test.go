package inventory

import (
	"context"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/wording"
)

// TestHostReadsOnlyWhatItNeeds: no request of --host depends on the size of the fleet.
func TestHostReadsOnlyWhatItNeeds(t *testing.T) {
	t.Parallel()
	f := fleetOf(1000)
	if _, err := Host(context.Background(), f.client(), DefaultOptions(), "h00999"); err != nil {
		t.Fatal(err)
	}
	// The host and the empty page after it, its parent, cell, region, cloud, and the project.
	if len(f.asked()) > 7 {
		t.Errorf("%d requests: %q", len(f.asked()), f.asked())
	}
}

func TestHostErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		host   string
		change func(*Options)
		want   string
	}{
		"unknown":          {"nobody", nil, `no host is called "nobody"`},
		"wrong case":       {"WEB-01.example.net", nil, `no host is called "WEB-01.example.net"`},
		"network device":   {"tor-a1", nil, `no host is called "tor-a1"`},
		"cloud":            {"web-01.example.net", func(o *Options) { o.Clouds = []string{"west-2"} }, `the host "web-01.example.net" exists, but the filter "clouds" excludes it`},
		"region":           {"web-01.example.net", func(o *Options) { o.Regions = []string{"iad"} }, `the filter "regions" excludes it`},
		"cell":             {"web-01.example.net", func(o *Options) { o.Cells = []string{"c 2"} }, `the filter "cells" excludes it`},
		"unknown place":    {"web-01.example.net", func(o *Options) { o.Cells = []string{"nowhere"} }, `"nowhere" ... cells`},
		"label":            {"web-01.example.net", func(o *Options) { o.Labels = []string{"db"} }, `the filter "labels" excludes it`},
		"label, no groups": {"web-01.example.net", func(o *Options) { o.Labels, o.Groups = []string{"db"}, nil }, `the filter "labels" excludes it`},
		"device type":      {"web-01.example.net", func(o *Options) { o.DeviceTypes = []string{"bastion"} }, `the filter "device_types" excludes it`},
		"inactive":         {"web-02.example.net", func(o *Options) { o.ActiveOnly = true }, `the filter "active_only" excludes it`},
		"vars":             {"db-01.example.net", func(o *Options) { o.VarsFilter = `mtu:9000` }, `the filter "vars_filter" excludes it`},
		"qualified":        {"west-2/dfw/web-01.example.net", func(o *Options) { o.Hostname = Qualified }, `no host is called`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, tells := range []bool{true, false} {
				o := DefaultOptions()
				if c.change != nil {
					c.change(&o)
				}
				f := believable()
				f.tells = tells
				got, err := Host(context.Background(), f.client(), o, c.host)
				if err == nil || !wording.Has(err.Error(), c.want) {
					t.Errorf("tells labels %v: %s, error %v\nwant %s", tells, got, err, c.want)
				}
			}
		})
	}
}

// TestHostHonoursFilters: a host that the filters let through is given as ever.
func TestHostHonoursFilters(t *testing.T) {
	t.Parallel()
	for _, tells := range []bool{true, false} {
		o := DefaultOptions()
		o.Clouds, o.Regions, o.Cells = []string{"east"}, []string{"dfw"}, []string{"c1"}
		o.Labels, o.DeviceTypes, o.ActiveOnly, o.VarsFilter = []string{"db", "web"}, []string{"server"}, true, `mtu:9000`
		for _, groups := range [][]GroupKind{DefaultOptions().Groups, nil} {
			o.Groups = groups
			f := believable()
			f.tells = tells
			got, err := Host(context.Background(), f.client(), o, "web-01.example.net")
			if err != nil || !strings.Contains(f.document(t, o), string(got)) {
				t.Errorf("%s, error %v", got, err)
			}
		}
	}
}

func TestHostWithTwins(t *testing.T) {
	t.Parallel()
	f := believable()
	f.host(f.get("regions", 2), "web-01.example.net", nil, nil)
	o := DefaultOptions()
	_, err := Host(context.Background(), f.client(), o, "web-01.example.net")
	if err == nil || !strings.Contains(err.Error(), `two hosts are called "web-01.example.net" in the inventory: host "web-01.example.net" (id 3) in`) ||
		!strings.Contains(err.Error(), "set hostname to qualified") {
		t.Errorf("error %v", err)
	}
	// A filter that leaves one of them settles it.
	o.Regions = []string{"iad"}
	if _, err := Host(context.Background(), f.client(), o, "web-01.example.net"); err != nil {
		t.Error(err)
	}
}

// TestHostByAddressInAnotherSpelling: the original compares IPv6 addresses with the text once written (Q3).
func TestHostByAddressInAnotherSpelling(t *testing.T) {
	t.Parallel()
	f := believable()
	f.spelled = map[int]string{5: "2001:DB8:0:0::1"}
	o := DefaultOptions()
	o.Hostname = ByIPAddress
	got, err := Host(context.Background(), f.client(), o, "2001:db8::1")
	if err != nil || !strings.Contains(string(got), `"name":"bastion.example.net"`) {
		t.Errorf("%s, error %v", got, err)
	}
}
