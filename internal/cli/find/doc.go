// Package find implements `craton find`, which searches the complete fleet for a text.
package find
