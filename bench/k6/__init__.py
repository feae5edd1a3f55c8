"""`make bench-k6`: the work of the bench once more, asked by k6: time to first byte, with thresholds."""
