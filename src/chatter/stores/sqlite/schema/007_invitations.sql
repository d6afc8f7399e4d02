-- With these people join a chat that is not open to everybody.
CREATE TABLE invitations (
    hash BLOB PRIMARY KEY,
    uses_left INTEGER NOT NULL,
    expires_at INTEGER
) WITHOUT ROWID;
