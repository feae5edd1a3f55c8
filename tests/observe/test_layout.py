"""The cells of metrics: a layout that grows keeps them."""

from shardgate.observe.layout import Layout


def test_a_layout_that_grows_keeps_every_cell() -> None:
    first = Layout({}, 0).extended([], ["north"])
    second = first.extended([], ["south"]).extended([], ["north"])
    for family, cells in first.cells.items():
        assert cells.items() <= second.cells[family].items()
    taken = [cell for cells in second.cells.values() for cell in cells.values()]
    assert len(set(taken)) == len(taken)
    assert max(taken) < second.size
