-- The chats of each user.  The one with another user is there from their first message on;
-- other_id 0 stands for the general chat, is there once something was marked, and has 0 as
-- its last_id: its last message is everybody's.
CREATE TABLE chats (
    user_id INTEGER NOT NULL,
    other_id INTEGER NOT NULL,
    last_id INTEGER NOT NULL,
    read_id INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, other_id)
) WITHOUT ROWID;

-- Each of the two statements passes over one index, and sorts nothing but pairs.
INSERT INTO chats (user_id, other_id, last_id)
    SELECT sender_id, recipient_id, max(id)
    FROM messages WHERE recipient_id IS NOT NULL GROUP BY sender_id, recipient_id;

INSERT INTO chats (user_id, other_id, last_id)
    SELECT other_id, user_id, last_id FROM chats WHERE true
    ON CONFLICT (user_id, other_id) DO UPDATE SET last_id = max(last_id, excluded.last_id);

CREATE INDEX newest_chats ON chats (user_id, last_id);

-- A trigger, so that a message and its chats can't be written apart, and a batch of messages
-- stays one statement.
CREATE TRIGGER note_chats AFTER INSERT ON messages WHEN NEW.recipient_id IS NOT NULL
BEGIN
    INSERT INTO chats (user_id, other_id, last_id)
        VALUES (NEW.sender_id, NEW.recipient_id, NEW.id)
        ON CONFLICT (user_id, other_id) DO UPDATE SET last_id = excluded.last_id;
    INSERT INTO chats (user_id, other_id, last_id)
        VALUES (NEW.recipient_id, NEW.sender_id, NEW.id)
        ON CONFLICT (user_id, other_id) DO UPDATE SET last_id = excluded.last_id;
END;
