CREATE FUNCTION countNewComment() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    UPDATE pages p SET commentCount = p.commentCount + 1 WHERE (p.domain, p.path) = (NEW.domain, NEW.path);
    RETURN NULL;
END
$body$;
CREATE TRIGGER countNewComment AFTER INSERT ON comments FOR EACH ROW EXECUTE FUNCTION countNewComment();
