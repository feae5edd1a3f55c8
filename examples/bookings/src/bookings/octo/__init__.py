"""The platform as OCTO sees it, the open standard of the sector: products of events, availability of dates, bookings of
orders. One option, and one price for every seat of a date."""
