-- +goose Up
-- Times are milliseconds since 1970, UTC. Text sorts by its bytes, as in SQLite.
CREATE TABLE key (
    id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account         TEXT             NOT NULL,
    name            TEXT             NOT NULL,
    created_at      BIGINT           NOT NULL,
    rotated_at      BIGINT,
    revoked_at      BIGINT,
    rate_per_second DOUBLE PRECISION NOT NULL,
    burst           BIGINT           NOT NULL,
    sealed          BYTEA            NOT NULL
);

CREATE INDEX key_account ON key (account, created_at);

-- +goose Down
DROP TABLE key;
