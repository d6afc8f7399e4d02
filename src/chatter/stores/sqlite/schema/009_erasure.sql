-- Names of this form are for those who have left: whoever has one gets another one.
UPDATE users SET
    name = 'was-' || name || CASE
        WHEN EXISTS (SELECT 1 FROM users AS o WHERE o.folded_name = 'was-' || users.folded_name)
        THEN '-' || id ELSE '' END,
    folded_name = 'was-' || folded_name || CASE
        WHEN EXISTS (SELECT 1 FROM users AS o WHERE o.folded_name = 'was-' || users.folded_name)
        THEN '-' || id ELSE '' END
WHERE folded_name GLOB 'erased-[0-9]*' AND substr(folded_name, 8) NOT GLOB '*[^0-9]*';

-- Users who leave for good.  The user keeps the id, and has another name.
ALTER TABLE users ADD COLUMN erasure INTEGER NOT NULL DEFAULT 0;  -- 1 under way, 2 finished

CREATE INDEX erasures_under_way ON users (id) WHERE erasure = 1;

-- The SHA-256 of the folded names that they have had, which nobody else can have.
CREATE TABLE taken_names (hash BLOB PRIMARY KEY) WITHOUT ROWID;

-- No id is given twice, whatever is deleted by hand, or was: who sent something had an id.
CREATE TABLE users_end (last_id INTEGER NOT NULL);
INSERT INTO users_end SELECT max(
    coalesce((SELECT max(id) FROM users), 0),
    coalesce((SELECT max(sender_id) FROM log), 0),
    -- The same condition as the one of an index.
    coalesce((SELECT max(recipient_id) FROM log WHERE recipient_id IS NOT NULL), 0)
);

CREATE TRIGGER note_users_end AFTER DELETE ON users WHEN OLD.id > (SELECT last_id FROM users_end)
BEGIN
    UPDATE users_end SET last_id = OLD.id;
END;
