// Command trilobite sees what is in pictures: from the command line, and as a server
// that Amazon Rekognition's and Google Vision's clients understand.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"trilobite"
)

// version is the release; the Makefile sets it from git.
var version = "dev"

// errReported ends a command whose failures have been reported one by one.
var errReported = errors.New("some images failed")

func main() {
	os.Exit(run())
}

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	program, _ := os.Executable() // "" where nobody knows: then nothing is measured by a process of its own
	err := newProgram(program).ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if !errors.Is(err, errReported) {
		fmt.Fprintln(os.Stderr, "trilobite:", errorText(err))
	}
	return 1
}

// errorText is what people read of an error: a domain error's own sentence, anything
// else as it is.
func errorText(err error) string {
	if trilobite.CodeOf(err) != trilobite.Internal {
		return trilobite.Message(err)
	}
	return err.Error()
}

func newRootCmd() *cobra.Command { return newProgram("") }

// newProgram returns all commands; program is where they lie.
func newProgram(program string) *cobra.Command {
	app := &App{program: program}
	cmd := &cobra.Command{
		Use:   "trilobite",
		Short: "Self-hosted computer vision behind the interfaces you already use",
		Long: `Trilobite looks at pictures with models that run on this machine and answers on the
command line, as Amazon Rekognition, as Google Vision and through its own API.

  trilobite label photo.jpg              what is in the picture
  trilobite detect --annotate out *.jpg  boxes, drawn
  trilobite segment --overlays out *.jpg --model road
                                         what each pixel shows, drawn
  trilobite serve                        the server, on http://localhost:8080`,
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	app.addFlags(cmd.PersistentFlags())
	cmd.AddCommand(
		newDetectCmd(app),
		newLabelCmd(app),
		newSegmentCmd(app),
		newServeCmd(app),
		newWorkerCmd(app),
		newModelsCmd(app),
		newModelCmd(app),
		newRunsCmd(app),
		newKeyCmd(app),
		newBackupCmd(app),
		newRestoreCmd(app),
		newGCCmd(app),
		newAuditCmd(app),
		newTrainCmd(app),
		newEvalCmd(app),
		newPreprocessCmd(app),
		newExportCmd(app),
		newCompareCmd(app),
		newDatasetCmd(app),
		newConfigCmd(app),
		newVersionCmd(app),
		newGradCmd(),
	)
	return cmd
}
