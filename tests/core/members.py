"""What a value of a plain class says, compiled or not: such values are not compared by themselves."""


def members(value: object) -> dict[str, object]:
    """Everything that is no method."""
    found = {name: getattr(value, name) for name in dir(value) if not name.startswith("_")}
    return {name: member for name, member in found.items() if not callable(member)}
