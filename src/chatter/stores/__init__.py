"""The stores: where the log, the users and their cursors are kept, one folder an engine."""
