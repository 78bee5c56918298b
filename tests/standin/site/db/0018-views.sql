CREATE TABLE views (domain text NOT NULL, commenterHex text NOT NULL, viewDate timestamp NOT NULL);
