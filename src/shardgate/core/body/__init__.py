"""A request's JSON body: read strictly, divided into items, and completed with ids."""
