"""The page: whole, self-contained, escaped, and complete."""

from __future__ import annotations

import re
from dataclasses import replace

import pyarrow as pa
import pytest
from report_html import Page
from reports_samples import make_data, two_amplifier_camera

from fiducial.errors import StorageError
from fiducial.reports.model import ChoiceRow, Master, RefusedFile, ReportData
from fiducial.reports.render import render_report, write_report
from fiducial.reports.residuals import contact_sheet
from fiducial.reports.room import worst_detectors
from fiducial.reports.rows import Measurements


@pytest.fixture(scope="module")
def html(passing: ReportData) -> str:
    return render_report([passing, make_data("flat", failing=True)], title="Night 20260901")


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_page_is_well_formed(html, page):
    assert html.startswith("<!DOCTYPE html>")
    assert page.open == []
    assert len(set(page.ids)) == len(page.ids)


def test_page_needs_nothing_from_elsewhere(html, page):
    targets = set(page.ids)
    for address in page.addresses:
        assert address.startswith("data:image/png;base64,") or address[1:] in targets, address[:80]
    assert not re.search(r"@import|url\((?!#)", html)
    assert "http:" not in html
    assert "https:" not in html
    assert "default-src 'none'" in html


def test_page_has_one_section_for_each_kind_and_links_to_it(page):
    words = page.words()
    assert "Night 20260901" in words
    sections = [attrs["id"] for tag, attrs in page.tags if tag == "section" and attrs.get("class") == "kind"]
    assert sections == ["s1-bias", "s2-flat-r"]
    assert {f"#{section}" for section in sections} <= set(page.addresses)


def test_verdict_is_said_in_words(html):
    bias, flat = html.split('id="s2-flat-r"')
    assert "✕" not in bias.split('id="s1-bias"')[1].split("</header>")[0]
    head = flat.split("</header>")[0]
    assert "FAIL" in head
    assert "does not pass" in head
    assert "detector 1, amplifier B: noise fails in 13 of 13 frames" in head
    assert "Farthest beyond its limit: noise above expected on 1 (D1) / B" in head


def test_overall_verdict_is_the_worst(html, small):
    assert "FAIL" in html.split("</header>")[0]
    assert "PASS" in render_report(small, title="t").split("</header>")[0]


def test_every_frame_of_the_plan_is_in_the_table(page, passing):
    words = page.words()
    for choice in passing.choices:
        assert str(choice.exposure) in words
    assert "a dark among biases: level above overscan" in words
    assert "512.3" in words
    assert "/data/raw/truncated.fits" in words
    assert "ends 5120 bytes before its data do" in words


def test_sum_of_frames_is_shown_and_right(page):
    # 14 measured, one left out, one set aside, one refused
    assert "14 used + 2 left out or set aside + 1 refused = 17 offered." in page.words()


def test_frames_that_are_lost_are_called_so(small):
    words = Page(render_report(replace(small, offered=13), title="t")).words()
    assert "1 refused ≠ 13 offered" in words
    assert "The sum is off: 3 of the frames offered are in no list." in words


def test_commands_versions_and_history_are_there(page):
    words = page.words()
    assert "fiducial make /repo/main bias --night 20260901" in words
    assert "30.2026.4300" in words
    assert "fiducial ingest /repo/main /data/raw/*.fits" in words
    assert "16 used, 1 refused" in words


def test_certification_is_said(page, passing):
    words = page.words()
    assert "from 2026-09-01 00:00:00 until further notice" in words
    assert "not certified" in words  # the flat that fails


def test_what_headers_say_is_escaped(small):
    evil = "<script>alert('x')</script>"
    choice = ChoiceRow(exposure=1, use="set_aside", reason=evil, value=1.0)
    frames = {e: facts.model_copy(update={"obs_id": evil}) for e, facts in small.frames.items()}
    verdict = {**(small.verdict or {}), "reasons": [evil]}
    rows = [{**row, "note": evil, "unit": evil} for row in small.results]
    data = replace(
        small,
        title=evil,
        ticket=evil,
        choices=[choice],
        refused=[RefusedFile(file=evil, reason=evil, hint=evil, keyword=evil)],
        frames=frames,
        verdict=verdict,
        results=rows,
        commands=[evil],
        versions={evil: evil},
    )
    html = render_report(data, title=evil)
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)
    assert len(scripts) == 1  # our own
    assert "alert" not in scripts[0]
    assert "&lt;script&gt;alert(" in html
    assert Page(html).open == []


