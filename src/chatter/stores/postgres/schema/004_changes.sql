-- The same order of locks as of those who write: they wait, and there is no deadlock.  No row
-- is read or written, so it takes as long for any log.
LOCK TABLE log_end, messages IN ACCESS EXCLUSIVE MODE;

-- The log has entries of several kinds, see chatter/log/entries.py.
ALTER TABLE messages RENAME TO log;
ALTER TABLE log
    ADD COLUMN kind smallint NOT NULL DEFAULT 0,  -- 0 message, 1 change of one
    ADD COLUMN about bigint,                      -- of a change: its message
    ADD COLUMN by_id bigint,                      -- who did it, if not the sender
    ADD COLUMN change_id bigint,                  -- of an edited message: its newest change
    ADD COLUMN edited_at timestamptz;

-- What servers of earlier versions know.  They go on, and neither see nor tell of changes.
CREATE VIEW messages AS
    SELECT id, sender_id, recipient_id, text, sent_at, idempotency_key FROM log WHERE kind = 0;

CREATE OR REPLACE FUNCTION log_identity() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT concat(
        (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint,
        ' ',
        pg_relation_filepath('log')
    )
$$;

CREATE OR REPLACE FUNCTION note_chats() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chats (user_id, other_id, last_id)
    SELECT user_id, other_id, max(id) FROM (
        SELECT sender_id AS user_id, recipient_id AS other_id, id FROM new_messages
        WHERE recipient_id IS NOT NULL AND kind = 0
        UNION ALL
        SELECT recipient_id, sender_id, id FROM new_messages
        WHERE recipient_id IS NOT NULL AND kind = 0
    ) AS pairs GROUP BY user_id, other_id
    ON CONFLICT (user_id, other_id) DO UPDATE SET last_id = excluded.last_id;
    RETURN NULL;
END
$$;

-- When its last message is gone, a chat has the one before; with none it is in no list.
CREATE FUNCTION note_chats_of_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE chats SET last_id = coalesce((
        SELECT max(id) FROM (
            (SELECT id FROM log WHERE sender_id = OLD.sender_id
             AND recipient_id = OLD.recipient_id AND kind = 0 ORDER BY id DESC LIMIT 1)
            UNION ALL
            (SELECT id FROM log WHERE sender_id = OLD.recipient_id
             AND recipient_id = OLD.sender_id AND kind = 0 ORDER BY id DESC LIMIT 1)
        ) AS newest
    ), 0)
    WHERE last_id = OLD.id AND user_id IN (OLD.sender_id, OLD.recipient_id)
    AND other_id IN (OLD.sender_id, OLD.recipient_id);
    RETURN NULL;
END
$$;

CREATE TRIGGER note_chats_of_deleted AFTER DELETE ON log
    FOR EACH ROW WHEN (OLD.kind = 0 AND OLD.recipient_id IS NOT NULL)
    EXECUTE FUNCTION note_chats_of_deleted();

-- Edit or withdraw a message (without a text), and append a change with the id.  The row of
-- log_end is locked.  Returns the message as it is now or was; whether it has changed.
CREATE FUNCTION change_message(
    message_id bigint, new_text text, actor bigint, at timestamptz, new_id bigint,
    OUT message json, OUT has_changed boolean
) LANGUAGE plpgsql AS $$
DECLARE
    m log%ROWTYPE;
BEGIN
    has_changed := false;
    SELECT * INTO m FROM log WHERE id = message_id AND kind = 0;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF m.text IS DISTINCT FROM new_text THEN
        has_changed := true;
        -- The newest change stays, and has the key of a message that is gone.
        DELETE FROM log WHERE id = m.change_id;
        IF new_text IS NULL THEN
            DELETE FROM log WHERE id = message_id;
        ELSE
            UPDATE log SET text = new_text, change_id = new_id, edited_at = at
            WHERE id = message_id;
        END IF;
        INSERT INTO log (id, sender_id, recipient_id, text, sent_at, idempotency_key, kind, about,
                         by_id)
        VALUES (new_id, m.sender_id, m.recipient_id, '', at,
                CASE WHEN new_text IS NULL THEN m.idempotency_key END, 1, message_id,
                nullif(actor, m.sender_id));
        IF new_text IS NOT NULL THEN
            m.text := new_text;
            m.edited_at := at;
        END IF;
    END IF;
    message := json_build_object('id', m.id, 'sender_id', m.sender_id,
        'recipient_id', m.recipient_id, 'text', m.text, 'sent_at', m.sent_at,
        'edited_at', m.edited_at);
END
$$;

-- Write a batch, as before, and change messages after that.  Of each change there is, in
-- "changed", the message, or null if there is none; and the id if something has changed.  A
-- key that is among "earlier" with "is_gone" is the one of a message that was withdrawn.
CREATE FUNCTION write_batch(
    drafts json, new_users json, progress json, changes json,
    OUT last_id bigint, OUT earlier json, OUT added json, OUT changed json
) LANGUAGE plpgsql AS $$
DECLARE
    newest bigint;
    appended bigint := 0;
    known text;
    change record;
    done record;
    all_changed json[] := '{}';
BEGIN
    SELECT log_end.last_id, identity INTO STRICT last_id, known FROM log_end FOR UPDATE;
    IF known IS DISTINCT FROM log_identity() THEN
        PERFORM begin_epoch(last_id);
    END IF;

    -- Each statement from here on sees all that was committed before the lock was
    -- got.  As one statement they would see what was there before they waited for it.
    IF drafts IS NOT NULL THEN
        SELECT json_agg(m) INTO earlier FROM (
            SELECT coalesce(about, id) AS id, e.sender_id, recipient_id, text, sent_at, edited_at,
                   idempotency_key, kind <> 0 AS is_gone
            FROM json_to_recordset(drafts) AS d (sender_id bigint, key text)
            JOIN log e ON e.sender_id = d.sender_id AND e.idempotency_key = d.key
        ) AS m;

        INSERT INTO log (id, sender_id, recipient_id, text, sent_at, idempotency_key)
        SELECT write_batch.last_id + row_number() OVER (ORDER BY place),
               sender_id, recipient_id, text, sent_at, key
        FROM ROWS FROM (
            json_to_recordset(drafts)
            AS (sender_id bigint, recipient_id bigint, text text, sent_at timestamptz, key text)
        ) WITH ORDINALITY AS d (sender_id, recipient_id, text, sent_at, key, place)
        WHERE NOT EXISTS (
            SELECT FROM log m WHERE m.sender_id = d.sender_id AND m.idempotency_key = d.key
        );
        GET DIAGNOSTICS appended = ROW_COUNT;
    END IF;
    newest := last_id + appended;

    IF changes IS NOT NULL THEN
        FOR change IN
            SELECT * FROM ROWS FROM (
                json_to_recordset(changes)
                AS (message_id bigint, text text, by_id bigint, at timestamptz)
            ) WITH ORDINALITY AS c (message_id, text, by_id, at, place) ORDER BY place
        LOOP
            SELECT * INTO done
            FROM change_message(change.message_id, change.text, change.by_id, change.at, newest + 1);
            IF done.has_changed THEN
                newest := newest + 1;
            END IF;
            all_changed := all_changed || json_build_object(
                'id', CASE WHEN done.has_changed THEN newest END, 'message', done.message
            );
        END LOOP;
        changed := array_to_json(all_changed);
    END IF;

    IF new_users IS NOT NULL THEN
        WITH inserted AS (
            INSERT INTO users (name, folded_name, token_hash, cursor, last_seen, joined_at)
            SELECT name, folded_name, decode(token_hash, 'hex'), cursor, last_seen, last_seen
            FROM json_to_recordset(new_users) AS u (
                name text, folded_name text, token_hash text, cursor bigint, last_seen timestamptz
            )
            ON CONFLICT DO NOTHING
            RETURNING id, name, last_seen, folded_name
        )
        SELECT json_object_agg(folded_name, id) INTO added FROM inserted;
    END IF;

    UPDATE users
    SET cursor = greatest(users.cursor, p.cursor),
        last_seen = greatest(users.last_seen, p.last_seen)
    FROM json_to_recordset(progress) AS p (id bigint, cursor bigint, last_seen timestamptz)
    WHERE users.id = p.id;

    IF newest > last_id THEN
        UPDATE log_end SET last_id = newest;
        PERFORM pg_notify('chatter', newest::text);
    ELSIF new_users IS NULL THEN
        -- What is lost of this in a crash only repeats messages.
        PERFORM set_config('synchronous_commit', 'off', true);
    END IF;
END
$$;

-- What servers of earlier versions call.
CREATE OR REPLACE FUNCTION write_batch(
    drafts json, new_users json, progress json,
    OUT last_id bigint, OUT earlier json, OUT added json
) LANGUAGE sql AS $$
    SELECT last_id, earlier, added FROM write_batch(drafts, new_users, progress, NULL)
$$;
