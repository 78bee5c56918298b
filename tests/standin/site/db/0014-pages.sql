CREATE TABLE pages (
    domain text NOT NULL,
    path text NOT NULL,
    isLocked boolean NOT NULL DEFAULT false,
    commentCount integer NOT NULL DEFAULT 0,
    stickyCommentHex text NOT NULL DEFAULT 'none',
    title text DEFAULT ''
);
