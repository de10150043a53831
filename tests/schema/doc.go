// Package schema tests that every face of the program knows every kind and field of internal/schema, or says why it
// does not: the server, the client, the command line, fleet files, the modules, the inventory and the documentation.
//
// Each face does its own work here, on a real server: nothing looks at tables. So a field that is added to the schema
// makes exactly those tests fail whose face has something left to learn.
package schema
