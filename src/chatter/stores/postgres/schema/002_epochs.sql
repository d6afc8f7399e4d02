-- The same order of locks as of those who write: they wait, and there is no deadlock.
LOCK TABLE log_end IN ACCESS EXCLUSIVE MODE;

-- The epochs of the log, see chatter/log/lineage.py; a larger number is a newer one.
CREATE TABLE epochs (
    number bigint PRIMARY KEY,
    name text NOT NULL,
    began_after bigint NOT NULL
);

-- Of which server and which tables the newest epoch is.
ALTER TABLE log_end ADD COLUMN identity text;

-- Unknown of those who joined before this version.
ALTER TABLE users ADD COLUMN joined_at timestamptz;

-- What differs after a failover, a restart, and when a backup of any kind was restored.
CREATE FUNCTION log_identity() RETURNS text LANGUAGE sql STABLE AS $$
    -- The path has the database and the file of the table in it.
    SELECT concat(
        (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint,
        ' ',
        pg_relation_filepath('messages')
    )
$$;

-- Begin a new epoch.  The row of log_end is locked.
CREATE FUNCTION begin_epoch(after_id bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- Those without messages.
    DELETE FROM epochs WHERE began_after >= after_id;
    INSERT INTO epochs (number, name, began_after)
        SELECT coalesce(max(number), 0) + 1,
               substr(md5(concat(random(), clock_timestamp(), pg_backend_pid())), 1, 10),
               after_id
        FROM epochs;
    DELETE FROM epochs WHERE number <= (SELECT max(number) FROM epochs) - 1000;
    UPDATE log_end SET identity = log_identity();
    PERFORM pg_notify('chatter', 'epoch');
END
$$;

-- Look which log this is, and begin a new epoch if it may be another one than before: if
-- the server is, or if the last id is below one that somebody was told of.  No id that
-- was told of is given again.
CREATE FUNCTION enter_epoch(told bigint, OUT last_id bigint, OUT lineage json)
LANGUAGE plpgsql AS $$
DECLARE
    known text;
BEGIN
    SELECT e.last_id, e.identity INTO STRICT last_id, known FROM log_end AS e;
    IF last_id < told OR known IS DISTINCT FROM log_identity() THEN
        SELECT e.last_id, e.identity INTO STRICT last_id, known FROM log_end AS e FOR UPDATE;
        IF last_id < told OR known IS DISTINCT FROM log_identity() THEN
            PERFORM begin_epoch(last_id);
        END IF;
        IF last_id < told THEN
            UPDATE log_end SET last_id = told;
            last_id := told;
        END IF;
    END IF;
    SELECT json_agg(json_build_array(name, began_after) ORDER BY number) INTO lineage FROM epochs;
END
$$;

-- As before, but that it looks which log this is, notes when users join, and that a token is
-- nobody else's.  Servers of the last version go on calling it.
CREATE OR REPLACE FUNCTION write_batch(
    drafts json, new_users json, progress json,
    OUT last_id bigint, OUT earlier json, OUT added json
) LANGUAGE plpgsql AS $$
DECLARE
    appended bigint := 0;
    known text;
BEGIN
    SELECT log_end.last_id, identity INTO STRICT last_id, known FROM log_end FOR UPDATE;
    IF known IS DISTINCT FROM log_identity() THEN
        PERFORM begin_epoch(last_id);
    END IF;

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

    IF appended > 0 THEN
        UPDATE log_end SET last_id = write_batch.last_id + appended;
        PERFORM pg_notify('chatter', (write_batch.last_id + appended)::text);
    ELSIF new_users IS NULL THEN
        -- What is lost of this in a crash only repeats messages.
        PERFORM set_config('synchronous_commit', 'off', true);
    END IF;
END
$$;
