package ironic

// iotronicExample returns the example of a command of craton iotronic; "" if it needs none.
func iotronicExample(name string) string {
	switch name {
	case "node-create":
		return `  craton iotronic node-create -d ipmi -n metal-01 -i ipmi_address=192.0.2.1 -p cpus=8 --resource-class large     on Ironic
  craton iotronic node-create -d ipmi -n metal-02 --json node.json             driver_info with its password, from a file
  craton iotronic node-create --code c1 -n pi-01 --latitude 38.1 --longitude 15.5 --altitude 10       on Iotronic`
	case "node-list":
		return `  craton iotronic node-list --provision-state active --maintenance false
  craton iotronic node-list --fields name power_state extra --sort-key name
  craton --format csv iotronic node-list --all --fields name uuid > nodes.csv`
	case "node-show":
		return `  craton iotronic node-show metal-01
  craton iotronic node-show metal-01 --fields power_state provision_state
  craton iotronic node-show --instance 8f1d2c3e-6c1e-4e0f-9a55-0d6f5f1a2b3c`
	case "node-update":
		return `  craton iotronic node-update metal-01 description="in the cellar" extra/rack=b7 extra/old=
  echo '{"driver_info/ipmi_password": "secret"}' | craton iotronic node-update metal-01`
	case "node-power":
		return `  craton iotronic node-power metal-01 on --wait 60
  craton iotronic node-power metal-01 off --soft`
	case "node-maintenance":
		return `  craton iotronic node-maintenance metal-01 true --reason "a new fan"
  craton iotronic node-maintenance metal-01 false`
	case "node-provision":
		return `  craton iotronic node-provision metal-01 manage --wait 600
  craton iotronic node-provision metal-01 clean --clean-steps '[{"interface": "deploy", "step": "erase_devices"}]'
  craton iotronic node-provision metal-01 active --config-drive drive.b64`
	case "allocation-create":
		return `  craton iotronic allocation-create -n web-01 --resource-class large --trait CUSTOM_GPU`
	case "chassis-create":
		return `  craton iotronic chassis-create --description "rack b7"`
	case "port-create":
		return `  craton iotronic port-create -n metal-01 -a 52:54:00:12:34:56 --physical-network provisioning
  craton iotronic port-create -n metal-01 -a 52:54:00:12:34:57 --pxe-enabled false -l switch_id=0a:1b:2c:3d:4e:5f -l port_id=Eth3/1`
	case "port-update":
		return `  craton iotronic port-update 52:54:00:12:34:56 pxe_enabled=false physical_network= local_link_connection/port_id=Eth3/2`
	case "board-create":
		return `  craton iotronic board-create -n pi-01 --code c1 --type raspberry --latitude 38.1 --longitude 15.5 --altitude 10 --fleet roofs`
	case "board-list":
		return `  craton iotronic board-list --status online
  craton --format json iotronic board-list --all --detail`
	case "board-update":
		return `  craton iotronic board-update pi-01 name=pi-02 extra/rack=b7 fleet=`
	}
	return ""
}
