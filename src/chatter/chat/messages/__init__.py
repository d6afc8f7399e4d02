"""What becomes of messages: they are sent, changed, and some time later deleted."""
