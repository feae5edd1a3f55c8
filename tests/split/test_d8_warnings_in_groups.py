"""Case D8: warnings of one wording are one line, and the rare ones come first."""

from shardgate.split.report import grouped


def test_one_wording_is_one_line_and_the_rare_come_first() -> None:
    common = [f"t{n}: counts up" for n in range(120)]
    assert grouped([*common, "logs: 3 rows are left out", "there are only 2 tenants"]) == [
        "logs: 3 rows are left out",
        "there are only 2 tenants",
        "t0, t1, t2, t3, t4, t5, t6, t7 and 112 more: counts up",
    ]


def test_a_plan_with_many_counting_tables_has_one_warning(split, sqlite) -> None:
    tables = "".join(
        f"CREATE TABLE t{n} (id INTEGER PRIMARY KEY, vendor_id INTEGER NOT NULL REFERENCES vendors (id));"
        for n in range(30)
    )
    source = sqlite(f"CREATE TABLE vendors (id INTEGER PRIMARY KEY); INSERT INTO vendors VALUES (1); {tables}")
    result = split(source, plan=True)
    assert result.output.count("warning:") == 2
    assert result.output.index("there are only 1 tenants") < result.output.index("and 23 more: the database counts up")
