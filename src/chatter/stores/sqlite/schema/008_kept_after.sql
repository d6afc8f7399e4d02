-- Entries up to this id are no longer kept: nobody reads them, and they are deleted by and by.
ALTER TABLE log_end ADD COLUMN kept_after INTEGER NOT NULL DEFAULT 0;
