"""``GET /events``: the feed, live, as Server-Sent Events.

``endpoint`` is the resource; ``streams`` knows all open streams; ``stream`` is one
subscriber and its cursor; ``feed`` serialises each entry once for all of them; ``sinks``
are what a stream is written to.
"""
