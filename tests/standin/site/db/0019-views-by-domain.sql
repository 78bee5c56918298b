CREATE INDEX domainIndex ON views (domain);
