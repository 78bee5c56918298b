CREATE UNIQUE INDEX pagesUniqueIndex ON pages (domain, path);
