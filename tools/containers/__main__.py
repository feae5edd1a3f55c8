"""`make image`: builds the image, and says its name and size.

python -m tools.containers [--tag TAG] [--fresh]
"""

import argparse
import sys
import time

from tools.containers.engine import ContainersError, Engine
from tools.containers.image import build


def main() -> None:
    """Build; the last line says what was built."""
    options = argparse.ArgumentParser(prog="python -m tools.containers")
    options.add_argument("--tag", default="dev")
    options.add_argument("--fresh", action="store_true", help="use no layer of an earlier build")
    given = options.parse_args()
    began_at = time.monotonic()
    try:
        image = build(Engine(), given.tag, fresh=given.fresh)
    except ContainersError as error:
        sys.exit(f"image: {error}")
    took_s = time.monotonic() - began_at
    print(
        f"image: {image.name}, {image.size_mb:.0f} MB, {image.own_bytes / 1e6:.0f} MB of it without the base, "
        f"built in {took_s:.0f} s"
    )


if __name__ == "__main__":
    main()
