"""JSON as bytes: arrays cut into raw items, objects with members replaced, exact numbers.

Most texts are replies of shards, so what cannot be read is a BrokenReplyError; body/ makes a client's mistake of it.
"""
