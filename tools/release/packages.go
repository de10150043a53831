package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"gopkg.in/yaml.v3"

	"github.com/craton-fleet/craton/tools/collection"
)

// The facts of the packages.
const (
	maintainer  = "The Craton authors <maintainers@craton.example>"
	homepage    = "https://github.com/craton-fleet/craton"
	description = `fleet inventory for people who run Ansible
Clouds, regions, cells and hosts, with variables at every level: this program
gives them to Ansible as a dynamic inventory, edits them from the command line
and from tasks, and serves them to a team over the Craton v1 API.`
)

// content is an entry of nfpm's contents.
type content struct {
	Source string         `yaml:"src,omitempty"`
	Target string         `yaml:"dst"`
	Type   string         `yaml:"type,omitempty"`
	Info   map[string]any `yaml:"file_info,omitempty"`
}

// info returns the mode of a file and, if it does not belong to root, its owner.
func info(mode int, owner ...string) map[string]any {
	m := map[string]any{"mode": mode}
	if len(owner) == 2 {
		m["owner"], m["group"] = owner[0], owner[1]
	}
	return m
}

// packageVersion returns the version in the form of deb and rpm: a tilde sorts it before the version itself.
func (r *release) packageVersion() string { return strings.Replace(r.version, "-", "~", 1) }

// packages builds the deb and the rpm of a platform.
func (r *release) packages(ctx context.Context, p collection.Platform, common tree) ([]string, error) {
	var made []string
	for _, format := range []string{"deb", "rpm"} {
		dir := filepath.Join(r.work, format+"-"+p.Arch)
		contents, err := r.contents(format, dir, p, common)
		if err != nil {
			return nil, err
		}
		scripts, err := r.scripts(format, dir)
		if err != nil {
			return nil, err
		}
		version, arch := r.packageVersion(), p.Arch
		name := fmt.Sprintf("craton_%s-1_%s.deb", version, arch)
		if format == "rpm" {
			arch = map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[arch]
			name = fmt.Sprintf("craton-%s-1.%s.rpm", version, arch)
		}
		config := map[string]any{
			"name": "craton", "arch": arch, "platform": "linux", "version": version, "version_schema": "none", "release": "1",
			"section": "admin", "priority": "optional", "maintainer": maintainer, "vendor": "The Craton authors", "homepage": homepage,
			"description": description, "mtime": r.made.Format("2006-01-02T15:04:05Z07:00"),
			"contents": contents, "scripts": scripts,
		}
		if format == "deb" {
			config["depends"], config["recommends"] = []string{"adduser"}, []string{"ansible-core"}
			config["deb"] = map[string]any{"compression": "gzip"}
		} else {
			config["license"], config["depends"] = "Apache-2.0", []string{"shadow-utils", "util-linux"}
			config["rpm"] = map[string]any{"compression": "gzip", "buildhost": "localhost", "summary": "Fleet inventory for people who run Ansible", "group": "System Environment/Daemons"}
		}
		text, err := yaml.Marshal(config)
		if err != nil {
			return nil, err
		}
		file := filepath.Join(dir, "nfpm.yml")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			return nil, err
		}
		cmd := exec.CommandContext(ctx, absolute(r.nfpm), "package", "--config", file, "--packager", format, "--target", filepath.Join(absolute(r.out), name))
		cmd.Dir = dir // where no file has the name of a link's target
		cmd.Env = append(os.Environ(), fmt.Sprintf("SOURCE_DATE_EPOCH=%d", r.made.Unix()))
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("nfpm: %w\n%s", err, out)
		}
		made = append(made, name)
	}
	return made, nil
}

