"""`make rehearse`: the road of a version on this machine. The last line counts; the exit code is 1 where something is
not as it must be.

    make rehearse                     # with containers
    make rehearse RUNTIME=process     # where no containers can be run: the same, with processes of this checkout
    make rehearse QUICK=1             # without lint, tests and scan
    make rehearse BUILT=localhost/shardgate:dev   # with an image that `make image` has built
    make rehearse LATE=1              # and a version that fails under the clients' own requests only
"""

import argparse
import signal
import sys

from proof.rehearsal.run import Options, run


def main() -> int:
    """Run."""
    parser = argparse.ArgumentParser(prog="make rehearse", description="Deployments under load, on this machine.")
    parser.add_argument("--runtime", choices=("podman", "process"), default="podman")
    parser.add_argument(
        "--rate",
        type=float,
        default=25.0,
        help="requests of clients a second; fewer where this machine does not carry them",
    )
    parser.add_argument("--quick", action="store_true", help="without lint, tests and scan")
    parser.add_argument("--late", action="store_true", help="a version that fails under the clients' requests only")
    parser.add_argument("--image", default="", help="one that was built before, instead of building it")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # so that every `with` block is left
    return run(Options(given.runtime == "podman", given.rate, given.quick, given.late, given.image))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("rehearsal: interrupted")
