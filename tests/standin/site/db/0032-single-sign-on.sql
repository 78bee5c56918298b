ALTER TABLE domains
    ADD ssoProvider boolean NOT NULL DEFAULT false,
    ADD ssoSecret text NOT NULL DEFAULT '',
    ADD ssoUrl text NOT NULL DEFAULT '';
