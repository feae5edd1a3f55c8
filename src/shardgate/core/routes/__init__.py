"""Which operation is this, and how is it served?"""
