from collections.abc import Sequence

class ShortRows:
    def __init__(self, keys: list[tuple[bytes, int, bool, int]], tie: int, /) -> None: ...
    def merged(
        self,
        bodies: Sequence[bytes],
        shards: Sequence[str],
        start: int,
        end: int,
        each_max: int,
        rows_max: int,
        learned_max: int,
        /,
    ) -> tuple[bytes, int, list[int], list[tuple[str, str]]] | None: ...
