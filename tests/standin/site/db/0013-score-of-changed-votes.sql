CREATE FUNCTION countChangedVote() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    UPDATE comments c SET score = c.score + (NEW.direction - OLD.direction) WHERE c.commentHex = NEW.commentHex;
    RETURN NULL;
END
$body$;
CREATE TRIGGER countChangedVote AFTER UPDATE ON votes FOR EACH ROW EXECUTE FUNCTION countChangedVote();
