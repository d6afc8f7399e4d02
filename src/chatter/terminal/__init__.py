"""``chatter``: the chat in a terminal, or in a pipe.

What both do alike is in :mod:`chatter.terminal.conversation`; they differ in
where lines come from and where they go (:mod:`chatter.terminal.interactive` and
:mod:`chatter.terminal.piped`).
"""
