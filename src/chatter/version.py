"""The version of chatter."""

__version__ = "0.1.0"
