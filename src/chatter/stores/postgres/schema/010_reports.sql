-- Messages that users have reported; a user reports a message once.
CREATE TABLE reports (
    id bigint PRIMARY KEY,
    message_id bigint NOT NULL,
    author_id bigint NOT NULL,
    reporter_id bigint NOT NULL,
    reason text NOT NULL,
    reported_at timestamptz NOT NULL,
    UNIQUE (message_id, reporter_id)
);

CREATE INDEX reports_of_author ON reports (author_id, reported_at);

-- Networks from which nobody may use the chat.  A change of one is an entry of the log of kind 5,
-- which has the network as its text.
CREATE TABLE address_bans (
    network text PRIMARY KEY,
    until timestamptz NOT NULL
);

-- Keep a report, and the newest of all others.  The row of log_end is locked.  Returns how many
-- other users have reported the author after a time.
CREATE FUNCTION add_report(draft json, since timestamptz, most bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    d record;
BEGIN
    SELECT * INTO STRICT d FROM json_to_record(draft) AS r (
        message_id bigint, author_id bigint, reporter_id bigint, reason text, at timestamptz
    );
    INSERT INTO reports (id, message_id, author_id, reporter_id, reason, reported_at)
        VALUES ((SELECT coalesce(max(id), 0) + 1 FROM reports), d.message_id, d.author_id,
                d.reporter_id, d.reason, d.at)
        ON CONFLICT (message_id, reporter_id) DO NOTHING;
    DELETE FROM reports WHERE id <= (SELECT max(id) FROM reports) - most;
    PERFORM wait_for_disk();
    RETURN (SELECT count(DISTINCT reporter_id) FROM reports
            WHERE author_id = d.author_id AND reporter_id <> author_id AND reported_at > since);
END
$$;

-- Forget the reports of the messages of a user.
CREATE FUNCTION dismiss_reports(author bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM reports WHERE author_id = author;
    PERFORM wait_for_disk();
END
$$;

-- Ban a network, or end that (without "until"), and append the entry that says so.  The row of
-- log_end is locked.  Returns the id of the entry.
CREATE FUNCTION ban_address(banned text, new_until timestamptz, at timestamptz) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    new_id bigint;
BEGIN
    DELETE FROM address_bans WHERE until <= at OR network = banned;
    IF new_until IS NOT NULL THEN
        INSERT INTO address_bans VALUES (banned, new_until);
    END IF;
    UPDATE log_end SET last_id = last_id + 1 RETURNING last_id INTO new_id;
    INSERT INTO log (id, sender_id, recipient_id, text, sent_at, kind)
        VALUES (new_id, 0, 0, banned, at, 5);
    PERFORM pg_notify('chatter', new_id::text);
    PERFORM wait_for_disk();
    RETURN new_id;
END
$$;

-- Append a message to the general chat, if the log has less than so many of the sender's after an
-- id.  An edit of an earlier one counts, too: the server then counts anew.  The row of log_end is
-- locked.  Returns the id; or, as write_batch does, the earlier message of the key; or neither.
CREATE FUNCTION append_limited(
    draft json, counted_until bigint, remaining bigint, OUT new_id bigint, OUT earlier json
) LANGUAGE plpgsql AS $$
DECLARE
    d record;
    sent bigint;
BEGIN
    SELECT * INTO STRICT d FROM json_to_record(draft) AS r (
        sender_id bigint, text text, sent_at timestamptz, key text
    );
    SELECT json_agg(m) INTO earlier FROM (
        SELECT coalesce(about, id) AS id, e.sender_id, recipient_id, e.text, e.sent_at, edited_at,
               idempotency_key, kind <> 0 AS is_gone
        FROM log e WHERE e.sender_id = d.sender_id AND idempotency_key = d.key
    ) AS m;
    IF earlier IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT count(*) INTO sent FROM (
        SELECT FROM log WHERE id > counted_until AND recipient_id IS NULL
        AND sender_id = d.sender_id AND kind IN (0, 1) LIMIT remaining
    ) AS found;
    IF sent = remaining THEN
        RETURN;
    END IF;
    UPDATE log_end SET last_id = last_id + 1 RETURNING last_id INTO new_id;
    INSERT INTO log (id, sender_id, text, sent_at, idempotency_key)
        VALUES (new_id, d.sender_id, d.text, d.sent_at, d.key);
    PERFORM pg_notify('chatter', new_id::text);
    PERFORM wait_for_disk();
END
$$;
