"""Bytes to values and back, without sockets: one strict reading of HTTP/1.1, the same for both sides."""
