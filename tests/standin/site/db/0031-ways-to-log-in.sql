ALTER TABLE domains
    ADD commentoProvider boolean NOT NULL DEFAULT true,
    ADD googleProvider boolean NOT NULL DEFAULT true,
    ADD twitterProvider boolean NOT NULL DEFAULT true,
    ADD githubProvider boolean NOT NULL DEFAULT true,
    ADD gitlabProvider boolean NOT NULL DEFAULT true;
