"""The command line: one command a file, without logic of its own."""
