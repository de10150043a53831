// Package cache implements `craton cache`, which shows and removes cached inventories, and accepts one that was refused
// because it had lost too many hosts. [New] returns the command.
package cache
