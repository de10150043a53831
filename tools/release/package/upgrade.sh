# as_craton runs a command as the server's user, with the configuration of the unit.
as_craton() {
	runuser -u craton -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/var/lib/craton CRATON_CONFIG=/etc/craton/config.yml "$@"
}

# setting prints a setting's value.
setting() {
	as_craton craton config --format csv "$1" | sed -n '2s/^[^,]*,\(.*\),[^,]*$/\1/p'
}

# remove_old keeps the newest five of the backups that upgrades have made in a folder.
remove_old() {
	# shellcheck disable=SC2012 # the names are ours
	ls -1t "$1"/before-*-schema-*.backup 2>/dev/null | tail -n +6 | while IFS= read -r old; do
		as_craton rm -f -- "$old"
	done
}

# save_before makes a backup of the fleet with the program that is still installed, before version $1 takes its place, and says
# where. Where that cannot be read by the new program, which knows schema $2, nothing is installed.
save_before() {
	command -v craton >/dev/null && [ -e /etc/craton/config.yml ] || return 0
	getent passwd craton >/dev/null || return 0
	had=$(cat /usr/share/craton/schema 2>/dev/null || echo 0)
	folder=$(setting server.upgrade_backup) || {
		echo "craton: the settings cannot be read: correct /etc/craton/config.yml, and try again" >&2
		return 1
	}
	if [ "$folder" = no ] && [ "$had" -le "$2" ]; then
		echo "craton: no backup is made, because upgrade_backup is no"
		return 0
	fi
	case $folder in '' | no) folder=/var/lib/craton/backups ;; esac
	file=$folder/before-$1-schema-$had-$(date -u +%Y%m%dT%H%M%SZ).backup
	if ! said=$(as_craton craton server backup --force "$file" 2>&1); then
		case $said in
		*'file does not exist' | *'no database: '* | *'no database is set: '*) return 0 ;; # there is no fleet yet
		esac
		echo "craton: the fleet cannot be saved, so nothing is installed: $said" >&2
		echo "craton: fix that, or make a backup yourself and set upgrade_backup: \"no\" in /etc/craton/config.yml" >&2
		return 1
	fi
	echo "craton: $said"
	if [ "$had" -le "$2" ]; then
		remove_old "$folder"
		return 0
	fi
	fitting=
	for kept in "$folder"/before-*-schema-*.backup "$folder"/*.schema-*.backup; do
		of=$(printf '%s\n' "$kept" | sed -n 's/.*schema-\([0-9]*\)-[0-9TZ]*\.backup$/\1/p')
		[ -n "$of" ] && [ -e "$kept" ] && [ "$of" -le "$2" ] || continue
		if [ -z "$fitting" ] || [ "$kept" -nt "$fitting" ]; then fitting=$kept; fi
	done
	database=$(setting server.database)
	{
		echo "craton: version $1 is older than the database: it supports schema $2, but $database has schema $had. Nothing is installed."
		echo "craton: To return to the fleet as it was before the upgrade:"
		echo "  systemctl stop craton"
		case $database in
		sqlite:*)
			path=${database#sqlite:}
			echo "  mkdir -p $folder/aside && find ${path%/*} -maxdepth 1 -name '${path##*/}*' ! -name '*.backup' -exec mv -t $folder/aside {} +"
			;;
		*) echo "  # name another, empty database in /etc/craton/config.yml" ;;
		esac
		echo "  # install version $1 again"
		echo "  runuser -u craton -- craton server restore ${fitting:-BACKUP_OF_SCHEMA_$2}"
		echo "  systemctl start craton"
	} >&2
	return 1
}
