"""Every parser of foreign bytes."""

from tests.fuzz.config_targets import CONFIG
from tests.fuzz.json_targets import JSON
from tests.fuzz.request_targets import REQUESTS
from tests.fuzz.target import Target
from tests.fuzz.wire_targets import WIRE

TARGETS: dict[str, Target] = {**WIRE, **JSON, **REQUESTS, **CONFIG}
