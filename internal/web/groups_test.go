package web_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/web"
	"github.com/craton-fleet/craton/inventory"
)

// TestGroups: a host's page says which groups the inventory puts it into, by the settings of who looks, then as now;
// each leads to what is in it.
func TestGroups(t *testing.T) {
	t.Parallel()
	f := newFixture(t, smallFleet)
	revision := f.revision()
	page := f.at("web-01")
	doc := f.read(page)
	text := strings.Join(strings.Fields(doc.text), " ")
	has(t, text, "In the inventory The name is web-01. Groups: cell_east_dfw_c1 cloud_east craton label_web region_east_dfw type_server")
	if strings.Contains(text, "the default settings of the inventory") {
		t.Error("the settings are known")
	}
	for _, want := range []string{"/ui/hosts?where=label%3Dweb", "/ui/hosts?where=type%3Dserver", "/ui/cells/1", "/ui/regions/1", "/ui/clouds/1", "/ui/hosts"} {
		if !slices.Contains(doc.links, want) {
			t.Errorf("no link to %s: %v", want, doc.links)
		}
	}
	f.apply(strings.Replace(smallFleet, "labels: [web], variables: {ntp: 10.0.0.1", "labels: [db], variables: {ntp: 10.0.0.1", 1))
	has(t, f.words(page), "label_db")
	if text := f.words(page + "?at=" + revision); strings.Contains(text, "label_db") {
		t.Errorf("then:\n%s", text)
	}
	var twin struct {
		Inventory struct {
			Name, Filter string
			Groups       []string
		}
	}
	if err := json.Unmarshal(f.get(page+".json").Body.Bytes(), &twin); err != nil || twin.Inventory.Name != "web-01" || !slices.Contains(twin.Inventory.Groups, "label_db") {
		t.Errorf("%v %+v", err, twin)
	}

	shows := func(o *inventory.Options) string {
		f.page = web.New(web.Options{Client: func(*http.Request) (*craton.Client, error) { return f.client, nil }, Inventory: o})
		return f.words(page)
	}
	has(t, shows(nil), "cloud_east", "the default settings of the inventory")
	o := inventory.DefaultOptions()
	o.DeviceTypes = []string{"vm"}
	has(t, shows(&o), "The setting device_types excludes this device.")
	o = inventory.DefaultOptions()
	o.Clouds = []string{"west"}
	has(t, shows(&o), `no cloud is called "west"`)
	o = inventory.DefaultOptions()
	o.Hostname, o.Groups, o.ProjectGroup = inventory.Qualified, nil, ""
	has(t, shows(&o), "The name is east/dfw/web-01. There are no groups.")
	o = inventory.DefaultOptions()
	o.Groups = []inventory.GroupKind{inventory.ParentGroups, inventory.ActiveGroups}
	page = f.at("guest")
	has(t, shows(&o), "inactive parent_east_dfw_web_02")
}
