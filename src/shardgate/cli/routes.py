"""`shardgate routes`: lists the operations with the rules that serve them."""

from rich.table import Table

from shardgate.cli.console import DEFAULT_CONFIG, ConfigOption, load_or_exit, wide_console
from shardgate.core.plan.explain import describe_rule


def routes(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """List every operation with the rule that serves it.

    Example:

        shardgate routes --config shardgate.yaml

    The list is sorted by path. It includes the operations that the
    configuration declares as not served, and those of the document that
    the rule of a subtree serves, such as ANY /admin/**.

    Next, `shardgate explain METHOD URL` shows what a rule does with a
    request.
    """
    table = Table(box=None, pad_edge=False)
    for title in ("method", "path", "operation", "rule"):
        table.add_column(title, overflow="fold", no_wrap=title in {"method", "path"})
    loaded = load_or_exit(config)
    rows = [(route.template, route.method, route.operation, describe_rule(route)) for route in loaded.routes.routes]
    for name, rule in loaded.routes.covered.items():
        method, _, template = name.partition(" ")
        rows.append((template, method, name, f"as {rule}"))
    for template, method, operation, described in sorted(rows):
        table.add_row(method, template, operation, described)
    wide_console().print(table)
