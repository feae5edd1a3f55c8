"""`make hostile`: attacks on a running gateway, and what each costs: CPU time of the loop, and memory."""
