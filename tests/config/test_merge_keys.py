"""YAML's merge key `<<`: own members win over what it takes over, and a mistake has the line where it was written."""

from pathlib import Path

from shardgate.config.load import ConfigError, load

CONFIG = """
shards: {north: "http://127.0.0.1:1", south: "http://127.0.0.1:2"}
dialects:
  first: &first {kind: offset, limit: take, offset: skip}
  second: {<<: *first, limit: count}
  third:
    <<: [*first, {limit: other, limit_default: 7}]
    offset: from
rules:
  GET /a: &a {rule: gather, merge: {kind: list, dialect: first, keys: {id: text}}}
  GET /b: *a
"""


def test_own_members_win_over_merged_ones(tmp_path: Path) -> None:
    path = tmp_path / "shardgate.yaml"
    path.write_text(CONFIG.replace("dialect: first", "dialect: {<<: *first, limit: count, kind: envelope}"))
    config = load(path)
    assert config.config.dialects is not None


def test_a_member_that_stands_twice_beside_a_merge_key_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "shardgate.yaml"
    path.write_text(CONFIG.replace("limit: count}", "limit: count, limit: x}").replace("skip}", "skip, ofset: x}"))
    try:
        load(path)
    except ConfigError as error:
        said = [str(mistake) for mistake in error.mistakes]
    assert [line for line in said if "'limit' stands twice" in line and ":5" in line], said
    assert len([line for line in said if "stands twice" in line]) == 1, said
