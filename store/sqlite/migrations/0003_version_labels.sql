-- +goose Up
-- A model's labels are many and are read with one version, never with a list of them.
ALTER TABLE version ADD COLUMN labels TEXT NOT NULL DEFAULT '[]'; -- document

-- +goose Down
ALTER TABLE version DROP COLUMN labels;
