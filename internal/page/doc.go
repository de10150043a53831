// Package page reads Markdown pages that tests run: the commands of a page are run, and what it shows is compared with
// what they would see.
//
// A fenced block of console or shell-session holds commands, on lines that begin with "$ ", each with its output below.
// In an output a line "..." stands for any lines, "..." within a line for any text, and a time of Craton's for any
// other. A block of yaml whose first line is a comment of one word is a file of that name.
package page
