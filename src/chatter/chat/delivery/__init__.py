"""The growing end of the log, and whom it wakes."""
