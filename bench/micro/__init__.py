"""`make bench-micro`: what the hot modules cost, each alone, in ns; and the baseline that `make test` keeps."""
