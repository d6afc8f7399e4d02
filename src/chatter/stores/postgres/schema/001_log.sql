CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    folded_name text NOT NULL UNIQUE,
    token_hash bytea UNIQUE,
    cursor bigint NOT NULL,
    last_seen timestamptz NOT NULL
) WITH (fillfactor = 70);  -- room to move cursors in place

-- No foreign keys: the chat has looked the users up, nobody is ever removed, and
-- each check would lock a row that others move the cursor of.
CREATE TABLE messages (
    id bigint PRIMARY KEY,
    sender_id bigint NOT NULL,
    recipient_id bigint,
    text text NOT NULL,
    sent_at timestamptz NOT NULL,
    idempotency_key text
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

-- The id of the newest message.  Whoever writes locks this row first and until the
-- commit, so that ids become visible in their order, without gaps.
CREATE TABLE log_end (last_id bigint NOT NULL);
INSERT INTO log_end VALUES (0);

-- Write a batch: drafts of messages, new users, how far users have moved.
--
-- Drafts must differ in sender and key.  Those that are new get the ids after
-- "last_id", in their order; the first message of a key that was used is among
-- "earlier" with its key.  Users whose name is taken are not among "added".
CREATE FUNCTION write_batch(
    drafts json, new_users json, progress json,
    OUT last_id bigint, OUT earlier json, OUT added json
) LANGUAGE plpgsql AS $$
DECLARE
    appended bigint := 0;
BEGIN
    SELECT log_end.last_id INTO STRICT last_id FROM log_end FOR UPDATE;

    -- Each statement from here on sees all that was committed before the lock was
    -- got.  As one statement they would see what was there before they waited for it.
    IF drafts IS NOT NULL THEN
        SELECT json_agg(m) INTO earlier
        FROM json_to_recordset(drafts) AS d (sender_id bigint, key text)
        JOIN messages m ON m.sender_id = d.sender_id AND m.idempotency_key = d.key;

        INSERT INTO messages (id, sender_id, recipient_id, text, sent_at, idempotency_key)
        SELECT write_batch.last_id + row_number() OVER (ORDER BY place),
               sender_id, recipient_id, text, sent_at, key
        FROM ROWS FROM (
            json_to_recordset(drafts)
            AS (sender_id bigint, recipient_id bigint, text text, sent_at timestamptz, key text)
        ) WITH ORDINALITY AS d (sender_id, recipient_id, text, sent_at, key, place)
        WHERE NOT EXISTS (
            SELECT FROM messages m WHERE m.sender_id = d.sender_id AND m.idempotency_key = d.key
        );
        GET DIAGNOSTICS appended = ROW_COUNT;
    END IF;

    IF new_users IS NOT NULL THEN
        WITH inserted AS (
            INSERT INTO users (name, folded_name, token_hash, cursor, last_seen)
            SELECT name, folded_name, decode(token_hash, 'hex'), cursor, last_seen
            FROM json_to_recordset(new_users) AS u (
                name text, folded_name text, token_hash text, cursor bigint, last_seen timestamptz
            )
            ON CONFLICT (folded_name) DO NOTHING
            RETURNING id, name, last_seen, folded_name
        )
        SELECT json_object_agg(folded_name, id) INTO added FROM inserted;
    END IF;

    UPDATE users
    SET cursor = greatest(users.cursor, p.cursor),
        last_seen = greatest(users.last_seen, p.last_seen)
    FROM json_to_recordset(progress) AS p (id bigint, cursor bigint, last_seen timestamptz)
    WHERE users.id = p.id;

    IF appended > 0 THEN
        UPDATE log_end SET last_id = write_batch.last_id + appended;
        PERFORM pg_notify('chatter', (write_batch.last_id + appended)::text);
    ELSIF new_users IS NULL THEN
        -- What is lost of this in a crash only repeats messages.
        PERFORM set_config('synchronous_commit', 'off', true);
    END IF;
END
$$;
