package cli

import (
	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/output"
)

func (c *command) complete(cmd *cobra.Command) {}

func newCompletion(s output.Streams) *cobra.Command {
	return &cobra.Command{Use: "completion (bash | zsh | fish)", Short: "Print the script that completes commands, options and names in a shell"}
}
