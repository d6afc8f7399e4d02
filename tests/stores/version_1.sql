-- A database of schema 1, as .dump of the sqlite3 shell writes it.
PRAGMA application_id = 1667785076; PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    sender_id INTEGER NOT NULL REFERENCES users,
    recipient_id INTEGER REFERENCES users,
    text TEXT NOT NULL,
    sent_at INTEGER NOT NULL,
    idempotency_key TEXT
);
INSERT INTO "messages" VALUES(1,1,NULL,'a',1700000000000000,'key');
INSERT INTO "messages" VALUES(2,2,1,'psst',1700000000000001,NULL);
INSERT INTO "messages" VALUES(3,3,NULL,'c',1700000000000002,NULL);
CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    folded_name TEXT NOT NULL UNIQUE,
    token_hash BLOB UNIQUE,
    cursor INTEGER NOT NULL,
    last_seen INTEGER NOT NULL  -- microseconds since 1970, like every time here
);
INSERT INTO "users" VALUES(1,'Alice','alice',X'6161616161616161616161616161616161616161616161616161616161616161',1,1700000000000000);
INSERT INTO "users" VALUES(2,'al͏ice','al͏ice',NULL,2,1700000000000000);
INSERT INTO "users" VALUES(3,'Two  blanks','two  blanks',X'6363636363636363636363636363636363636363636363636363636363636363',3,1700000000000000);
CREATE INDEX general_messages ON messages (id) WHERE recipient_id IS NULL;
CREATE INDEX sent_messages ON messages (sender_id, id) WHERE recipient_id IS NOT NULL;
CREATE INDEX received_messages ON messages (recipient_id, id) WHERE recipient_id IS NOT NULL;
CREATE INDEX private_messages ON messages (sender_id, recipient_id, id)
    WHERE recipient_id IS NOT NULL;
CREATE UNIQUE INDEX idempotency_keys ON messages (sender_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
COMMIT;
