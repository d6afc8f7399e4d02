-- The same order of locks as of those who write: they wait, and there is no deadlock.
LOCK TABLE log_end IN ACCESS EXCLUSIVE MODE;

-- Entries up to this id are no longer kept: nobody reads them, and they are deleted by and by.
-- Servers of earlier versions read what is still there of them.
ALTER TABLE log_end ADD COLUMN kept_after bigint NOT NULL DEFAULT 0;

-- Delete some entries that are no longer kept and come after an id.  Returns the id of the last
-- one; null if there are none, or another session deletes.
CREATE FUNCTION delete_trimmed(after_id bigint, most integer) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    last_deleted bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock('log'::regclass::oid::bigint) THEN
        RETURN NULL;
    END IF;
    SELECT max(id) INTO last_deleted FROM (
        SELECT id FROM log WHERE id > after_id AND id <= (SELECT kept_after FROM log_end)
        ORDER BY id LIMIT most
    ) AS slice;
    DELETE FROM log WHERE id > after_id AND id <= last_deleted;
    -- What a crash brings back is deleted again.
    PERFORM set_config('synchronous_commit', 'off', true);
    RETURN last_deleted;
END
$$;

-- As before, but that VACUUM FULL, CLUSTER or a move of the log give it a new file, and make it no
-- other log.  Who restores the data of the tables truncates the end of the log, too.
CREATE OR REPLACE FUNCTION log_identity() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT concat(
        (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint,
        ' ',
        -- The path has the database in it.
        pg_relation_filepath('log_end'),
        ' ',
        'log'::regclass::oid
    )
$$;
