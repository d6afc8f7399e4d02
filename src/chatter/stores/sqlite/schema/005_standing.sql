-- What users may do.  A change of it is an entry of the log: its kind is 2, it is about the user.
ALTER TABLE users ADD COLUMN role TEXT NOT NULL DEFAULT 'member';
ALTER TABLE users ADD COLUMN muted_until INTEGER;
ALTER TABLE users ADD COLUMN banned_until INTEGER;

CREATE INDEX users_with_standing ON users (id)
    WHERE role <> 'member' OR muted_until IS NOT NULL OR banned_until IS NOT NULL;
