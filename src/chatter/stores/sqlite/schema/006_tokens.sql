-- A user may have several tokens.  users.token_hash is no longer used; it stays, because
-- a database of servers of earlier versions has it, and tables are copied as they are.
CREATE TABLE tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- none is given twice: clients revoke by id
    user_id INTEGER NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    label TEXT NOT NULL,
    created_at INTEGER,  -- unknown of the tokens of those who joined before version 2
    seen_at INTEGER NOT NULL
);

CREATE INDEX tokens_of ON tokens (user_id);

INSERT INTO tokens (user_id, hash, label, created_at, seen_at)
    SELECT id, token_hash, '', joined_at, last_seen FROM users WHERE token_hash IS NOT NULL;

UPDATE users SET token_hash = NULL WHERE token_hash IS NOT NULL;
