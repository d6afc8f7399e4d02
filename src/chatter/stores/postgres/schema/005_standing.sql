-- In the order in which those who write take these locks: they wait, and there is no deadlock.
LOCK TABLE log_end, users IN ACCESS EXCLUSIVE MODE;

-- What users may do.  A change of it is an entry of the log: its kind is 2, it is about the
-- user.  Servers of earlier versions know neither, and pass over it.
ALTER TABLE users
    ADD COLUMN role text NOT NULL DEFAULT 'member',
    ADD COLUMN muted_until timestamptz,
    ADD COLUMN banned_until timestamptz;

CREATE INDEX users_with_standing ON users (id)
    WHERE role <> 'member' OR muted_until IS NOT NULL OR banned_until IS NOT NULL;

-- Change the standing of a user, and append the entry that says so.  The row of log_end is
-- locked.  Returns the entry; nothing if there is no such user.
CREATE FUNCTION set_standing(draft json) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
    d record;
    u users%ROWTYPE;
    new_id bigint;
BEGIN
    SELECT * INTO STRICT d FROM json_to_record(draft) AS r (
        user_id bigint, what text, role text, until timestamptz, by_id bigint, at timestamptz
    );
    UPDATE users SET
        role = CASE d.what WHEN 'role' THEN d.role ELSE users.role END,
        muted_until = CASE d.what WHEN 'mute' THEN d.until ELSE users.muted_until END,
        banned_until = CASE d.what WHEN 'ban' THEN d.until ELSE users.banned_until END
    WHERE id = d.user_id AND erasure = 0 RETURNING * INTO u;  -- the column comes with 009
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    UPDATE log_end SET last_id = last_id + 1 RETURNING last_id INTO new_id;
    INSERT INTO log (id, sender_id, recipient_id, text, sent_at, kind, about)
        VALUES (new_id, d.by_id, u.id, '', d.at, 2, u.id);
    PERFORM pg_notify('chatter', new_id::text);
    -- Not even where the rest of the transaction may be lost.
    PERFORM set_config('synchronous_commit',
        CASE reset_val WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true)
        FROM pg_settings WHERE name = 'synchronous_commit';
    RETURN json_build_object('id', new_id, 'sender_id', d.by_id, 'recipient_id', u.id,
        'role', u.role, 'muted_until', u.muted_until, 'banned_until', u.banned_until,
        'at', d.at);
END
$$;

-- Refuse a batch that was held up, by the network or by a lock, until its sender has given it up:
-- it must not be written after newer ones of other servers.
CREATE FUNCTION too_late() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE query_canceled USING MESSAGE = 'the write came too late';
END
$$;
