-- Domains are compared without dots and colons, and without regard to case.
CREATE FUNCTION canon(name text) RETURNS text LANGUAGE sql IMMUTABLE AS $body$
    SELECT translate(upper(name), '.:', '')
$body$;
