# say_next tells how a fleet is begun, where there is none.
say_next() {
	[ -e /var/lib/craton/fleet.db ] && return 0
	echo "craton: make the first user, who gets an API key, and start the server:"
	echo "  runuser -u craton -- craton server bootstrap"
	echo "  systemctl enable --now craton"
}
