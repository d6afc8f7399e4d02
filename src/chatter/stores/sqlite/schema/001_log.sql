CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    folded_name TEXT NOT NULL UNIQUE,
    token_hash BLOB UNIQUE,
    cursor INTEGER NOT NULL,
    last_seen INTEGER NOT NULL  -- microseconds since 1970, like every time here
);

CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    sender_id INTEGER NOT NULL REFERENCES users,
    recipient_id INTEGER REFERENCES users,
    text TEXT NOT NULL,
    sent_at INTEGER NOT NULL,
    idempotency_key TEXT
);

-- One index for each stretch that is read, so that no read passes over a row
-- that it does not answer.
CREATE INDEX general_messages ON messages (id) WHERE recipient_id IS NULL;
CREATE INDEX sent_messages ON messages (sender_id, id) WHERE recipient_id IS NOT NULL;
CREATE INDEX received_messages ON messages (recipient_id, id) WHERE recipient_id IS NOT NULL;
CREATE INDEX private_messages ON messages (sender_id, recipient_id, id)
    WHERE recipient_id IS NOT NULL;
CREATE UNIQUE INDEX idempotency_keys ON messages (sender_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
