"""The operator's command, ``chatter-admin``, and the endpoint of a server that it connects to."""
