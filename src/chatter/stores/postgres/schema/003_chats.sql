-- The chats of each user.  The one with another user is there from their first message on;
-- other_id 0 stands for the general chat, is there once something was marked, and has 0 as
-- its last_id: its last message is everybody's.
CREATE TABLE chats (
    user_id bigint NOT NULL,
    other_id bigint NOT NULL,
    last_id bigint NOT NULL,
    read_id bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, other_id)
) WITH (fillfactor = 70);

-- The table is filled twice: first while other nodes go on writing, which takes as long as
-- the log is; then, under the lock of the log's end, with the few messages that came meanwhile.
WITH pairs AS MATERIALIZED (
    SELECT sender_id, recipient_id, max(id) AS last_id
    FROM messages WHERE recipient_id IS NOT NULL GROUP BY sender_id, recipient_id
)
INSERT INTO chats (user_id, other_id, last_id)
    SELECT user_id, other_id, max(last_id) FROM (
        SELECT sender_id AS user_id, recipient_id AS other_id, last_id FROM pairs
        UNION ALL
        SELECT recipient_id, sender_id, last_id FROM pairs
    ) AS both_ways GROUP BY user_id, other_id;

-- Without the general chat, so that one chat is never looked for among all of its user's.
CREATE INDEX newest_chats ON chats (user_id, last_id) WHERE other_id <> 0;

LOCK TABLE log_end IN EXCLUSIVE MODE;

-- Names by prefix: compared byte by byte, whatever the collation of the database is.
CREATE INDEX names ON users (folded_name COLLATE "C");

INSERT INTO chats (user_id, other_id, last_id)
    SELECT user_id, other_id, max(id) FROM (
        SELECT sender_id AS user_id, recipient_id AS other_id, id FROM messages
        WHERE recipient_id IS NOT NULL AND id > (SELECT coalesce(max(last_id), 0) FROM chats)
        UNION ALL
        SELECT recipient_id, sender_id, id FROM messages
        WHERE recipient_id IS NOT NULL AND id > (SELECT coalesce(max(last_id), 0) FROM chats)
    ) AS pairs GROUP BY user_id, other_id
    ON CONFLICT (user_id, other_id) DO UPDATE SET last_id = excluded.last_id;

-- A trigger, so that a message and its chats can't be written apart, whichever version of
-- the server writes it.
CREATE FUNCTION note_chats() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chats (user_id, other_id, last_id)
    SELECT user_id, other_id, max(id) FROM (
        SELECT sender_id AS user_id, recipient_id AS other_id, id FROM new_messages
        WHERE recipient_id IS NOT NULL
        UNION ALL
        SELECT recipient_id, sender_id, id FROM new_messages WHERE recipient_id IS NOT NULL
    ) AS pairs GROUP BY user_id, other_id
    ON CONFLICT (user_id, other_id) DO UPDATE SET last_id = excluded.last_id;
    RETURN NULL;
END
$$;

CREATE TRIGGER note_chats AFTER INSERT ON messages REFERENCING NEW TABLE AS new_messages
    FOR EACH STATEMENT EXECUTE FUNCTION note_chats();
