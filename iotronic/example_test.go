package iotronic_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/craton-fleet/craton/iotronic"
	"github.com/craton-fleet/craton/keystone"
)

// What the examples work with: a real Ironic behind a real Keystone, with two nodes. TestExamples sets it.
var example struct {
	endpoint, token           string
	authURL, password, region string
	nodeUUID                  string
}

// An endpoint and a token of Keystone's.
func Example_token() {
	client, err := iotronic.New(example.endpoint, iotronic.WithToken(example.token))
	if err != nil {
		log.Fatal(err)
	}
	drivers, err := client.Drivers.List(context.Background(), iotronic.DriverListOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(drivers), "driver")
}

// Keystone credentials; the endpoint comes from the catalogue.
func Example_keystone() {
	client, err := iotronic.New("", iotronic.WithKeystone(keystone.Config{
		AuthURL:     example.authURL,
		Username:    "admin",
		Password:    example.password,
		ProjectName: "admin", // the tenant
		Region:      example.region,
	}))
	if err != nil {
		log.Fatal(err)
	}
	dialect, err := client.Dialect(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("it speaks", dialect)
}

// The list of drivers, the list of nodes, and one node.
func Example_operations() {
	ctx, client := context.Background(), exampleClient()

	drivers, err := client.Drivers.List(ctx, iotronic.DriverListOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for _, driver := range drivers {
		fmt.Println("driver", driver.Name)
	}
	for node, err := range client.Nodes.All(ctx, iotronic.NodeListOptions{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("node", node.Name, node.ProvisionState)
	}
	node, err := client.Nodes.Get(ctx, example.nodeUUID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(node.Name, "is in rack", node.Extra.Text("rack"))
}

// Errors are types; errors.As finds the class of one too.
func Example_errors() {
	ctx, client := context.Background(), exampleClient()

	_, err := client.Nodes.Get(ctx, "nothing")
	fmt.Println(iotronic.IsNotFound(err), err)

	_, err = client.Nodes.Create(ctx, iotronic.NodeCreate{Driver: "fake-hardware", Name: "web-01"})
	var conflict *iotronic.ConflictError
	var class *iotronic.HTTPClientError
	if errors.As(err, &conflict) && errors.As(err, &class) {
		fmt.Println(class.Status, conflict.Message, conflict.RequestID != "")
	}

	_, err = client.Boards.Get(ctx, "pi-01")
	var dialect *iotronic.DialectError
	fmt.Println(errors.As(err, &dialect), err)
}

// A node is made, changed, switched on and taken away.
func Example_change() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	nodes := exampleClient().Nodes

	node, err := nodes.Create(ctx, iotronic.NodeCreate{
		Driver: "fake-hardware", Name: "db-01", Extra: iotronic.Values(map[string]any{"rack": "b7", "height": 2}),
	})
	if err != nil {
		log.Fatal(err)
	}
	node, err = nodes.Update(ctx, node.UUID, iotronic.Changes{"extra/rack": "c9", "extra/height": iotronic.Remove})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("in rack", node.Extra.Text("rack"), "with", len(node.Extra), "fact")
	if err := nodes.SetPower(ctx, "db-01", iotronic.PowerOn); err != nil {
		log.Fatal(err)
	}
	if err := nodes.WaitPower(ctx, "db-01", iotronic.PowerOn); err != nil {
		log.Fatal(err)
	}
	states, err := nodes.States(ctx, "db-01")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("it has", states.PowerState)
	if err := nodes.Delete(ctx, "db-01"); err != nil {
		log.Fatal(err)
	}
}

func exampleClient() *iotronic.Client {
	client, err := iotronic.New(example.endpoint, iotronic.WithToken(example.token))
	if err != nil {
		log.Fatal(err)
	}
	return client
}
