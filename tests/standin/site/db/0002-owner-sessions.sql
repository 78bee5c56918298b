CREATE TABLE ownerSessions (ownerToken text PRIMARY KEY, ownerHex text NOT NULL, loginDate timestamp NOT NULL);
