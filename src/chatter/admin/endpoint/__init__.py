"""The operator's endpoint: resources that ``chatter-admin`` and Prometheus request."""
