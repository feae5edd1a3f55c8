"""Calls the methods of plug-ins. A plug-in that fails makes one request fail, never the worker.

Holds: what a plug-in raises that is no ShardgateError becomes a PluginError, with the plug-in's name and the original
error as its cause. This includes SystemExit and KeyboardInterrupt, which would end the worker.
Never: hides an error. A PluginError is answered as 500 (SG9001), and the log has its traceback.
"""

import re
from typing import Any

from shardgate.core.errors import ShardgateError

_TARGET = re.compile(rb"/[!-~]*")


class PluginError(Exception):
    """A plug-in raised an error that it must not raise, or returned a value that it must not return."""


def call(named: str, plugin: Any, method: str, *arguments: Any) -> Any:
    """The result of a plug-in's method. Raises PluginError, or the ShardgateError that the method raised.

    `named` is the plug-in's name for the log: `package.module:Class`.
    """
    try:
        return getattr(plugin, method)(*arguments)
    except ShardgateError:
        raise
    except BaseException as error:
        raise PluginError(f"plug-in {named}: {method} raised {type(error).__name__}: {error}") from error


def misfit(named: str, method: str, value: object, expected: str) -> PluginError:
    """The error of a method that returned something else than what is expected. The value itself is not logged."""
    return PluginError(f"plug-in {named}: {method} returned {type(value).__name__}; expected: {expected}")


def is_target(value: object) -> bool:
    """Whether this can be the target of a request to a shard: bytes from `/` on, without spaces and line breaks."""
    return isinstance(value, bytes) and _TARGET.fullmatch(value) is not None
