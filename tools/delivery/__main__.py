"""Deploys an image to an environment on AWS.

    python -m tools.delivery staging IMAGE       # Terraform applies, and waits for the service
    python -m tools.delivery production IMAGE    # the same, watched: kept, or rolled back
    python -m tools.delivery back production     # by hand: take the deployment under way back

Exit codes: 0, the image serves; 1, it was rolled back or something failed. The last line says which.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tools.delivery.aws import AwsError, aws
from tools.delivery.deployment import Deploying, MachineClock, Plan, Stage
from tools.delivery.ecs import Ecs, Service, take_back
from tools.delivery.terraform import Terraform, TerraformError
from tools.delivery.verdict import Bounds

SETTLE_S = 120.0
"""The bake time has begun some polls before the watch does, and ECS needs a moment to be told."""
LONGER = 4.0
"""So many times its length, a watch goes on where there are too few requests."""


def main() -> int:
    """Run."""
    parser = argparse.ArgumentParser(prog="python -m tools.delivery", description="Deploys to AWS.")
    parser.add_argument("to", choices=("staging", "production", "back"))
    parser.add_argument("what", help="the image with its digest, or the environment to take back")
    parser.add_argument("--before-s", type=float, default=300.0, help="how long the old version is measured")
    parser.add_argument("--watch-s", type=float, default=600.0, help="less than the bake time of the service")
    parser.add_argument("--requests-min", type=int, default=100, help="fewer say nothing of a version")
    given = parser.parse_args()
    try:
        if given.to == "back":
            return _back(given.what)
        if given.to == "staging":
            return _staging(given.what)
        return _production(given)
    except (AwsError, TerraformError) as error:
        sys.exit(f"delivery: {error}")


def _staging(image: str) -> int:
    terraform = Terraform("staging")
    terraform.init()
    terraform.apply(image)
    print(f"delivery: staging serves {image} at {terraform.outputs()['url']}")
    return 0


def _production(given: argparse.Namespace) -> int:
    terraform = Terraform("production")
    terraform.init()
    plan = _plan(given, terraform.outputs().get("bake_time_minutes"))  # Terraform keeps no output that is null
    with tempfile.TemporaryDirectory(prefix="delivery-") as folder:
        clock = MachineClock()
        production = Ecs(_service(terraform), terraform, aws, clock, Path(folder) / "terraform.log")
        deployment = Deploying(production, given.what, (), plan, clock, lambda text: print(text, flush=True)).run()
    print(f"delivery: {deployment.line()}")
    return 0 if deployment.kept else 1


def _plan(given: argparse.Namespace, bake_time_minutes: float | None) -> Plan:
    """The watch ends before the bake time does, however few requests there are: until then ECS can go back.

    Raises TerraformError where it cannot.
    """
    if bake_time_minutes is None:
        cure = 'apply the environment by Terraform, with deployment = "blue_green": no other one can be watched'
        raise TerraformError(f"the environment has no output bake_time_minutes: {cure}")
    watched_max_s = bake_time_minutes * 60 - SETTLE_S
    if given.watch_s > watched_max_s:
        cure = f"choose a bake_time_minutes of {(given.watch_s + SETTLE_S) / 60:.0f} or more"
        raise TerraformError(f"the watch of {given.watch_s:g} s would end after the old tasks: {cure}")
    return Plan(
        before_s=given.before_s,
        stages=(Stage(100, given.watch_s, longer=min(LONGER, watched_max_s / given.watch_s)),),
        bounds=Bounds(requests_min=given.requests_min),
        poll_s=30.0,
    )


def _back(environment: str) -> int:
    terraform = Terraform(environment)
    terraform.init()
    print(f"delivery: {take_back(_service(terraform), aws, MachineClock())}")
    return 0


def _service(terraform: Terraform) -> Service:
    known = terraform.outputs()
    return Service(known["cluster_name"], known["service_name"], known["url"])


if __name__ == "__main__":
    sys.exit(main())