// contents writes the contents of a package into a directory, and lists them for nfpm.
func (r *release) contents(format, dir string, p collection.Platform, common tree) ([]content, error) {
	files, source := tree{}, filepath.Join(r.root, "tools", "release", "package")
	for name, text := range common {
		switch {
		case name == "doc/craton/LICENSE" && format == "deb":
			continue // Debian has it
		case name == "doc/craton/CHANGELOG.md" && format == "deb":
			name = "doc/craton/changelog"
		}
		var err error
		if strings.HasPrefix(name, "man/") || name == "doc/craton/changelog" {
			name += ".gz"
			if text, err = zipped(text); err != nil {
				return nil, err
			}
		}
		files["/usr/share/"+name] = text
	}
	for target, name := range map[string]string{
		"/usr/lib/systemd/system/craton.service": "craton.service", "/etc/craton/config.yml": "config.yml", "/usr/share/doc/craton/copyright": "copyright",
		"/usr/share/lintian/overrides/craton": "lintian-overrides",
	} {
		if format == "rpm" && (name == "copyright" || name == "lintian-overrides") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			return nil, err
		}
		files[target] = text
	}
	// The schema of the installed version, for the version that replaces it.
	files["/usr/share/craton/schema"] = fmt.Appendf(nil, "%d\n", r.schema)
	if format == "deb" {
		debian, err := zipped(fmt.Appendf(nil, "craton (%s-1) stable; urgency=medium\n\n  * See changelog.gz.\n\n -- %s  %s\n",
			r.packageVersion(), maintainer, r.made.Format("Mon, 02 Jan 2006 15:04:05 -0700")))
		if err != nil {
			return nil, err
		}
		files["/usr/share/doc/craton/changelog.Debian.gz"] = debian
	}
	contents := []content{{Source: p.Program, Target: "/usr/bin/craton", Info: info(0o755)}}
	for _, link := range links {
		contents = append(contents, content{Source: "craton", Target: "/usr/bin/" + link, Type: "symlink", Info: info(0o777)})
	}
	for _, target := range slices.Sorted(maps.Keys(files)) {
		file := filepath.Join(dir, "files", filepath.FromSlash(target))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(file, files[target], 0o600); err != nil {
			return nil, err
		}
		c := content{Source: file, Target: target, Info: info(0o644)}
		if target == "/etc/craton/config.yml" {
			if c.Type = "config|noreplace"; format == "rpm" {
				c.Info = info(0o640, "root", "craton")
			}
		}
		if format == "rpm" && (strings.HasPrefix(target, "/usr/share/doc/") || strings.HasPrefix(target, "/usr/share/man/")) {
			c.Type = "doc"
		}
		contents = append(contents, c)
	}
	if format == "rpm" { // which knows the user when it unpacks; a deb's postinst sets the owner
		contents = append(contents,
			content{Target: "/etc/craton", Type: "dir", Info: info(0o750, "root", "craton")},
			content{Target: "/var/lib/craton", Type: "dir", Info: info(0o750, "craton", "craton")},
			content{Target: "/var/lib/craton/backups", Type: "dir", Info: info(0o750, "craton", "craton")})
	}
	return contents, nil
}

// scripts writes the scripts of a package, which are templates, into a directory.
func (r *release) scripts(format, dir string) (map[string]string, error) {
	source := filepath.Join(r.root, "tools", "release", "package")
	part := func(name string) (string, error) {
		text, err := os.ReadFile(filepath.Join(source, name))
		return strings.TrimSuffix(string(text), "\n"), err
	}
	upgrade, err := part("upgrade.sh")
	if err != nil {
		return nil, err
	}
	next, err := part("next.sh")
	if err != nil {
		return nil, err
	}
	data := map[string]any{"Upgrade": upgrade, "Next": next, "Version": r.version, "Schema": r.schema}
	made := map[string]string{}
	for _, s := range []struct{ key, deb, rpm string }{
		{"preinstall", "preinst", "pre"}, {"postinstall", "postinst", "post"}, {"preremove", "prerm", "preun"}, {"postremove", "postrm", "postun"},
	} {
		name := map[string]string{"deb": s.deb, "rpm": s.rpm}[format]
		t, err := template.ParseFiles(filepath.Join(source, format, name))
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		if err := t.Execute(&b, data); err != nil {
			return nil, err
		}
		made[s.key] = filepath.Join(dir, name)
		if err := os.WriteFile(made[s.key], b.Bytes(), 0o755); err != nil {
			return nil, err
		}
	}
	return made, nil
}
