"""Decides. Pure: no clock, no chance, no network, no disk, nothing that waits."""