def test_names_of_amplifiers_are_escaped_in_figures():
    camera = two_amplifier_camera(1)
    layout = camera.layouts["two"]
    evil = layout.amplifiers[0].model_copy(update={"name": "<b>$x^2"})
    changed = camera.model_copy(
        update={"layouts": {"two": layout.model_copy(update={"amplifiers": (evil, layout.amplifiers[1])})}}
    )
    html = render_report(make_data(camera=changed, frames=7), title="t")
    assert "<b>$x" not in html
    assert "&lt;b&gt;$x^2" in html


@pytest.mark.parametrize(
    "missing",
    [
        {"previous": {}},
        {"residuals": {}},
        {"results": (), "verdict": None},
        {"choices": (), "refused": (), "offered": None, "frames": {}},
        {"masters": {}, "previous": {}},
        {"masters": {}, "previous": {}, "residuals": {}, "results": (), "verdict": None},
        {"commands": (), "history": (), "versions": {}, "certified": None},
    ],
    ids=lambda missing: "+".join(missing),
)
def test_page_without_optional_parts(small, missing):
    page = Page(render_report(replace(small, **missing), title="t"))
    assert page.open == []
    words = page.words()
    if "previous" in missing:
        assert "No master of this kind was certified" in words or "masters" in missing
    if "verdict" in missing:
        assert "NOT VERIFIED" in words
    if "residuals" in missing and "masters" not in missing:
        assert "There are no residuals of this detector." in words


def test_images_become_coarser_and_then_fewer_where_there_is_no_room(small):
    residuals = small.residuals[0]
    whole = contact_sheet(residuals, frozenset(), 10_000_000)
    assert len(whole.frames) == len(residuals.exposures)
    assert (whole.coarser, whole.left_out) == (0, 0)
    size = len(whole.frames[0].address)
    less = contact_sheet(residuals, frozenset({residuals.exposures[2]}), 4 * size)
    assert less.coarser + less.left_out == len(residuals.exposures) - 3
    # the first exposure, the next and the one that fails keep their size
    kept = {f.exposure for f in less.frames if f.width == whole.frames[0].width}
    assert kept == set(residuals.exposures[:3])
    assert sum(len(f.address) for f in less.frames) <= 4 * size


def test_page_without_second_model_says_so(small):
    residuals = {d: replace(r, second_images=None) for d, r in small.residuals.items()}
    words = Page(render_report(replace(small, residuals=residuals), title="t")).words()
    assert "No second overscan model was fitted." in words


def test_second_model_stands_beside_the_first(page):
    words = page.words()
    assert "median_per_row" in words
    assert "chebyshev" in words
    assert "under two models of the overscan" in words


def test_first_exposure_stands_beside_the_next(page, passing):
    words = page.words()
    first, second = passing.choices[0].exposure, passing.choices[1].exposure
    assert f"{first}, first exposure" in words
    assert f"{second}, in the master" in words


def test_every_residual_is_there_with_a_description(page, passing):
    described = [attrs.get("alt") or "" for tag, attrs in page.tags if tag == "img"]
    exposures = [e for d in passing.residuals.values() for e in d.exposures]
    assert len(described) == 2 * len(exposures)  # two sections of the same make
    for exposure in exposures:
        assert any(f"exposure {exposure}: mean" in text for text in described)


def test_figures_have_titles_and_descriptions_and_tables_captions(html, page):
    figures = [attrs for tag, attrs in page.tags if tag == "svg"]
    assert figures
    for attrs in figures:
        assert set((attrs["aria-labelledby"] or "").split()) <= set(page.ids)
    assert all(re.findall(r"<desc[^>]*>([^<]+)</desc>", html))
    assert html.count("<table") == html.count("<caption>")


def test_amplifiers_are_tabulated_with_read_noise_gain_and_percentiles(html, passing):
    flat = html.split('id="s2-flat-r-amplifiers"')[1]
    row = next(r for r in re.findall(r"<tr>(.*?)</tr>", flat.split("Detector 1")[1]) if ">B<" in r)
    cells = [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row)]
    assert cells[0] == "B"
    assert "FAIL" in cells[1]
    assert cells[3].startswith("0.1")  # the noise that fails, 0.11 above the expected
    assert cells[4] == "6.375"  # 4.25 adu at 1.5 electron / adu
    assert cells[5:7] == ["6.000", "1.500"]
    percentiles = [float(cell.replace("−", "-")) for cell in cells[7:12]]
    assert percentiles == sorted(percentiles)
    assert cells[13] == "13 of 52"


