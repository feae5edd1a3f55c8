"""`make hostile`: attacks on a running gateway, each with what it cost: CPU time of the loop, memory, and others' peace."""
