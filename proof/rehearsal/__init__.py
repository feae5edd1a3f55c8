"""`make rehearse`: the road of a version to its clients, walked on this machine with real containers under load."""
