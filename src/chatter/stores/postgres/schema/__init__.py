"""The schema: numbered SQL files, each of which brings the one before it up to date."""
