package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trilobite"
	"trilobite/atomicfile"
	"trilobite/backup"
	"trilobite/config"
	"trilobite/store/sqlite"
)

func newBackupCmd(app *App) *cobra.Command {
	var asJSON, force, filesOnly bool
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write the home (records, models, images, buckets) into one file, while serving",
		Long: `Writes a tar archive of the home as it is at one moment; servers and trainings go on
meanwhile. "-" is standard output. The archive holds the master key: keep it as you keep keys.

Not in it: fetched packages, buckets that the settings map to URLs or keep at s3.url, and a
PostgreSQL database, which pg_dump copies; --files-only leaves the records out then.`,
		Example: "  trilobite backup /mnt/nas/trilobite-$(date +%F).tar\n  trilobite backup - | ssh nas 'cat > trilobite.tar'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := app.config(cmd)
			if err != nil {
				return err
			}
			source, err := backupSource(c, filesOnly)
			if err != nil {
				return err
			}
			began := time.Now()
			if args[0] == "-" {
				_, err := backup.Write(cmd.Context(), cmd.OutOrStdout(), source)
				return err
			}
			content, err := backupTo(cmd.Context(), args[0], force, source)
			if err != nil {
				return err
			}
			for _, l := range content.Links {
				fmt.Fprintf(cmd.ErrOrStderr(), "%s is a link: what it leads to is not in the archive\n", l)
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{
					"file": args[0], "files": len(content.Files), "bytes": content.Bytes, "records": content.Records, "links": append([]string{}, content.Links...),
					"seconds": time.Since(began).Seconds(),
				})
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %d files, %s, in %s\n", args[0], len(content.Files), bytesText(content.Bytes), time.Since(began).Round(time.Millisecond))
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&force, "force", false, "replace FILE if it is there")
	cmd.Flags().BoolVar(&filesOnly, "files-only", false, "without the records")
	return cmd
}

// backupTo writes an archive to a file: whole or not at all.
func backupTo(ctx context.Context, name string, force bool, s backup.Source) (backup.Content, error) {
	if _, err := os.Lstat(name); err == nil && !force {
		return backup.Content{}, &trilobite.Error{Op: "backup", Code: trilobite.Exists, Msg: name + " is there already; --force replaces it."}
	}
	var c backup.Content
	err := atomicfile.Write(name, 0o600, func(w io.Writer) (err error) {
		c, err = backup.Write(ctx, w, s)
		return err
	})
	return c, err
}

// backupSource is the home of the settings.
func backupSource(c config.Config, filesOnly bool) (backup.Source, error) {
	home, err := filepath.EvalSymlinks(c.Home)
	if errors.Is(err, fs.ErrNotExist) {
		return backup.Source{}, &trilobite.Error{Op: "backup", Code: trilobite.NotFound, Msg: "There is no home at " + c.Home + "."}
	} else if err != nil {
		return backup.Source{}, err
	}
	s := backup.Source{Home: home, Database: filepath.Join(home, filepath.Base(databaseFile(c))), Version: version}
	if filesOnly {
		return s, nil
	}
	if c.Database != "" {
		return s, &trilobite.Error{Op: "backup", Code: trilobite.Invalid,
			Msg: "The records are in PostgreSQL: pg_dump copies them, and this command the rest with --files-only, in this order."}
	}
	if _, err := os.Stat(s.Database); errors.Is(err, fs.ErrNotExist) {
		return s, nil // nothing was recorded yet
	}
	s.Snapshot = func(ctx context.Context, file string) error { return sqlite.Snapshot(ctx, s.Database, file) }
	s.Check = hasModels
	return s, nil
}

// hasModels fails if a copy of the records names a model that a folder does not have.
func hasModels(ctx context.Context, records, folder string) error {
	models, err := sqlite.Models(ctx, records)
	if err != nil {
		return err
	}
	for _, m := range models {
		name, version, _ := strings.Cut(m, "@")
		if _, err := os.Stat(filepath.Join(folder, "custom", "models", name, version, "card.yaml")); err != nil {
			return fmt.Errorf("the model %s of the records: %w", m, err)
		}
	}
	return nil
}

func newRestoreCmd(app *App) *cobra.Command {
	var asJSON, replace bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make the home of a backup",
		Long: `Verifies the archive, then puts it in the home's place: whole or not at all. The home must
be empty; --replace moves what is there aside. No server or worker may run on it. "-" is
standard input. Trainings that were under way in the backup go on when a server starts.`,
		Example: "  trilobite restore /mnt/nas/trilobite-2026-05-01.tar --home /srv/trilobite",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := app.config(cmd)
			if err != nil {
				return err
			}
			in := cmd.InOrStdin()
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer f.Close()
				in = f
			}
			content, aside, err := restore(cmd.Context(), in, filepath.Clean(c.Home), replace)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{
					"home": c.Home, "files": len(content.Files), "bytes": content.Bytes, "records": content.Records, "created_at": content.CreatedAt, "moved_aside": aside,
				})
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %d files, %s, of %s\n", c.Home, len(content.Files), bytesText(content.Bytes), content.CreatedAt.Local().Format(time.DateTime))
			if aside != "" {
				fmt.Fprintf(cmd.OutOrStdout(), "What was there is in %s.\n", aside)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&replace, "replace", false, "move a home that is there aside")
	return cmd
}

// restore is backup.Restore, alone with the home, with records that are whole.
func restore(ctx context.Context, in io.Reader, home string, replace bool) (backup.Content, string, error) {
	done, err := backup.Alone(home)
	if err != nil {
		return backup.Content{}, "", err
	}
	defer done()
	return backup.Restore(ctx, in, home, replace, func(ctx context.Context, folder string) error {
		file := databaseFile(config.Config{Home: folder})
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err := sqlite.Intact(ctx, file); err != nil {
			return err
		}
		return hasModels(ctx, file, folder)
	})
}

// bytesText is a size for people.
func bytesText(n int64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
