"""The operator's command, ``chatter-admin``."""
