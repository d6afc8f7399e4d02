-- In the order in which those who write take these locks: they wait, and there is no deadlock.
LOCK TABLE log_end, users IN ACCESS EXCLUSIVE MODE;

-- Names of this form are for those who have left: whoever has one gets another one.
UPDATE users SET
    name = 'was-' || name || CASE
        WHEN EXISTS (SELECT FROM users AS o WHERE o.folded_name = 'was-' || users.folded_name)
        THEN '-' || id ELSE '' END,
    folded_name = 'was-' || folded_name || CASE
        WHEN EXISTS (SELECT FROM users AS o WHERE o.folded_name = 'was-' || users.folded_name)
        THEN '-' || id ELSE '' END
WHERE folded_name ~ '^erased-[0-9]+$';

-- Users who leave for good.  The user keeps the id, and has another name.
ALTER TABLE users ADD COLUMN erasure smallint NOT NULL DEFAULT 0;  -- 1 under way, 2 finished

CREATE INDEX erasures_under_way ON users (id) WHERE erasure = 1;

-- The SHA-256 of the folded names that they have had, which nobody else can have.
CREATE TABLE taken_names (hash bytea PRIMARY KEY);

-- A trigger, because servers of earlier versions add users, too.
CREATE FUNCTION refuse_taken_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.folded_name ~ '^erased-[0-9]+$' OR EXISTS (
        SELECT FROM taken_names WHERE hash = sha256(convert_to(NEW.folded_name, 'UTF8'))
    ) THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER refuse_taken_name BEFORE INSERT ON users
    FOR EACH ROW EXECUTE FUNCTION refuse_taken_name();

-- Have a user erased, and append the entry that says so.  The row of log_end is locked.
-- Returns the entry; nothing if there is no such user, or it is erased already.
CREATE FUNCTION begin_erasure(of_user bigint, new_name text, at timestamptz)
RETURNS json LANGUAGE plpgsql AS $$
DECLARE
    old_name text;
    new_id bigint;
BEGIN
    SELECT folded_name INTO old_name FROM users WHERE id = of_user AND erasure = 0;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    INSERT INTO taken_names (hash) VALUES (sha256(convert_to(old_name, 'UTF8')));
    UPDATE users SET name = new_name, folded_name = new_name, token_hash = NULL, erasure = 1,
                     role = 'member', muted_until = NULL, banned_until = NULL
        WHERE id = of_user;
    DELETE FROM tokens WHERE user_id = of_user;
    UPDATE log_end SET last_id = last_id + 1 RETURNING last_id INTO new_id;
    INSERT INTO log (id, sender_id, text, sent_at, kind, about)
        VALUES (new_id, of_user, '', at, 4, of_user);
    PERFORM pg_notify('chatter', new_id::text);
    PERFORM wait_for_disk();
    RETURN json_build_object('id', new_id, 'sender_id', of_user, 'at', at);
END
$$;

CREATE FUNCTION finish_erasure(of_user bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE users SET erasure = 2 WHERE id = of_user;
    DELETE FROM chats WHERE user_id = of_user;
    PERFORM wait_for_disk();
END
$$;
