CREATE TABLE ssoTokens (
    token text PRIMARY KEY,
    domain text NOT NULL,
    commenterToken text NOT NULL,
    creationDate timestamp NOT NULL
);
