-- Messages that users have reported; a user reports a message once.
CREATE TABLE reports (
    id INTEGER PRIMARY KEY,
    message_id INTEGER NOT NULL,
    author_id INTEGER NOT NULL,
    reporter_id INTEGER NOT NULL,
    reason TEXT NOT NULL,
    reported_at INTEGER NOT NULL,
    UNIQUE (message_id, reporter_id)
);

CREATE INDEX reports_of_author ON reports (author_id, reported_at);

-- Networks from which nobody may use the chat.  A change of one is an entry of the log of kind 5,
-- which has the network as its text.
CREATE TABLE address_bans (
    network TEXT PRIMARY KEY,
    until INTEGER NOT NULL
) WITHOUT ROWID;
