package browser_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"

	"github.com/craton-fleet/craton/craton"
)

// signIn signs a user in.
func (b *tab) signIn(m member) {
	b.Helper()
	for field, text := range map[string]string{"#user": m.name, "#project": m.project, "#secret": m.key} {
		b.click(field)
		js[bool](b, "(document.activeElement.value = '') === ''")
		b.write(text)
	}
	b.leads(func() { b.press("Enter") })
}

// TestSignIn: who is not signed in is asked to, gets where it wanted to, and out again; a wrong key gets nowhere.
func TestSignIn(t *testing.T) {
	t.Parallel()
	tm := newTeam(t)
	ann := tm.user(t, "ann", tm.project, craton.RoleMember)
	b := newTab(t, tm.site, signedOut())
	if status := b.load(strings.TrimSuffix(tm.base, "ui/")); status != 200 || !strings.HasPrefix(b.at(), "sign-in") {
		t.Fatalf("%d %s", status, b.at())
	}
	b.load(tm.base + "hosts?where=name%3Dx")
	if at := b.at(); !strings.HasPrefix(at, "sign-in?next=") {
		t.Fatal(at)
	}
	b.inspect()
	b.signIn(member{"ann", "a-wrong-key", tm.project})
	if !js[bool](b, "document.querySelector('[role=alert]').checkVisibility()") || js[string](b, "document.querySelector('#user').value") != "ann" || js[string](b, "document.querySelector('#secret').value") != "" {
		t.Error(b.text())
	}
	b.inspect()
	b.signIn(ann)
	if at := b.at(); at != "hosts?where=name%3Dx" {
		t.Error(at)
	}
	if js[string](b, "document.cookie") != "" {
		t.Error("scripts can read the cookie")
	}
	cookies := call(b, network.GetCookies, network.GetCookiesParams{}).Cookies
	if len(cookies) != 1 || !cookies[0].HTTPOnly || cookies[0].SameSite != "Strict" || strings.Contains(cookies[0].Value, ann.key) {
		t.Errorf("%+v", cookies)
	}
	b.keysOff()
	b.follow("Sign out")
	if at := b.at(); at != "sign-in" {
		t.Error(at)
	}
	b.load(tm.base + "hosts")
	if at := b.at(); !strings.HasPrefix(at, "sign-in?next=") {
		t.Error(at)
	}
	if status := b.load(tm.base + "hosts.json"); status != 401 {
		t.Error(status)
	}
}

// keysOff turns the keys of one letter off and on again: while they are off none does anything, on the next page
// neither.
func (b *tab) keysOff() {
	b.Helper()
	turn := func() {
		b.Helper()
		b.click("button.keys")
		b.until("document.querySelector('dialog').open")
		b.click("#keys-on")
		b.press("Escape")
		b.until("!document.querySelector('dialog').open")
		js[bool](b, "document.activeElement.blur() ?? true")
	}
	turn()
	for range 2 {
		b.press("/", "j", "g", "l", "?")
		if js[bool](b, "document.activeElement !== document.body || document.querySelector('dialog')?.open === true || document.querySelector('[data-selected]') !== null") || !strings.HasPrefix(b.at(), "hosts") {
			b.Errorf("%s: a key does something that is turned off", b.at())
		}
		b.load(b.site.base + "hosts")
	}
	turn()
	b.press("/")
	if !js[bool](b, "document.activeElement.id === 'q'") {
		b.Error("the keys cannot be turned on again")
	}
}

// small is a fleet of one host; all names and values have a word of their own.
func small(word string) string {
	return fmt.Sprintf(`
project: {variables: {owner: %[1]s-team}}
clouds:
  - name: %[1]s-cloud
    variables: {%[1]s_only: yes, shared: %[1]s-value}
    regions:
      - name: %[1]s-region
        networks: [{name: %[1]s-net, cidr: 10.0.0.0/24, gateway: 10.0.0.1, netmask: 255.255.255.0}]
        cells:
          - name: %[1]s-cell
            network_devices: [{name: %[1]s-switch, ip_address: 10.0.0.3, device_type: switch, interfaces: [{name: %[1]s-port, interface_type: eth, ip_address: 10.0.0.3}]}]
            hosts: [{name: %[1]s-host, ip_address: 10.0.0.2, device_type: server, labels: [%[1]s-label], variables: {shared: %[1]s-own}}]
`, word)
}

