CREATE TABLE commenters (
    commenterHex text PRIMARY KEY,
    email text NOT NULL,
    name text NOT NULL,
    link text NOT NULL,
    photo text NOT NULL,
    provider text NOT NULL,
    joinDate timestamp NOT NULL,
    state text NOT NULL DEFAULT 'ok',
    passwordHash text NOT NULL DEFAULT ''
);
