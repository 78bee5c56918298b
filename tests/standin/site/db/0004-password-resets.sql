CREATE TABLE resetHexes (
    resetHex text PRIMARY KEY,
    hex text NOT NULL,
    sendDate text NOT NULL,
    entity text NOT NULL DEFAULT 'owner'
);