// TestTenants: two tenants never see each other, in a list, a search, a variable, a tree, changes, a twin, or by an id
// that they guess.
func TestTenants(t *testing.T) {
	t.Parallel()
	tm := newTeam(t)
	words := []string{"blue", "green"}
	var users []member
	for _, word := range words {
		p, err := tm.root.Projects.Create(t.Context(), craton.ProjectCreate{Name: word + "-project"})
		if err != nil {
			t.Fatal(err)
		}
		u := tm.user(t, word, p.ID, craton.RoleAdmin)
		tm.as(u.name, u.key, u.project)
		if err := tm.apply(small(word), "--message", word+"-message"); err != nil {
			t.Fatal(err)
		}
		users = append(users, u)
	}
	for i, u := range users {
		word, other := words[i], words[1-i]
		b := newTab(t, tm.site, signedOut())
		b.load(tm.base)
		b.signIn(u)
		paths := []string{"", "variables/shared", "variables/" + other + "_only", "variables/owner", "compare?a=" + word + "-host&b=" + other + "-host", "changes", "changes?user=" + other, "projects", "projects/" + users[1-i].project}
		for _, of := range []string{"clouds", "regions", "cells", "hosts", "network-devices", "networks", "network-interfaces"} {
			paths = append(paths, of)
			for id := 1; id <= 4; id++ {
				paths = append(paths, fmt.Sprintf("%s/%d", of, id))
			}
		}
		paths = append(paths, "compare?a=1&b=2", "compare?a=3&b=1", "changes?kind=host&id=1", "changes?kind=host&id=2", "changes?kind=host&id=3", "hosts?where=label%3D*", "hosts/1?key=shared", "hosts/2?key=shared", "hosts/3?key=shared", "hosts?where=parent_id%3D1")
		var urls []string
		for _, path := range paths {
			twin := strings.Replace(path+"?", "?", ".json?", 1)
			if path == "" {
				twin = "index.json"
			}
			urls = append(urls, tm.base+path, tm.base+twin)
		}
		own := 0
		for n, got := range b.fetch(urls...) {
			asked := strings.Contains(urls[n], other)
			if !asked && strings.Contains(got.Text, other) || strings.Contains(got.Text, other+"-value") || strings.Contains(got.Text, other+"-own") {
				t.Errorf("%s sees %s at %s:\n%s", word, other, urls[n], got.Shown)
			}
			own += strings.Count(got.Shown, word+"-")
		}
		if own < 100 {
			t.Errorf("%s does not see its own: %d", word, own)
		}
		for _, typed := range []string{other + "-host", word + "-host"} {
			b.open("hosts")
			b.press("/")
			b.write(typed)
			b.until("!document.getElementById('found').hidden")
			if found := js[string](b, "document.getElementById('found').innerText"); strings.Contains(found, typed) != (typed == word+"-host") {
				t.Errorf("%s looks for %s and finds %s", word, typed, found)
			}
		}
	}
}

// TestRoles: a reader and a member look at every page; what their role may not read is not there, and said.
func TestRoles(t *testing.T) {
	t.Parallel()
	needAxe(t)
	tm := newTeam(t)
	if err := tm.apply(small("red")); err != nil {
		t.Fatal(err)
	}
	for name, role := range map[string]craton.Role{"rita": craton.RoleReader, "max": craton.RoleMember, "ada": craton.RoleAdmin} {
		u := tm.user(t, name, tm.project, role)
		b := newTab(t, tm.site, signedOut())
		b.load(tm.base)
		b.signIn(u)
		pages := b.wander([]string{""}, func(path, text string) {
			if strings.Contains(text, "not answer") {
				t.Errorf("%s at %s: %.500s", name, path, text)
			}
		})
		if pages < 15 {
			t.Errorf("%s sees only %d pages", name, pages)
		}
		if role == craton.RoleReader { // what is refused is a page as others are
			if status := b.load(tm.base + "projects"); status != 403 || strings.Contains(b.text(), "/v1") {
				t.Errorf("%d %s", status, b.text())
			}
			b.has("Your role may not see this")
			b.inspect()
			b.picture("red", "projects")
		}
		b.open("hosts")
		b.follow("red-host")
		b.has("owner", "red-own")
		if told := strings.Contains(b.text(), "Your role may not read the project"); told == (role == craton.RoleAdmin) {
			t.Errorf("%s: %s", name, b.text())
		}
	}
}
