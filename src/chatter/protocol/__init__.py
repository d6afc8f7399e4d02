"""What server and client share: values, errors, bodies, names and what is valid.

No I/O happens here.
"""
