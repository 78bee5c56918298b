CREATE TABLE config (version text NOT NULL);
