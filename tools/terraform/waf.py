"""The block `statement` of the firewall's resources, written by hand.

It contains itself, so the generator of the wheel left it out.

Holds: the common statements, nested twice.
"""

from typing import Any, Final

Block = dict[str, Any]
_MARKS: Final = "!*#"
"""Behind the name of an attribute: required, a list of texts, a number."""


def statement(depth: int) -> Block:
    """A statement in which others may be, `depth` levels deep."""
    match: Block = {
        "field_to_match": _one(_field()),
        "text_transformation": ["set", 1, 0, _block("priority#! type!")],
    }
    forwarded = _one(_block("fallback_behavior! header_name!"))
    out = _block(
        byte_match_statement=_one(_block("positional_constraint! search_string!", **match)),
        geo_match_statement=_one(_block("country_codes!*", forwarded_ip_config=forwarded)),
        ip_set_reference_statement=_one(
            _block("arn!", ip_set_forwarded_ip_config=_one(_block("fallback_behavior! header_name! position!")))
        ),
        label_match_statement=_one(_block("key! scope!")),
        regex_match_statement=_one(_block("regex_string!", **match)),
        size_constraint_statement=_one(_block("comparison_operator! size#!", **match)),
        sqli_match_statement=_one(_block("sensitivity_level", **match)),
        xss_match_statement=_one(_block(**match)),
    )
    if depth:
        out["blocks"] |= _nesting(statement(depth - 1), forwarded)
    return out


def _nesting(inner: Block, forwarded: list[Any]) -> Block:
    many = _one(_block(statement=["list", 1, 0, inner]))
    override = ["list", 0, 100, _block("name!", action_to_use=_one(_action(), 1))]
    return {
        "and_statement": many,
        "or_statement": many,
        "not_statement": _one(_block(statement=_one(inner, 1))),
        "rate_based_statement": _one(
            _block(
                "aggregate_key_type evaluation_window_sec# limit#!",
                forwarded_ip_config=forwarded,
                scope_down_statement=_one(inner),
            )
        ),
        "managed_rule_group_statement": _one(
            _block("name! vendor_name! version", scope_down_statement=_one(inner), rule_action_override=override)
        ),
    }


def _field() -> Block:
    empty, header = _one(_block()), _one(_block("name!"))
    fields = dict.fromkeys(("all_query_arguments", "method", "query_string", "uri_path"), empty)
    return _block(single_header=header, single_query_argument=header, body=_one(_block("oversize_handling")), **fields)


def _action() -> Block:
    return _block(**{name: _one(_block()) for name in ("allow", "block", "captcha", "challenge", "count")})


def _block(attributes: str = "", /, **blocks: Any) -> Block:
    read = {each.rstrip(_MARKS): [_type(each), "r" if "!" in each else "o"] for each in attributes.split()}
    return {"attrs": read, "blocks": blocks}


def _type(attribute: str) -> Any:
    return ["list", "string"] if "*" in attribute else "number" if "#" in attribute else "string"


def _one(block: Block, least: int = 0) -> list[Any]:
    return ["list", least, 1, block]
