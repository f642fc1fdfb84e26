package jobs

import (
	"context"
	"path"

	"trilobite"
	"trilobite/custom"
)

// start makes a version ready to predict.
func (w *Worker) start(ctx context.Context, l custom.Lease) error {
	v, err := w.Store.VersionByID(ctx, l.Subject)
	if err != nil {
		return err
	}
	event := custom.DidStart
	v.Message = "The model is running."
	if err := w.Predictor.Load(ctx, v.Model.Name, v.Replicas()); err != nil {
		if ctx.Err() != nil {
			return err
		}
		w.Log.ErrorContext(ctx, "starting a model", "version", v.ARN.String(), "error", err)
		event, v.Message = custom.DidNotStart, "The model could not be started: "+trilobite.Message(err)
	}
	return w.Store.FinishVersion(ctx, l, event, v.VersionDetail)
}

// stop ends a version's service and frees its memory.
func (w *Worker) stop(ctx context.Context, l custom.Lease) error {
	v, err := w.Store.VersionByID(ctx, l.Subject)
	if err != nil {
		return err
	}
	if err := w.Predictor.Unload(ctx, v.Model.Name); err != nil {
		return err
	}
	v.Message, v.MinUnits, v.MaxUnits = "The model is stopped.", 0, 0
	return w.Store.FinishVersion(ctx, l, custom.DidStop, v.VersionDetail)
}

// copyVersion finishes a copy: the model itself is shared, the results are written to
// the copy's output.
func (w *Worker) copyVersion(ctx context.Context, l custom.Lease) error {
	v, err := w.Store.VersionByID(ctx, l.Subject)
	if err != nil {
		return err
	}
	from, err := custom.ParseARN(v.Source)
	if err != nil {
		return err
	}
	event := custom.DidCopy
	v.Message = "The model is copied and ready to run."
	if e := v.Evaluation; e != nil {
		to := custom.Object{Bucket: v.Output.Bucket, Key: path.Join(v.Output.Prefix, path.Base(e.Summary.Key))}
		const most = 64 << 20
		data, err := w.Objects.Read(ctx, from.Account, e.Summary.Bucket, e.Summary.Key, "", most)
		if err == nil {
			err = w.Objects.Write(ctx, v.ARN.Account, to.Bucket, to.Key, data)
		}
		switch {
		case ctx.Err() != nil:
			return err
		case err != nil:
			w.Log.WarnContext(ctx, "copying results", "version", v.ARN.String(), "error", err)
			event, v.Message, v.Model = custom.DidNotCopy, CannotWriteOutput.Message(), custom.ModelRef{}
		default:
			v.Evaluation = &custom.Evaluation{F1: e.F1, Summary: to}
		}
	}
	v.TrainingFiles, v.TestingFiles, v.Manifests = custom.VersionFiles{}, custom.VersionFiles{}, nil // the source's
	return w.Store.FinishVersion(ctx, l, event, v.VersionDetail)
}

// deleteVersion takes a version away, and its model with the last version that has it.
func (w *Worker) deleteVersion(ctx context.Context, l custom.Lease) error {
	v, err := w.Store.VersionByID(ctx, l.Subject)
	if err != nil {
		return err
	}
	if name := v.Model.Name; name != "" {
		shared, err := w.Store.ModelInUse(ctx, name, v.ID)
		if err != nil {
			return err
		}
		if !shared {
			if err := w.Predictor.Remove(ctx, name); err != nil {
				return err
			}
		}
	}
	return w.remove(ctx, l)
}
