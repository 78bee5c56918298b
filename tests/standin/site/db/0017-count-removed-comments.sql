CREATE FUNCTION countRemovedComment() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    UPDATE pages p SET commentCount = p.commentCount - 1 WHERE (p.domain, p.path) = (OLD.domain, OLD.path);
    RETURN NULL;
END
$body$;
CREATE TRIGGER countRemovedComment AFTER DELETE ON comments FOR EACH ROW EXECUTE FUNCTION countRemovedComment();
