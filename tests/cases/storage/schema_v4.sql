CREATE TABLE answered (
    client INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    number INTEGER NOT NULL,
    time INTEGER NOT NULL,
    result BLOB NOT NULL,
    PRIMARY KEY (client, slot)
) STRICT, WITHOUT ROWID;
CREATE TABLE arrival (
    row INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    sender TEXT NOT NULL,
    control_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    site TEXT NOT NULL,
    keys BLOB NOT NULL,
    time INTEGER NOT NULL,
    address TEXT NOT NULL,
    digest BLOB NOT NULL,
    repeats INTEGER NOT NULL,
    state INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    answer BLOB NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE TABLE arrival_raw (
    row INTEGER PRIMARY KEY,
    raw BLOB NOT NULL
) STRICT;
CREATE TABLE audit (
    tenant INTEGER NOT NULL,
    row INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    time INTEGER NOT NULL,
    record BLOB NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (tenant, row)
) STRICT, WITHOUT ROWID;
CREATE TABLE audit_segment (
    tenant INTEGER NOT NULL,
    last INTEGER NOT NULL,
    oldest INTEGER NOT NULL,
    keys BLOB NOT NULL,
    PRIMARY KEY (tenant, last)
) STRICT, WITHOUT ROWID;
CREATE TABLE blob (
    tenant INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    size INTEGER NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (tenant, sha256)
) STRICT, WITHOUT ROWID;
CREATE TABLE blob_use (
    tenant INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    rid INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant, sha256, rid, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE by_date (
    tenant INTEGER NOT NULL, type INTEGER NOT NULL, date INTEGER NOT NULL, rid INTEGER NOT NULL,
    shape INTEGER NOT NULL, PRIMARY KEY (tenant, type, date, rid)
) WITHOUT ROWID;
CREATE TABLE composite (
    tenant INTEGER NOT NULL, grp INTEGER NOT NULL, value INTEGER NOT NULL, date INTEGER NOT NULL,
    rid INTEGER NOT NULL, number INTEGER NOT NULL, unit INTEGER NOT NULL, low, high,
    PRIMARY KEY (tenant, grp, value, date, rid, number)
) WITHOUT ROWID;
CREATE TABLE date (
    tenant INTEGER NOT NULL, grp INTEGER NOT NULL, low INTEGER NOT NULL, rid INTEGER NOT NULL,
    span INTEGER NOT NULL, PRIMARY KEY (tenant, grp, low, rid, span)
) WITHOUT ROWID;
CREATE TABLE departure (
    row INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    destination TEXT NOT NULL,
    control_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    time INTEGER NOT NULL,
    focus TEXT NOT NULL,
    names BLOB NOT NULL,
    state INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due INTEGER NOT NULL,
    answer BLOB NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE TABLE departure_name (
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    row INTEGER NOT NULL,
    PRIMARY KEY (tenant, name, row)
) STRICT, WITHOUT ROWID;
CREATE TABLE departure_raw (
    row INTEGER PRIMARY KEY,
    raw BLOB NOT NULL
) STRICT;
CREATE TABLE entry (
    rid INTEGER PRIMARY KEY, date INTEGER NOT NULL, shape INTEGER NOT NULL, packed BLOB NOT NULL
);
CREATE TABLE history (
    rid INTEGER NOT NULL,
    version INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    type INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    until INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    method INTEGER NOT NULL,
    codec INTEGER NOT NULL,
    key INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (rid, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE idempotency (
    tenant INTEGER NOT NULL,
    key TEXT NOT NULL,
    time INTEGER NOT NULL,
    result BLOB NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE index_group (
    id INTEGER PRIMARY KEY, type INTEGER NOT NULL, flavour INTEGER NOT NULL, keys BLOB NOT NULL
);
CREATE TABLE index_shape (
    id INTEGER PRIMARY KEY, type INTEGER NOT NULL, keys BLOB NOT NULL
);
CREATE TABLE ledger (
    tenant INTEGER NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    revision INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (tenant, kind, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE long_date (
    tenant INTEGER NOT NULL, grp INTEGER NOT NULL, high INTEGER NOT NULL, rid INTEGER NOT NULL,
    low INTEGER NOT NULL, PRIMARY KEY (tenant, grp, high, rid, low)
) WITHOUT ROWID;
CREATE TABLE mark (
    tenant INTEGER NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE message_count (
    tenant INTEGER NOT NULL,
    direction TEXT NOT NULL,
    peer TEXT NOT NULL,
    state TEXT NOT NULL,
    messages INTEGER NOT NULL,
    PRIMARY KEY (tenant, direction, peer, state)
) STRICT, WITHOUT ROWID;
CREATE TABLE number (
    tenant INTEGER NOT NULL, grp INTEGER NOT NULL, unit INTEGER NOT NULL, value NOT NULL,
    rid INTEGER NOT NULL, PRIMARY KEY (tenant, grp, unit, value, rid)
) WITHOUT ROWID;
CREATE TABLE outbox (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    topic TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE TABLE position (
    tenant INTEGER NOT NULL, grp INTEGER NOT NULL, latitude REAL NOT NULL,
    longitude REAL NOT NULL, rid INTEGER NOT NULL,
    PRIMARY KEY (tenant, grp, latitude, longitude, rid)
) WITHOUT ROWID;
CREATE TABLE purge_due (id INTEGER PRIMARY KEY);
CREATE TABLE reference (
    tenant INTEGER NOT NULL, target INTEGER NOT NULL, grp INTEGER NOT NULL, date INTEGER NOT NULL,
    rid INTEGER NOT NULL, version TEXT NOT NULL,
    PRIMARY KEY (tenant, target, grp, date, rid, version)
) WITHOUT ROWID;
CREATE TABLE reserved (
    rid INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, type INTEGER NOT NULL, id TEXT NOT NULL
);
CREATE TABLE resource (
    rid INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    type INTEGER NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    method INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    date INTEGER NOT NULL,
    codec INTEGER NOT NULL,
    key INTEGER NOT NULL,
    index_version INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE TABLE runtime_parameter (
    tenant INTEGER NOT NULL,
    key INTEGER NOT NULL,
    url TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    status TEXT NOT NULL,
    indexed INTEGER NOT NULL,
    counted INTEGER NOT NULL,
    after INTEGER NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sequence INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    fence INTEGER NOT NULL
) STRICT;
CREATE TABLE statistics (
    tenant INTEGER NOT NULL,
    type INTEGER NOT NULL,
    live INTEGER NOT NULL,
    versions INTEGER NOT NULL,
    PRIMARY KEY (tenant, type)
) STRICT, WITHOUT ROWID;
CREATE TABLE string (
    tenant INTEGER NOT NULL, grp INTEGER NOT NULL, inner INTEGER NOT NULL, text TEXT NOT NULL,
    rid INTEGER NOT NULL, PRIMARY KEY (tenant, grp, inner, text, rid)
) WITHOUT ROWID;
CREATE TABLE tenant_state (
    tenant INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL,
    next_parameter INTEGER NOT NULL
) STRICT;
CREATE TABLE term (id INTEGER PRIMARY KEY, text NOT NULL);
CREATE TABLE term_block (first INTEGER PRIMARY KEY, size INTEGER NOT NULL, space INTEGER NOT NULL);
CREATE TABLE token (
    tenant INTEGER NOT NULL, grp INTEGER NOT NULL, value INTEGER NOT NULL, date INTEGER NOT NULL,
    rid INTEGER NOT NULL, PRIMARY KEY (tenant, grp, value, date, rid)
) WITHOUT ROWID;
CREATE TABLE token_text (
    text INTEGER NOT NULL, term INTEGER NOT NULL, PRIMARY KEY (text, term)
) WITHOUT ROWID;
CREATE TABLE type_name (
    type INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE unit_pair (
    code INTEGER NOT NULL, unit INTEGER NOT NULL, stored INTEGER NOT NULL,
    PRIMARY KEY (code, unit, stored)
) WITHOUT ROWID;
CREATE TABLE wide_number (
    tenant INTEGER NOT NULL, grp INTEGER NOT NULL, unit INTEGER NOT NULL, low NOT NULL,
    high NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (tenant, grp, unit, low, high, rid)
) WITHOUT ROWID;
CREATE VIRTUAL TABLE word_index USING fts5 (
    words, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
);
CREATE TABLE word_list (id INTEGER PRIMARY KEY, digest BLOB NOT NULL, words NOT NULL);
CREATE INDEX arrival_control_id ON arrival (tenant, control_id, sender, digest);
CREATE INDEX arrival_open ON arrival (tenant, state, row) WHERE state <> 1;
CREATE INDEX arrival_site ON arrival (tenant, site, row);
CREATE INDEX blob_sha256 ON blob (sha256);
CREATE INDEX blob_use_rid ON blob_use (rid);
CREATE UNIQUE INDEX departure_control_id ON departure (tenant, control_id);
CREATE INDEX departure_destination ON departure (tenant, destination, row);
CREATE INDEX departure_open ON departure (tenant, state, destination, row) WHERE state <> 2;
CREATE INDEX history_updated ON history (tenant, type, updated);
CREATE INDEX ledger_expires ON ledger (expires) WHERE expires > 0;
CREATE UNIQUE INDEX reserved_id ON reserved (tenant, type, id);
CREATE UNIQUE INDEX resource_id ON resource (tenant, type, id);
CREATE INDEX resource_updated ON resource (tenant, type, updated);
CREATE UNIQUE INDEX runtime_parameter_url ON runtime_parameter (tenant, url);
CREATE INDEX term_text ON term (text);
CREATE UNIQUE INDEX word_list_digest ON word_list (digest);
