CREATE FUNCTION countView() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    UPDATE domains d SET viewsThisMonth = d.viewsThisMonth + 1 WHERE d.domain = NEW.domain;
    RETURN NULL;
END
$body$;
CREATE TRIGGER countView AFTER INSERT ON views FOR EACH ROW EXECUTE FUNCTION countView();
