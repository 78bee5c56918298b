CREATE TABLE owners (
    ownerHex text PRIMARY KEY,
    email text NOT NULL UNIQUE,
    name text NOT NULL,
    passwordHash text NOT NULL,
    confirmedEmail text NOT NULL DEFAULT 'false',
    joinDate timestamp NOT NULL
);
