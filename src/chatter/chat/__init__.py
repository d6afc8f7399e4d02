"""The chat itself: joining, sending, reading, following, presence.

It knows neither HTTP nor SQL.
"""

from chatter.chat.chat import Chat

__all__ = ["Chat"]
