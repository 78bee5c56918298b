CREATE FUNCTION countNewVote() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    UPDATE comments c SET score = c.score + NEW.direction WHERE c.commentHex = NEW.commentHex;
    RETURN NULL;
END
$body$;
CREATE TRIGGER countNewVote AFTER INSERT ON votes FOR EACH ROW EXECUTE FUNCTION countNewVote();
