"""The law for changes: made-up histories at a monolith and through the gateway, whose replies must be one.

Each history makes vendors, events, dates, orders, bookings; changes, pays, cancels and lists them; and sends again what
it has sent. What the applications make up (ids, codes, times) is paired as it is first seen, one to one.
"""
