INSERT INTO config VALUES ('standin');
