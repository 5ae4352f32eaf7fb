"""Medians, spreads, ratios, tables and limits of the benchmark."""

from __future__ import annotations

import pytest
from benchmarks.bandwidth import Bandwidth
from benchmarks.measure import Cost
from benchmarks.sizes import SIZES
from benchmarks.summary import Row, summarise, with_ratios
from benchmarks.table import scaling_table, seconds, table

FIELDS = [
    "workload",
    "tool",
    "version",
    "median_s",
    "spread_s",
    "cpu_s",
    "rss_mb",
    "ratio_to_ours",
    "max_difference",
    "roofline_s",
]


def row(tool: str, wall: float, workload: str = "W1") -> Row:
    return Row(workload, tool, "1.0", wall, 0.1, 2 * wall, 50.0)


def test_a_row_is_the_median_the_spread_and_the_largest_memory() -> None:
    costs = [Cost(3.0, 4.0, 10.0), Cost(1.0, 2.0, 30.0), Cost(1.5, 9.0, 20.0)]
    found = summarise("W1", "tool", "1", costs, max_difference=0.5, roofline_s=0.1)
    assert (found.median_s, found.spread_s, found.cpu_s, found.rss_mb) == (1.5, 2.0, 4.0, 30.0)
    assert (found.max_difference, found.roofline_s, found.ratio_to_ours) == (0.5, 0.1, None)


def test_a_row_has_exactly_the_fields_of_the_results() -> None:
    assert list(row("tool", 1.0).as_dict()) == FIELDS


def test_no_runs_are_no_row() -> None:
    with pytest.raises(ValueError, match="tool was not run for W1"):
        summarise("W1", "tool", "1", [])


def test_ratios_are_to_ours_of_the_same_workload() -> None:
    rows = with_ratios(
        [row("ours", 0.5), row("peer", 4.0), row("peer", 3.0, "W2"), row("ours", 2.0, "W3")], "ours"
    )
    assert [r.ratio_to_ours for r in rows] == [1.0, 8.0, None, 1.0]


def test_the_table_has_the_fastest_first_and_names_what_is_missing() -> None:
    rows = with_ratios([row("peer", 4.0), row("ours", 0.5)], "ours")
    lines = table(rows, {("W1", "peer"): "a note"}, {"other": "install it"}).splitlines()
    assert lines[2] == "| ours | 1.0 | 0.500 | 0.100 | 1.00 | 50 | 1.00 |  |  |"
    assert lines[3] == "| peer | 1.0 | 4.00 | 0.100 | 8.00 | 50 | 8.00 |  | a note |"
    assert lines[4] == "| other | missing |  |  |  |  |  |  | install it |"
    assert len({line.count("|") for line in lines}) == 1


def test_the_scaling_table_names_what_is_varied() -> None:
    lines = scaling_table([row("ours", 0.5, "scaling-graph-20x2")]).splitlines()
    assert lines[2] == "| graph 20x2 | 0.500 | 0.100 | 1.00 | 50 |  |"
    assert len({line.count("|") for line in lines}) == 1


@pytest.mark.parametrize(("value", "text"), [(0.0514, "0.051"), (3.14159, "3.14"), (25.06, "25.1")])
def test_seconds_have_three_digits(value: float, text: str) -> None:
    assert seconds(value) == text


def test_the_limit_is_reading_and_writing_one_after_the_other() -> None:
    bandwidth = Bandwidth(read=10e9, copy=1e9, triad=1e9, write=2e9)
    assert bandwidth.roofline(700_000_000, 70_000_000) == pytest.approx(0.07 + 0.035)


def test_regions_of_a_raw_frame_cover_it_once() -> None:
    for size in SIZES.values():
        columns = [0] * size.raw_shape[1]
        for part in (*size.data, *size.bias_columns):
            for x in range(part.start, part.stop):
                columns[x] += 1
        assert set(columns) == {1}
        assert size.bias_columns[0].stop == size.bias_columns[1].start
