package run

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/pflag"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/when"
)

// ReadPast makes the session read a past state: at is the state as typed, "" for the present. It prints which state
// that is, because a word such as yesterday depends on the time zone.
func (s *Session) ReadPast(ctx context.Context, at string, omitHashed bool) error {
	if at == "" {
		return nil
	}
	state, err := when.ParseAt(at, time.Now())
	if err != nil {
		return argparse.Misused("argument --at: %s", err)
	}
	if state == (when.At{}) {
		return nil
	}
	past, err := s.Client.At(ctx, craton.Past{At: state.String(), OmitHashed: omitHashed})
	if err != nil {
		return PastError(err, http.StatusBadRequest)
	}
	s.Client = past
	words := "revision " + past.Revision()
	if !state.Time.IsZero() {
		words = fmt.Sprintf("%s (%s)", when.Format(state.Time), words)
	}
	_, _ = fmt.Fprintf(s.Err, "As of %s:\n", words)
	return nil
}

// PastError returns the error for a state that is not available: the server's reason, without the original's words
// around it. statuses are further ones that mean this.
func PastError(err error, also ...int) error {
	if reason, ok := connect.UnknownPast(err, "--omit-hashed", also...); ok {
		return NewWordedError("", reason, "", err)
	}
	return err
}

// TimeVar declares an option for a time as people type it, "" if it is not given.
func TimeVar(flags *pflag.FlagSet, into *string, name, usage string) {
	flags.Var((*timeText)(into), name, usage)
}

// timeText is the text of a time.
type timeText string

func (t *timeText) String() string { return string(*t) }
func (*timeText) Type() string     { return "time" }
func (t *timeText) Set(text string) error {
	*t = timeText(text)
	return when.CheckGiven(text)
}

// RefuseAt declares --at for a command that does not support the past, so that its error says why.
func RefuseAt(flags *pflag.FlagSet, why string) {
	flags.Var(refused(why), "at", "")
	_ = flags.MarkHidden("at") // it is there
}

// refused is a flag that is always an error.
type refused string

func (refused) String() string     { return "" }
func (refused) Type() string       { return "time" }
func (r refused) Set(string) error { return errors.New(string(r)) }