def test_strongest_block_that_only_warns_does_not_lead_the_verdict(small):
    judged = next(row for row in small.results if row["counts"])
    peak = {**judged, "test": "structure_peak", "value": 99.0, "limit": 5.0, "sided": "upper"}
    data = replace(small, results=[*small.results, peak | {"margin": -50.0, "outcome": "warn"}])
    head = Page(render_report(data, title="t")).words().split("Frames")[0]
    assert "strongest block" in head  # in the table
    assert "limit: strongest block" not in head  # not in the sentence


def test_failures_of_frames_are_named_but_not_those_of_first_exposures(small):
    first, second = (choice.exposure for choice in small.choices[:2])
    frames = [
        {"exposure": first, "counts": False, "failures": ["0 A of_the_first"], "problems": []},
        {
            "exposure": second,
            "counts": True,
            "failures": [f"0 A f{i}" for i in range(5)],
            "problems": ["lost"],
        },
    ]
    data = replace(small, verdict={**(small.verdict or {}), "frames": frames})
    words = Page(render_report(data, title="t")).words()
    assert "lost 0 A f0 0 A f1 0 A f2 and 2 more" in words
    assert "of_the_first" not in words


def test_filter_of_flats_comes_from_the_verdict_where_nobody_said_it():
    camera = two_amplifier_camera(1, columns=24, rows=24)
    data = make_data("flat", camera=camera, frames=7)
    known = replace(data, filter=None, verdict={**(data.verdict or {}), "physical_filter": "SDSSr~empty"})
    assert known.label == "flat SDSSr~empty"
    assert replace(data, filter="none").label == "flat"
    assert replace(known, kind="bias").label == "bias"


def test_colour_never_speaks_alone(html):
    found = re.findall(r'<span class="outcome (\w+)[^"]*">(.*?)</span>\s*</', html)
    assert {"pass", "fail", "warn", "shown"} <= {outcome for outcome, _ in found}
    for outcome, inside in found:
        words = re.sub(r"<[^>]+>", "", inside).lower()
        assert any(word in words for word in ("pass", "warn", "fail", "show", "not")), (outcome, inside)


def test_previous_master_of_another_shape_is_not_compared(small):
    other = make_data(camera=two_amplifier_camera(1, columns=32, rows=24), frames=7)
    words = Page(render_report(replace(small, previous=other.masters), title="t")).words()
    assert "The master before has 64 × 24 pixels, this one 48 × 24." in words


def test_ratio_is_left_out_where_masters_are_near_zero(small):
    words = Page(render_report(small, title="t")).words()
    assert "No ratio: the master before is near zero" in words
    level = {
        d: Master(planes=type(m.planes)(m.planes.image + 500, m.planes.variance, m.planes.mask), unit=m.unit)
        for d, m in small.masters.items()
    }
    words = Page(render_report(replace(small, masters=level, previous=level), title="t")).words()
    assert "ratio − 1 (%)" in words


def test_rows_from_arrow_make_the_same_page(small):
    table = pa.Table.from_pylist([dict(row) for row in small.results])
    assert render_report(replace(small, results=table), title="t") == render_report(small, title="t")


def test_the_same_data_make_the_same_page(small):
    assert render_report(small, title="t") == render_report(small, title="t")


def test_many_detectors_are_shown_by_the_worst_and_the_page_says_so():
    camera = two_amplifier_camera(11, columns=16, rows=16)
    data = make_data(camera=camera, frames=7, failing=True)
    html = render_report(replace(data, residuals={}, previous={}), title="t")
    words = Page(html).words()
    shown = re.findall(r'<section class="detector" id="s1-bias-d(\d+)"', html)
    assert len(shown) == 9
    assert shown[0] == "1"  # the one that fails
    assert "2 more are on the focal plane only" in words
    assert "! D1" in words
    assert all(f"D{i}" in words for i in range(11))


def test_worst_detectors_are_those_that_fail_then_those_with_the_least_margin():
    camera = two_amplifier_camera(6, columns=16, rows=16)
    data = make_data(camera=camera, frames=7, failing=True)
    rows = [row | {"margin": 1.0 if row["detector"] == 4 else 9.0} for row in data.results]
    assert worst_detectors(data, Measurements.of(rows), 3) == (1, 4, 0)
    assert worst_detectors(data, Measurements.of(rows), 6) == (0, 1, 2, 3, 4, 5)


def test_page_is_written_whole_or_not_at_all(tmp_path):
    target = tmp_path / "report" / "index.html"
    write_report(target, "<p>één</p>")
    assert target.read_text(encoding="utf-8") == "<p>één</p>"
    assert [path.name for path in target.parent.iterdir()] == ["index.html"]
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="file"):
        write_report(tmp_path / "file" / "index.html", "x")
