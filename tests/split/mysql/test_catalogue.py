"""What is taken out of the server's own texts."""

from shardgate.split.mysql.catalogue import counter, without_counter, without_database, without_definer
from shardgate.split.mysql.ddl import in_order

TABLE = (
    "CREATE TABLE `t` (\n  `a` int COMMENT 'x) ENGINE=y'\n) ENGINE=InnoDB AUTO_INCREMENT=7 COMMENT='AUTO_INCREMENT=9'"
)


def test_the_next_id_is_the_tables_own_and_no_comment() -> None:
    assert counter(TABLE) == 7
    assert without_counter(TABLE).endswith(") ENGINE=InnoDB COMMENT='AUTO_INCREMENT=9'")
    assert counter("CREATE TABLE `t` (\n  `a` int\n) ENGINE=InnoDB") == 1


def test_who_made_an_object_is_taken_out_once() -> None:
    text = "CREATE DEFINER=`ro-ot`@`%` TRIGGER x SET @a = ' DEFINER=`b`@`c`'"
    assert without_definer(text) == "CREATE TRIGGER x SET @a = ' DEFINER=`b`@`c`'"


def test_the_name_of_the_database_is_taken_out() -> None:
    assert without_database("select `shop`.`t`.`a` from (`shop`.`t` join `other`.`u`)", "shop") == (
        "select `t`.`a` from (`t` join `other`.`u`)"
    )


def test_a_view_comes_after_the_views_that_it_names() -> None:
    views = {"a": {"text": "select from `b`"}, "b": {"text": "select from `c`"}, "c": {"text": "select 1"}}
    assert in_order(views) == ["c", "b", "a"]
