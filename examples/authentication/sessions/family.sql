-- One row a login. `generation` is that of the one live refresh token; the token itself is nowhere.
CREATE TABLE sessions_family (
    id uuid PRIMARY KEY,
    user_id integer NOT NULL REFERENCES auth_user ON DELETE CASCADE,
    generation integer NOT NULL DEFAULT 1,
    begun_at timestamptz NOT NULL DEFAULT now(),
    rotated_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);
CREATE INDEX sessions_family_user ON sessions_family (user_id) WHERE revoked_at IS NULL;
