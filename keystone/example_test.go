package keystone_test

import (
	"context"
	"fmt"
	"os"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/keystone"
)

// Sign in with a password, and find Craton in the catalogue.
func Example() {
	auth, err := keystone.New(keystone.Config{
		AuthURL:           "https://keystone.example:5000/v3",
		Username:          "deploy",
		Password:          os.Getenv("OS_PASSWORD"),
		UserDomainName:    "people",
		ProjectName:       "fleet",
		ProjectDomainName: "people",
		Region:            "north",
	}, keystone.WithCache(keystone.CacheDir()))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	url, err := auth.Endpoint(ctx, "fleet_management")
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := craton.New(url, craton.WithAuth(auth))
	if err != nil {
		fmt.Println(err)
		return
	}
	for host, err := range c.Hosts.All(ctx, craton.HostListOptions{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(host.Name)
	}
}

// Sign in as a clouds.yaml says.
func ExampleLoadCloud() {
	config, err := keystone.LoadCloud("prod", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	auth, err := keystone.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	who, err := auth.Identity(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s in %s, until %s\n", who.User, who.Project, who.Expires)
}
