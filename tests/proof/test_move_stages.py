"""What bystanders waited, by what a movement did meanwhile."""

from proof.move.stages import Asked, Span, spans_of, waits_of


def test_the_stages_of_a_movement_follow_its_points() -> None:
    points = [
        ("copying", 2.0),
        ("catching_up", 3.0),
        ("fenced", 4.0),
        ("loaded", 4.5),
        ("closed", 5.0),
        ("releasing", 6.0),
    ]
    assert spans_of(1.0, 7.0, points) == [
        Span("checking", 1.0, 2.0),
        Span("copying", 2.0, 3.0),
        Span("copying", 3.0, 4.0),
        Span("rows", 4.0, 5.0),
        Span("switching", 5.0, 6.0),
        Span("clearing", 6.0, 7.0),
    ]


def test_a_request_counts_to_every_stage_that_it_met() -> None:
    spans = [Span("copying", 1.0, 2.0), Span("rows", 2.0, 3.0), Span("control", 8.0, 9.0)]
    asked = [Asked("reads", 0.0, 0.5), Asked("reads", 1.9, 2.1), Asked("reads", 8.1, 8.4), Asked("changes", 2.1, 2.2)]
    found = waits_of(asked, spans, "reads")
    assert {name: (each.requests, round(each.p99_ms)) for name, each in found.items()} == {
        "quiet": (1, 500),
        "copying": (1, 200),
        "rows": (1, 200),
        "moving": (1, 200),
        "control": (1, 300),
    }
    assert set(waits_of(asked, spans, "changes")) == {"rows", "moving"}
