"""shardgate makes N instances of one application, each holding a part of the data, answer as one."""

__version__ = "0.1.0"
