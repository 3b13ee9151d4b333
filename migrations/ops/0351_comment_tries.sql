-- Comments of delivery reports that are to be made: those of pull requests whose order has a report that they do not show.
-- What the report says stands beside what the comment says, kept by triggers, so that one index holds what is due.
ALTER TABLE order_pull_requests ADD COLUMN report_hash TEXT;
-- Who was tried last comes last.
ALTER TABLE order_pull_requests ADD COLUMN comment_tried_at TEXT;
UPDATE order_pull_requests SET report_hash = (
  SELECT content_hash FROM delivery_reports WHERE delivery_reports.order_id = order_pull_requests.order_id
);
CREATE INDEX order_pull_requests_comment_due ON order_pull_requests (comment_tried_at, order_id)
  WHERE report_hash IS NOT NULL AND comment_hash IS NOT report_hash;
CREATE TRIGGER order_pull_requests_reported AFTER INSERT ON delivery_reports BEGIN
  UPDATE order_pull_requests SET report_hash = new.content_hash WHERE order_id = new.order_id;
END;
CREATE TRIGGER order_pull_requests_reported_anew AFTER UPDATE OF content_hash ON delivery_reports BEGIN
  UPDATE order_pull_requests SET report_hash = new.content_hash WHERE order_id = new.order_id;
END;
CREATE TRIGGER order_pull_requests_unreported AFTER DELETE ON delivery_reports BEGIN
  UPDATE order_pull_requests SET report_hash = NULL WHERE order_id = old.order_id;
END;
CREATE TRIGGER order_pull_requests_opened AFTER INSERT ON order_pull_requests BEGIN
  UPDATE order_pull_requests SET report_hash = (SELECT content_hash FROM delivery_reports WHERE order_id = new.order_id)
  WHERE repository = new.repository AND number = new.number;
END;
CREATE TRIGGER order_pull_requests_moved AFTER UPDATE OF order_id ON order_pull_requests BEGIN
  UPDATE order_pull_requests SET report_hash = (SELECT content_hash FROM delivery_reports WHERE order_id = new.order_id)
  WHERE repository = new.repository AND number = new.number;
END;
