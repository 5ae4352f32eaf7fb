"""The history of a camera as a figure: a panel a quantity, names where they fit, what changed marked."""

from __future__ import annotations

import numpy as np
from figures_samples import words

from fiducial.figures.encode import to_png
from fiducial.figures.history import HistoryPanel, HistorySeries, draw_history
from fiducial.figures.style import BAD

NIGHTS = np.array([20260115, 20260116, 20260201])


def series(name: str, last: float = 0.0, *, changed: bool = False) -> HistorySeries:
    return HistorySeries(
        name,
        NIGHTS,
        np.array([0.0, 0.1, last]),
        np.full(3, 0.2),
        np.array([True, False, False]),
        changed=changed,
    )


def test_every_quantity_has_a_panel_with_its_limits_and_amplifiers() -> None:
    panels = [
        HistoryPanel("read_noise", "%", 5.0, (series("0 A"), series("0 B", 20.0, changed=True))),
        HistoryPanel("defects", "pixel", np.nan, (series("0 A"),)),
    ]
    figure = draw_history(panels, title="SimCam, 20260201")
    text = words(figure)
    for expected in ("read noise (%)", "defects (pixel)", "0 A", "0 B", "01-15", "02-01"):
        assert expected in text, expected
    assert figure.get_suptitle() == "SimCam, 20260201"
    above, below = figure.axes
    dashed = {float(line.get_ydata()[0]) for line in above.lines if line.get_color() == BAD}
    assert {-5.0, 5.0} <= dashed
    assert not [line for line in below.lines if line.get_color() == BAD]
    rings = [line for line in above.lines if line.get_markeredgecolor() == BAD and line.get_markersize() > 8]
    (ring,) = rings
    assert ring.get_ydata().tolist() == [20.0]
    assert to_png(figure).startswith(b"\x89PNG")


def test_of_many_amplifiers_only_those_that_changed_are_named() -> None:
    many = tuple(series(f"0 C{n:02d}", 9.0 if n == 7 else 0.0, changed=n == 7) for n in range(16))
    text = words(draw_history([HistoryPanel("gain", "%", 0.5, many)]))
    assert "0 C07" in text
    assert "0 C08" not in text
