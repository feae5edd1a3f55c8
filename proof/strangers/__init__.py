"""`make strangers`: applications that nobody here wrote, from package registries, unchanged, behind the gateway.

Each application runs as a monolith that has all the data, and as one instance for each shard of its example's
configuration. Every request is sent to the monolith and to the gateway, and the two replies are compared byte for byte.

To add an application, write one file that derives from `proof.strangers.application.Application`, and name its class
in `proof/strangers/table.py`. Its configuration, its README and its lock file are an example: `examples/NAME/`.
"""
