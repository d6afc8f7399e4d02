"""Who uses a chat: names, tokens, joining and leaving, who is online."""
