// Package cache is `craton cache`: it shows the inventories that are kept, removes them, and accepts one that was
// refused because it had lost too many hosts. [New] gives the command.
package cache
