package object

// exampleOf returns the example of a command; "" if it needs none.
func exampleOf(name string) string {
	switch name {
	case "cloud-create":
		return `  craton cloud-create -n east --note "everything on the east coast" --vars ntp=ntp1.example.net`
	case "region-create":
		return `  craton region-create -n dfw --cloud east`
	case "region-list":
		return `  craton region-list --cloud east --fields id name
  craton region-list --vars 'role:"db"'`
	case "cell-create":
		return `  craton cell-create -n c1 --cloud east -r dfw`
	case "cell-move":
		return `  craton cell-move c1 -r ord`
	case "host-move":
		return `  craton host-move web-01 -r ord -c c2
  craton host-move web-01 -c ''             take it out of its cell`
	case "host-create":
		return `  craton host-create -n web-01 -i 10.20.0.11 -t server --cloud east -r dfw -c c1 -l web -l canary
  craton host-create -n vm-01 -i 10.20.0.12 -t vm --cloud east -r dfw --parent web-01 --vars role=frontend mtu=9000`
	case "host-list":
		return `  craton host-list --region dfw --label web --all
  craton host-list --fields id name ip_address
  craton host-list --where 'label=web region=dfw ntp=10.*'
  craton host-list --vars 'role:"db",tuning.hugepages:64' --sort-key name
  craton --format csv host-list --all --fields name ip_address > hosts.csv`
	case "host-show":
		return `  craton host-show 32
  craton host-show web-01
  craton host-show east/dfw/web-01        if the name is not unique
  craton --format json host-show web-01`
	case "host-update":
		return `  craton host-update web-01 --note reimaged --active false
  craton host-update vm-01 --parent web-02
  craton host-update vm-01 --parent ''    remove the parent
  craton host-update --where 'name=vm-*' --active false --dry-run`
	case "host-vars-set":
		return `  craton host-vars-set web-01 role=backend mtu=9000 legacy=
  craton host-vars-set web-01 'tuning={"hugepages": 64}'
  craton host-vars-set web-01 < vars.json
  craton host-vars-set --where 'label=web region=dfw' ntp=10.0.0.1    show, confirm, set all in one change`
	case "host-vars-get":
		return `  craton host-vars-get web-01
  craton --format yaml host-vars-get web-01`
	case "host-vars-delete":
		return `  craton host-vars-delete web-01 role mtu`
	case "host-labels-set":
		return `  craton host-labels-set web-01 web canary
  craton host-labels-set web-01           remove all labels`
	case "host-labels-add":
		return `  craton host-labels-add web-01 canary`
	case "host-labels-delete":
		return `  craton host-labels-delete web-01 canary`
	case "device-list":
		return `  craton device-list --parent sw-01 --descendants
  craton device-list --active false`
	case "network-create":
		return `  craton network-create -n mgmt --cidr 10.20.0.0/24 --gateway 10.20.0.1 --netmask 255.255.255.0 --cloud east -r dfw`
	case "network-device-create":
		return `  craton network-device-create -n sw-01 -i 10.20.0.2 -t switch --cloud east -r dfw --model-name ex4300`
	case "network-interface-create":
		return `  craton network-interface-create -n eth0 -d web-01 -t ethernet -i 10.20.0.11 --network mgmt --speed 10000`
	case "network-interface-show":
		return `  craton network-interface-show web-01/eth0`
	case "user-create":
		return `  craton user-create -n ci --project team-blue
  craton user-create -n dashboard --project team-blue --role reader`
	case "user-key-create":
		return `  craton user-key-create ci --role reader --expires 90d
  craton user-key-create laptop --user ann`
	case "user-key-delete":
		return `  craton user-key-delete ci`
	case "user-key-list":
		return `  craton user-key-list --user ann`
	case "user-role-set":
		return `  craton user-role-set ann member`
	}
	return ""
}
