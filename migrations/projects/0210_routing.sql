-- How an order's tasks are routed, and a project's where the order says nothing: JSON of what is stated.
ALTER TABLE projects ADD COLUMN routing TEXT CHECK (routing IS NULL OR json_valid(routing));
ALTER TABLE orders ADD COLUMN routing TEXT CHECK (routing IS NULL OR json_valid(routing));
