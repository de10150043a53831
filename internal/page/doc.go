// Package page tests Markdown pages: it runs the commands on a page and compares their output with the output on the
// page.
//
// A fenced block of console or shell-session contains commands, on lines that begin with "$ ", each followed by its
// output. In an output, a line "..." matches any lines, "..." within a line matches any text, and a time in Craton's
// format matches any other time. A block of yaml whose first line is a comment of one word is a file of that name.
package page
