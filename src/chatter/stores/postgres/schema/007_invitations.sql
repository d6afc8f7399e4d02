-- With these people join a chat that is not open to everybody.
CREATE TABLE invitations (
    hash bytea PRIMARY KEY,
    uses_left bigint NOT NULL,
    expires_at timestamptz
);

CREATE FUNCTION add_invitation(invitation bytea, uses bigint, expires timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO invitations (hash, uses_left, expires_at) VALUES (invitation, uses, expires);
    PERFORM wait_for_disk();
END
$$;

-- Add a user, and count one use of an invitation.  The row of log_end is locked, so that nobody
-- else does the same meanwhile.  Returns the user's id, or why there is none.
CREATE FUNCTION join_invited(
    invitation bytea, name text, folded_name text, token_hash bytea, cursor bigint, now timestamptz,
    OUT user_id bigint, OUT refused text
) LANGUAGE plpgsql AS $$
DECLARE
    i invitations%ROWTYPE;
BEGIN
    SELECT * INTO i FROM invitations WHERE hash = invitation;
    IF NOT FOUND THEN
        refused := 'unknown';
    ELSIF i.expires_at <= join_invited.now THEN
        refused := 'expired';
    ELSIF i.uses_left = 0 THEN
        refused := 'used';
    ELSE
        INSERT INTO users (name, folded_name, token_hash, cursor, last_seen, joined_at)
            VALUES (join_invited.name, join_invited.folded_name, join_invited.token_hash,
                    join_invited.cursor, join_invited.now, join_invited.now)
            ON CONFLICT DO NOTHING RETURNING id INTO user_id;
        IF user_id IS NULL THEN
            refused := 'taken';
        ELSE
            UPDATE invitations SET uses_left = uses_left - 1 WHERE hash = invitation;
            PERFORM wait_for_disk();
        END IF;
    END IF;
END
$$;
