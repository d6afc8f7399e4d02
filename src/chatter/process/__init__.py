"""The process that ``twistd chatter`` runs: its start and end, signals, log files, user."""
