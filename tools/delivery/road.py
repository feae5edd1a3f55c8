"""The road from a commit to the clients, as a table. `make rehearse` walks it on this machine, and
`.github/workflows/delivery.yml` on AWS; a test holds that the workflow has these steps in this order.

*Never:* runs anything.
"""

from typing import Final

import msgspec


class Step(msgspec.Struct, frozen=True):
    """One step: a target of make, and what it decides."""

    name: str
    target: str
    decides: str


ROAD: Final = (
    Step("lint", "check", "the sources are formatted, typed, and import downwards only"),
    Step("tests", "test", "the tests pass"),
    Step("image", "image", "the image can be built, from the wheel with the compiled modules"),
    Step("scan", "scan", "no package in the image is known to be vulnerable, and all could be looked up"),
    Step("SBOM", "image-sbom", "the image says what it consists of, in valid CycloneDX, which is kept"),
    Step("registry", "publish", "nothing; what is deployed from here on is named by its digest"),
    Step("staging", "deploy-staging", "Terraform applies, and the service becomes stable"),
    Step("API tests", "api-tests", "every operation answers as the platform's document says"),
    Step("load", "load-thresholds", "error rate and p90 stay below the thresholds at the given rate"),
    Step(
        "production", "deploy-production", "the new version is as good as the old one beside it; else it is taken back"
    ),
)
"""In this order. A step that fails ends the road; production is untouched until the last one."""


def targets() -> list[str]:
    """The targets of make, in order."""
    return [step.target for step in ROAD]
