-- Lines of one outcome, in their order, among however many others.
CREATE INDEX operation_logs_outcome ON operation_logs (outcome, ts DESC, id DESC) WHERE outcome IS NOT NULL;
