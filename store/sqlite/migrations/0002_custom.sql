-- +goose Up
-- Times are milliseconds since 1970, UTC; truths are 0 and 1; documents are JSON.
CREATE TABLE project (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    account     TEXT    NOT NULL,
    region      TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    stamp       INTEGER NOT NULL,
    status      TEXT    NOT NULL,
    feature     TEXT    NOT NULL,
    auto_update TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    UNIQUE (account, name)
) STRICT;

CREATE TABLE dataset (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id     INTEGER NOT NULL REFERENCES project (id),
    type           TEXT    NOT NULL,
    stamp          INTEGER NOT NULL,
    status         TEXT    NOT NULL,
    message        TEXT    NOT NULL,
    message_code   TEXT    NOT NULL,
    source         TEXT    NOT NULL, -- document
    source_dataset INTEGER NOT NULL, -- 0: none
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    UNIQUE (project_id, type)
) STRICT;

CREATE TABLE entry (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    dataset_id INTEGER NOT NULL REFERENCES dataset (id),
    source_ref TEXT    NOT NULL,
    line       TEXT    NOT NULL,
    labels     TEXT    NOT NULL, -- document; entry_label has them to search
    labeled    INTEGER NOT NULL,
    failed     INTEGER NOT NULL,
    checked    INTEGER NOT NULL,
    UNIQUE (dataset_id, source_ref)
) STRICT;

CREATE INDEX entry_count ON entry (dataset_id, labeled, failed);
CREATE INDEX entry_unchecked ON entry (dataset_id, id) WHERE checked = 0;

CREATE TABLE entry_label (
    entry_id   INTEGER NOT NULL,
    dataset_id INTEGER NOT NULL,
    label      TEXT    NOT NULL,
    boxes      INTEGER NOT NULL,
    PRIMARY KEY (entry_id, label)
) STRICT, WITHOUT ROWID;

CREATE INDEX entry_label_dataset ON entry_label (dataset_id, label, boxes);

CREATE TABLE version (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES project (id),
    name       TEXT    NOT NULL,
    stamp      INTEGER NOT NULL,
    status     TEXT    NOT NULL,
    reading    INTEGER NOT NULL, -- 1: its training has not yet read the project's data sets
    model      TEXT    NOT NULL, -- '': none yet
    created_at INTEGER NOT NULL,
    detail     TEXT    NOT NULL, -- document
    UNIQUE (project_id, name)
) STRICT;

CREATE INDEX version_project ON version (project_id, id);
CREATE INDEX version_model ON version (model);

CREATE TABLE tag (
    kind    TEXT    NOT NULL,
    subject INTEGER NOT NULL,
    name    TEXT    NOT NULL,
    value   TEXT    NOT NULL,
    PRIMARY KEY (kind, subject, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE policy (
    project_id INTEGER NOT NULL REFERENCES project (id),
    name       TEXT    NOT NULL,
    revision   TEXT    NOT NULL,
    document   TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE task (
    work       TEXT    NOT NULL,
    subject    INTEGER NOT NULL,
    token      INTEGER NOT NULL,
    holder     TEXT    NOT NULL, -- '': nobody
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (work, subject)
) STRICT, WITHOUT ROWID;

-- One row: the last token that a lease was given. Tokens are never used twice, not
-- even by a task of the same name that comes later.
CREATE TABLE fence (token INTEGER NOT NULL) STRICT;
INSERT INTO fence (token) VALUES (0);

CREATE TABLE audit (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    account  TEXT    NOT NULL,
    action   TEXT    NOT NULL,
    resource TEXT    NOT NULL
) STRICT;

CREATE INDEX audit_account ON audit (account, at);

-- +goose Down
DROP TABLE audit;
DROP TABLE fence;
DROP TABLE task;
DROP TABLE policy;
DROP TABLE tag;
DROP TABLE version;
DROP TABLE entry_label;
DROP TABLE entry;
DROP TABLE dataset;
DROP TABLE project;
