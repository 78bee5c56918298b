CREATE TABLE comments (
    commentHex text PRIMARY KEY,
    domain text NOT NULL,
    path text NOT NULL,
    commenterHex text NOT NULL,
    markdown text NOT NULL,
    html text NOT NULL,
    parentHex text NOT NULL,
    score integer NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'unapproved',
    creationDate timestamp NOT NULL
);
