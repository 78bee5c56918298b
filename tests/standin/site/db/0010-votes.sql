CREATE TABLE votes (
    commentHex text NOT NULL,
    commenterHex text NOT NULL,
    direction integer NOT NULL,
    voteDate timestamp NOT NULL
);
