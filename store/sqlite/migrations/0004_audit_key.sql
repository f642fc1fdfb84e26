-- +goose Up
-- Which key asked for it; '' where keys are not required, or a worker did it.
ALTER TABLE audit ADD COLUMN key_id TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE audit DROP COLUMN key_id;
