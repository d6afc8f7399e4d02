-- The epochs of the log, see chatter/log/lineage.py; a larger number is a newer one.
CREATE TABLE epochs (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    began_after INTEGER NOT NULL
);

-- Unknown of those who joined before this version.
ALTER TABLE users ADD COLUMN joined_at INTEGER;

-- Names are folded in another way than before.  Two that have become the same one stay
-- two: one of them is only found in its old form.
UPDATE OR IGNORE users SET folded_name = fold(name) WHERE folded_name <> fold(name);
