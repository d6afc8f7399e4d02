"""The log: what a store promises, and who sees what after a position in it."""
