CREATE TABLE domains (
    domain text PRIMARY KEY,
    ownerHex text NOT NULL,
    name text NOT NULL,
    creationDate timestamp NOT NULL,
    state text NOT NULL DEFAULT 'unfrozen',
    importedComments text NOT NULL DEFAULT 'false',
    autoSpamFilter boolean NOT NULL DEFAULT true,
    requireModeration boolean NOT NULL DEFAULT false,
    requireIdentification boolean NOT NULL DEFAULT true,
    viewsThisMonth integer NOT NULL DEFAULT 0
);
