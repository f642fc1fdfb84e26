-- +goose Up
-- Times are milliseconds since 1970, UTC.
CREATE TABLE key (
    id              TEXT    NOT NULL PRIMARY KEY,
    account         TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    rotated_at      INTEGER,
    revoked_at      INTEGER,
    rate_per_second REAL    NOT NULL,
    burst           INTEGER NOT NULL,
    sealed          BLOB    NOT NULL
) STRICT;

CREATE INDEX key_account ON key (account, created_at);

-- +goose Down
DROP TABLE key;
