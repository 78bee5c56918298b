-- A session begins with nobody: the hex comes with the login.
CREATE TABLE commenterSessions (
    commenterToken text PRIMARY KEY,
    commenterHex text NOT NULL DEFAULT 'none',
    creationDate timestamp NOT NULL
);
