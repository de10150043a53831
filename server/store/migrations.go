package store

// migrations[n] migrates a database from version n of the schema to version n+1. Migrations may only be appended.
// SQLite stores the version of a file as user_version.
//
// created_at and updated_at are whole seconds since 1970, like the columns of the original server (contract §10 Q1).
// AUTOINCREMENT ensures that an id is never assigned twice, even after a deletion. Indexes that end in (created_at, id)
// are for listings in the default order, of which any page costs the same. The devices table has such indexes with the
// type, for hosts and network devices, and without it, for all devices.
var migrations = []string{`
CREATE TABLE projects (
	seq        INTEGER PRIMARY KEY AUTOINCREMENT,
	id         TEXT NOT NULL UNIQUE,
	name       TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT
);
CREATE INDEX projects_order ON projects (created_at, id);

CREATE TABLE users (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	project_id TEXT NOT NULL REFERENCES projects (id),
	username   TEXT NOT NULL,
	key_hash   TEXT NOT NULL,
	is_admin   BOOLEAN NOT NULL,
	is_root    BOOLEAN NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT,
	UNIQUE (username, project_id)
);
CREATE INDEX users_order ON users (created_at, id);
CREATE INDEX users_project ON users (project_id, created_at, id);

CREATE TABLE clouds (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	project_id TEXT NOT NULL REFERENCES projects (id),
	name       TEXT NOT NULL,
	note       TEXT,
	created_at BIGINT NOT NULL,
	updated_at BIGINT,
	UNIQUE (project_id, name)
);
CREATE INDEX clouds_order ON clouds (created_at, id);
CREATE INDEX clouds_project ON clouds (project_id, created_at, id);
CREATE INDEX clouds_name ON clouds (name);

CREATE TABLE regions (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	project_id TEXT NOT NULL REFERENCES projects (id),
	cloud_id   BIGINT NOT NULL REFERENCES clouds (id),
	name       TEXT NOT NULL,
	note       TEXT,
	created_at BIGINT NOT NULL,
	updated_at BIGINT,
	UNIQUE (cloud_id, name)
);
CREATE INDEX regions_order ON regions (created_at, id);
CREATE INDEX regions_project ON regions (project_id, created_at, id);
CREATE INDEX regions_cloud ON regions (cloud_id, created_at, id);
CREATE INDEX regions_name ON regions (name);

CREATE TABLE cells (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	project_id TEXT NOT NULL REFERENCES projects (id),
	cloud_id   BIGINT NOT NULL REFERENCES clouds (id),
	region_id  BIGINT NOT NULL REFERENCES regions (id),
	name       TEXT NOT NULL,
	note       TEXT,
	created_at BIGINT NOT NULL,
	updated_at BIGINT,
	UNIQUE (region_id, name)
);
CREATE INDEX cells_order ON cells (created_at, id);
CREATE INDEX cells_project ON cells (project_id, created_at, id);
CREATE INDEX cells_cloud ON cells (cloud_id, created_at, id);
CREATE INDEX cells_region ON cells (region_id, created_at, id);
CREATE INDEX cells_name ON cells (name);

CREATE TABLE devices (
	id          INTEGER PRIMARY KEY AUTOINCREMENT,
	type        TEXT NOT NULL,
	project_id  TEXT NOT NULL REFERENCES projects (id),
	cloud_id    BIGINT NOT NULL REFERENCES clouds (id),
	region_id   BIGINT NOT NULL REFERENCES regions (id),
	cell_id     BIGINT REFERENCES cells (id),
	parent_id   BIGINT REFERENCES devices (id),
	name        TEXT NOT NULL,
	ip_address  TEXT NOT NULL,
	device_type TEXT NOT NULL,
	active      BOOLEAN,
	note        TEXT,
	model_name  TEXT,
	os_version  TEXT,
	vlans       TEXT,
	created_at  BIGINT NOT NULL,
	updated_at  BIGINT,
	UNIQUE (region_id, name)
);
CREATE INDEX devices_order ON devices (created_at, id);
CREATE INDEX devices_type ON devices (type, created_at, id);
CREATE INDEX devices_project ON devices (project_id, created_at, id);
CREATE INDEX devices_project_type ON devices (project_id, type, created_at, id);
CREATE INDEX devices_cloud ON devices (cloud_id, created_at, id);
CREATE INDEX devices_cloud_type ON devices (cloud_id, type, created_at, id);
CREATE INDEX devices_region ON devices (region_id, created_at, id);
CREATE INDEX devices_region_type ON devices (region_id, type, created_at, id);
CREATE INDEX devices_cell ON devices (cell_id, created_at, id);
CREATE INDEX devices_cell_type ON devices (cell_id, type, created_at, id);
CREATE INDEX devices_parent ON devices (parent_id, created_at, id);
CREATE INDEX devices_name ON devices (name);
CREATE INDEX devices_ip ON devices (ip_address);
CREATE INDEX devices_device_type ON devices (device_type, type, created_at, id);

-- created_at is the device's, which never changes. With it in the index, a
-- listing by label needs no sort.
CREATE TABLE labels (
	device_id  BIGINT NOT NULL REFERENCES devices (id),
	label      TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (device_id, label)
) WITHOUT ROWID;
CREATE INDEX labels_label ON labels (label, created_at, device_id);

CREATE TABLE networks (
	id            INTEGER PRIMARY KEY AUTOINCREMENT,
	project_id    TEXT NOT NULL REFERENCES projects (id),
	cloud_id      BIGINT NOT NULL REFERENCES clouds (id),
	region_id     BIGINT NOT NULL REFERENCES regions (id),
	cell_id       BIGINT REFERENCES cells (id),
	name          TEXT NOT NULL,
	cidr          TEXT NOT NULL,
	gateway       TEXT NOT NULL,
	netmask       TEXT NOT NULL,
	ip_block_type TEXT,
	nss           TEXT,
	created_at    BIGINT NOT NULL,
	updated_at    BIGINT,
	UNIQUE (name, project_id, region_id)
);
CREATE INDEX networks_order ON networks (created_at, id);
CREATE INDEX networks_project ON networks (project_id, created_at, id);
CREATE INDEX networks_cloud ON networks (cloud_id);
CREATE INDEX networks_region ON networks (region_id, created_at, id);
CREATE INDEX networks_cell ON networks (cell_id, created_at, id);

CREATE TABLE network_interfaces (
	id             INTEGER PRIMARY KEY AUTOINCREMENT,
	project_id     TEXT NOT NULL REFERENCES projects (id),
	device_id      BIGINT NOT NULL REFERENCES devices (id),
	network_id     BIGINT REFERENCES networks (id),
	name           TEXT NOT NULL,
	interface_type TEXT NOT NULL,
	ip_address     TEXT NOT NULL,
	vlan_id        BIGINT,
	vlan           TEXT,
	port           BIGINT,
	duplex         TEXT,
	speed          TEXT,
	link           TEXT,
	cdp            TEXT,
	security       TEXT,
	created_at     BIGINT NOT NULL,
	updated_at     BIGINT,
	UNIQUE (device_id, name)
);
CREATE INDEX network_interfaces_order ON network_interfaces (created_at, id);
CREATE INDEX network_interfaces_project ON network_interfaces (project_id, created_at, id);
CREATE INDEX network_interfaces_device ON network_interfaces (device_id, created_at, id);
CREATE INDEX network_interfaces_network ON network_interfaces (network_id);
CREATE INDEX network_interfaces_ip ON network_interfaces (ip_address);
CREATE INDEX network_interfaces_type ON network_interfaces (interface_type, created_at, id);

-- One row per variable. owner_kind: 1 project (owner_id is its seq), 2 user,
-- 3 cloud, 4 region, 5 cell, 6 device, 7 network, 8 network interface.
-- value is canonical JSON text.
CREATE TABLE variables (
	owner_kind INTEGER NOT NULL,
	owner_id   BIGINT NOT NULL,
	key        TEXT NOT NULL,
	value      TEXT NOT NULL,
	PRIMARY KEY (owner_kind, owner_id, key)
) WITHOUT ROWID;
`, `
-- One row, which assigns revisions and has the state of the change log. Changes
-- with a revision after the horizon are complete. Before it, only the first and
-- the last change of each object may remain. The state from before the change
-- log is in no change, so the horizon of an older database is 1.
CREATE TABLE log (
	id             INTEGER PRIMARY KEY CHECK (id = 1),
	revision       BIGINT NOT NULL, -- the newest revision
	change         TEXT NOT NULL,   -- id of its change
	changed_at     BIGINT NOT NULL, -- its time, in microseconds since 1970
	horizon        BIGINT NOT NULL,
	horizon_change TEXT NOT NULL,
	pruned         BIGINT NOT NULL, -- up to this revision, pruning is complete
	salt           TEXT NOT NULL,   -- salt of the hashes of values that are not kept
	fence          BIGINT NOT NULL  -- see nextRevision
);
INSERT INTO log (id, revision, change, changed_at, horizon, horizon_change, pruned, salt, fence)
SELECT 1, CASE WHEN EXISTS (SELECT 1 FROM projects) THEN 1 ELSE 0 END, lower(hex(randomblob(16))), 0, 0, '', 0, lower(hex(randomblob(16))), 0
WHERE NOT EXISTS (SELECT 1 FROM log);
UPDATE log SET horizon = revision, horizon_change = change, pruned = revision WHERE horizon_change = '';

-- One row for each object that a write changed, numbered by n. before and after
-- are JSON objects; those of an update only have what it changed.
CREATE TABLE changes (
	revision     BIGINT NOT NULL,
	n            INTEGER NOT NULL,
	change       TEXT NOT NULL,
	at           BIGINT NOT NULL,
	project_id   TEXT NOT NULL, -- project of the object
	user_name    TEXT NOT NULL,
	user_project TEXT NOT NULL,
	address      TEXT NOT NULL,
	request_id   TEXT NOT NULL,
	message      TEXT NOT NULL,
	kind         TEXT NOT NULL,
	object_id    TEXT NOT NULL,
	path         TEXT NOT NULL,
	action       TEXT NOT NULL,
	before       TEXT,
	after        TEXT,
	PRIMARY KEY (revision, n)
) WITHOUT ROWID;
CREATE INDEX changes_object ON changes (kind, object_id, revision);
CREATE INDEX changes_project ON changes (project_id, kind, revision);
`, `
-- role is reader, member, admin or root. is_admin and is_root are kept for v1,
-- and always written with it.
ALTER TABLE users ADD COLUMN role TEXT NOT NULL DEFAULT 'member';
UPDATE users SET role = CASE WHEN is_root THEN 'root' ELSE 'admin' END WHERE role = 'member' AND (is_root OR is_admin);

-- The API keys of users. Before this version, a user had one key. Its hash also
-- remains in users.key_hash until the key is deleted, for servers of the previous
-- version that still run. New users have no hash there.
CREATE TABLE user_keys (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	user_id    BIGINT NOT NULL REFERENCES users (id),
	name       TEXT NOT NULL,
	key_hash   TEXT NOT NULL UNIQUE,
	role       TEXT,            -- highest role of the key; null for no limit
	created_at BIGINT NOT NULL,
	expires_at BIGINT,
	used_at    BIGINT,          -- last use, in whole hours
	UNIQUE (user_id, name)
);
INSERT INTO user_keys (user_id, name, key_hash, created_at)
SELECT id, 'api_key', key_hash, created_at FROM users u WHERE key_hash <> '' AND NOT EXISTS (SELECT 1 FROM user_keys k WHERE k.user_id = u.id)
ORDER BY id;
`, `
-- protected: the object, and the places that contain it, cannot be deleted.
-- set_name: the set of the project that the object belongs to; null for none.
ALTER TABLE projects ADD COLUMN protected BOOLEAN;
ALTER TABLE clouds ADD COLUMN protected BOOLEAN;
ALTER TABLE regions ADD COLUMN protected BOOLEAN;
ALTER TABLE cells ADD COLUMN protected BOOLEAN;
ALTER TABLE devices ADD COLUMN protected BOOLEAN;
ALTER TABLE networks ADD COLUMN protected BOOLEAN;
ALTER TABLE network_interfaces ADD COLUMN protected BOOLEAN;
ALTER TABLE clouds ADD COLUMN set_name TEXT;
ALTER TABLE regions ADD COLUMN set_name TEXT;
ALTER TABLE cells ADD COLUMN set_name TEXT;
ALTER TABLE devices ADD COLUMN set_name TEXT;
ALTER TABLE networks ADD COLUMN set_name TEXT;
ALTER TABLE network_interfaces ADD COLUMN set_name TEXT;
CREATE INDEX projects_protected ON projects (id) WHERE protected;
CREATE INDEX clouds_protected ON clouds (id) WHERE protected;
CREATE INDEX regions_protected ON regions (id) WHERE protected;
CREATE INDEX cells_protected ON cells (id) WHERE protected;
CREATE INDEX devices_protected ON devices (id) WHERE protected;
CREATE INDEX networks_protected ON networks (id) WHERE protected;
CREATE INDEX network_interfaces_protected ON network_interfaces (id) WHERE protected;
CREATE INDEX clouds_set ON clouds (project_id, set_name, id) WHERE set_name IS NOT NULL;
CREATE INDEX regions_set ON regions (project_id, set_name, id) WHERE set_name IS NOT NULL;
CREATE INDEX cells_set ON cells (project_id, set_name, id) WHERE set_name IS NOT NULL;
CREATE INDEX devices_set ON devices (project_id, set_name, id) WHERE set_name IS NOT NULL;
CREATE INDEX networks_set ON networks (project_id, set_name, id) WHERE set_name IS NOT NULL;
CREATE INDEX network_interfaces_set ON network_interfaces (project_id, set_name, id) WHERE set_name IS NOT NULL;
`, `
-- The keys with which the servers of this database seal the cookies of the page,
-- as hexadecimal digits.
CREATE TABLE page_keys (
	id         BIGINT PRIMARY KEY,
	secret     TEXT NOT NULL,
	created_at BIGINT NOT NULL
);
`, `
-- Most devices have no parent, and many have no cell. If the indexes only contain
-- those that do, writes of other devices change two or three pages less.
DROP INDEX IF EXISTS devices_cell;
DROP INDEX IF EXISTS devices_cell_type;
DROP INDEX IF EXISTS devices_parent;
CREATE INDEX devices_cell ON devices (cell_id, created_at, id) WHERE cell_id IS NOT NULL;
CREATE INDEX devices_cell_type ON devices (cell_id, type, created_at, id) WHERE cell_id IS NOT NULL;
CREATE INDEX devices_parent ON devices (parent_id, created_at, id) WHERE parent_id IS NOT NULL;
`, `
-- Hashes of the page's cookies that were revoked, until the cookies would expire.
-- * stands for all cookies that were issued until then.
CREATE TABLE page_ends (
	id       TEXT PRIMARY KEY,
	ended_at BIGINT NOT NULL
);
CREATE INDEX page_ends_at ON page_ends (ended_at);
`, `
-- This version only changes PostgreSQL: see postgres/migrate.go.
`}
