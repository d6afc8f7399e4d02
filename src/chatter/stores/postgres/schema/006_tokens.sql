-- In the order in which those who write take these locks: they wait, and there is no deadlock.
LOCK TABLE log_end, users IN ACCESS EXCLUSIVE MODE;

-- A user may have several tokens.  The first one is in users.token_hash, too, where servers of
-- earlier versions look for it.
CREATE TABLE tokens (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL,
    hash bytea NOT NULL UNIQUE,
    label text NOT NULL,
    created_at timestamptz,  -- unknown of the tokens of those who joined before version 2
    seen_at timestamptz NOT NULL
) WITH (fillfactor = 70);

CREATE INDEX tokens_of ON tokens (user_id);

INSERT INTO tokens (user_id, hash, label, created_at, seen_at)
    SELECT id, token_hash, '', joined_at, last_seen FROM users WHERE token_hash IS NOT NULL;

-- A trigger, because servers of earlier versions add users, too.
CREATE FUNCTION note_token() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tokens (user_id, hash, label, created_at, seen_at)
        VALUES (NEW.id, NEW.token_hash, '', NEW.joined_at, NEW.last_seen);
    RETURN NULL;
END
$$;

CREATE TRIGGER note_token AFTER INSERT ON users
    FOR EACH ROW WHEN (NEW.token_hash IS NOT NULL) EXECUTE FUNCTION note_token();

-- Have the transaction wait for the disk, whatever else is in it.
CREATE FUNCTION wait_for_disk() RETURNS void LANGUAGE sql AS $$
    SELECT set_config('synchronous_commit',
        CASE reset_val WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true)
    FROM pg_settings WHERE name = 'synchronous_commit'
$$;

-- Give a user one more token, unless it is somebody's, or the user has as many as are allowed, or
-- has left for good.  The row of log_end is locked, so that nobody is erased meanwhile.
CREATE FUNCTION add_token(
    of_user bigint, token_hash bytea, label text, at timestamptz, most bigint,
    OUT new_id bigint, OUT refused text
) LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM users WHERE id = of_user AND erasure = 0) THEN
        refused := 'left';
    ELSIF EXISTS (SELECT FROM tokens WHERE hash = token_hash) THEN
        refused := 'used';
    ELSIF (SELECT count(*) FROM tokens WHERE user_id = of_user) >= most THEN
        refused := 'many';
    ELSE
        INSERT INTO tokens (user_id, hash, label, created_at, seen_at)
            VALUES (of_user, token_hash, label, at, at)
            ON CONFLICT (hash) DO NOTHING RETURNING id INTO new_id;
        IF new_id IS NULL THEN
            refused := 'used';
        END IF;
        PERFORM wait_for_disk();
    END IF;
END
$$;

-- Of whom tokens were revoked last: a server that did not hear of it looks here.  It is
-- written while the row of log_end is locked, so that numbers become visible in their order.
CREATE SEQUENCE revocation_numbers;
CREATE TABLE revocations (user_id bigint PRIMARY KEY, number bigint NOT NULL UNIQUE);

-- Take a token from a user, or all.  Returns how many were taken, and the revocation's number.
CREATE FUNCTION revoke_tokens(of_user bigint, token bigint, OUT gone bigint, OUT number bigint)
LANGUAGE plpgsql AS $$
DECLARE
    hashes bytea[];
BEGIN
    WITH taken AS (
        DELETE FROM tokens WHERE user_id = of_user AND (token IS NULL OR id = token)
        RETURNING hash
    )
    SELECT coalesce(array_agg(hash), '{}') INTO hashes FROM taken;
    gone := cardinality(hashes);
    IF gone = 0 THEN
        RETURN;
    END IF;
    UPDATE users SET token_hash = NULL WHERE id = of_user AND token_hash = ANY (hashes);
    number := nextval('revocation_numbers');
    INSERT INTO revocations AS r (user_id, number) VALUES (of_user, revoke_tokens.number)
        ON CONFLICT (user_id) DO UPDATE SET number = excluded.number;
    PERFORM wait_for_disk();
    PERFORM pg_notify('chatter', concat('revoked ', number, ' ', of_user));
END
$$;
