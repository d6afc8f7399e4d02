-- Entries up to this id are no longer kept: nobody reads them, and they are deleted by and by.
ALTER TABLE log_end ADD COLUMN kept_after INTEGER NOT NULL DEFAULT 0;

-- As before, but each row of chats is found by its key: what is not the last message of its chat
-- costs next to nothing.
DROP TRIGGER note_chats_of_deleted;

CREATE TRIGGER note_chats_of_deleted AFTER DELETE ON log
WHEN OLD.recipient_id IS NOT NULL AND OLD.kind = 0
BEGIN
    UPDATE chats SET last_id = max(
        coalesce((SELECT max(id) FROM log WHERE sender_id = OLD.sender_id
                  AND recipient_id = OLD.recipient_id AND kind = 0), 0),
        coalesce((SELECT max(id) FROM log WHERE sender_id = OLD.recipient_id
                  AND recipient_id = OLD.sender_id AND kind = 0), 0)
    ) WHERE user_id = OLD.sender_id AND other_id = OLD.recipient_id AND last_id = OLD.id;
    UPDATE chats SET last_id = (
        SELECT last_id FROM chats
        WHERE user_id = OLD.sender_id AND other_id = OLD.recipient_id
    ) WHERE user_id = OLD.recipient_id AND other_id = OLD.sender_id AND last_id = OLD.id;
END;
