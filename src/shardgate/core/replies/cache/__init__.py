"""What a shared cache may keep of replies, for how long, and for whom (RFC 9111): decisions over heads."""
