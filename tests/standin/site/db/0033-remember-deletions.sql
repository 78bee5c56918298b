ALTER TABLE comments
    ADD deleted boolean NOT NULL DEFAULT false,
    ADD deleterHex text,
    ADD deletionDate timestamp;
ALTER TABLE commenters ADD deleted boolean NOT NULL DEFAULT false;
