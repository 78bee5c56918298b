CREATE TABLE moderators (
    domain text,
    email text,
    addDate timestamp NOT NULL,
    PRIMARY KEY (domain, email)
);
