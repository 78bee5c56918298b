CREATE TABLE ownerConfirmHexes (confirmHex text PRIMARY KEY, ownerHex text NOT NULL, sendDate text NOT NULL);
