"""Reading: each reader is a cursor into the log, and a page is what a response may have of it."""
