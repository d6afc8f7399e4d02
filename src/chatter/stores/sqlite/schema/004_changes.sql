-- The log has entries of several kinds, see chatter/log/entries.py.
ALTER TABLE messages RENAME TO log;
ALTER TABLE log ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;  -- 0 message, 1 change of one
ALTER TABLE log ADD COLUMN about INTEGER;  -- of a change: its message
ALTER TABLE log ADD COLUMN by_id INTEGER;  -- who did it, if not the sender
ALTER TABLE log ADD COLUMN change_id INTEGER;  -- of an edited message: its newest change
ALTER TABLE log ADD COLUMN edited_at INTEGER;

-- No id is given twice, whatever is deleted.
CREATE TABLE log_end (last_id INTEGER NOT NULL);
INSERT INTO log_end SELECT coalesce(max(id), 0) FROM log;

CREATE TRIGGER note_end AFTER DELETE ON log WHEN OLD.id > (SELECT last_id FROM log_end)
BEGIN
    UPDATE log_end SET last_id = OLD.id;
END;

DROP TRIGGER note_chats;

CREATE TRIGGER note_chats AFTER INSERT ON log
WHEN NEW.recipient_id IS NOT NULL AND NEW.kind = 0
BEGIN
    INSERT INTO chats (user_id, other_id, last_id)
        VALUES (NEW.sender_id, NEW.recipient_id, NEW.id)
        ON CONFLICT (user_id, other_id) DO UPDATE SET last_id = excluded.last_id;
    INSERT INTO chats (user_id, other_id, last_id)
        VALUES (NEW.recipient_id, NEW.sender_id, NEW.id)
        ON CONFLICT (user_id, other_id) DO UPDATE SET last_id = excluded.last_id;
END;

-- When its last message is gone, a chat has the one before; with none it is in no list.
CREATE TRIGGER note_chats_of_deleted AFTER DELETE ON log
WHEN OLD.recipient_id IS NOT NULL AND OLD.kind = 0
BEGIN
    UPDATE chats SET last_id = max(
        coalesce((SELECT max(id) FROM log WHERE sender_id = user_id AND recipient_id = other_id
                  AND kind = 0), 0),
        coalesce((SELECT max(id) FROM log WHERE sender_id = other_id AND recipient_id = user_id
                  AND kind = 0), 0)
    )
    WHERE (user_id, other_id) IN (
        VALUES (OLD.sender_id, OLD.recipient_id), (OLD.recipient_id, OLD.sender_id)
    ) AND last_id = OLD.id;
END;
