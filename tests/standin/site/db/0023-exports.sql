CREATE TABLE exports (
    exportHex text PRIMARY KEY,
    binData bytea NOT NULL,
    domain text NOT NULL,
    creationDate timestamp NOT NULL
);
