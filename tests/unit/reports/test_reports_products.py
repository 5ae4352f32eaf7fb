"""Pages of kinds that make no image: every number is the product's, and nothing is lost."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pytest
from products_samples import (
    FIRST,
    PAIRS,
    camera_of,
    make_defects,
    make_linearizer,
    make_transfer,
    names_of,
    product_data,
    with_verdict,
)
from products_samples import test_row as row_of_test
from report_html import Page, says, table
from reports_samples import make_data, two_amplifier_camera

from fiducial.corrections.linearity_product import models_of
from fiducial.reports.model import ReportData
from fiducial.reports.render import render_report

SIXTEEN = camera_of(16)
TWO = camera_of(2)


def page_of(*data: ReportData) -> str:
    html = render_report(list(data), title="t")
    page = Page(html)
    assert page.open == []
    assert len(set(page.ids)) == len(page.ids)
    descriptions = re.findall(r"<desc[^>]*>([^<]+)</desc>", html)
    assert len(descriptions) == html.count("<svg")
    assert html.count("<table") == html.count("<caption>")
    return html


@pytest.fixture(scope="module")
def transfer() -> tuple[ReportData, str]:
    data = product_data("ptc", SIXTEEN, {0: make_transfer(SIXTEEN, dead=["C05"], model="covariance")})
    return data, page_of(data)


@pytest.fixture(scope="module")
def linearity() -> tuple[ReportData, str]:
    data = product_data("linearizer", SIXTEEN, {0: make_linearizer(SIXTEEN, dead=["C05"])})
    return data, page_of(data)


@pytest.fixture(scope="module")
def defects() -> tuple[ReportData, str]:
    now = make_defects(SIXTEEN, hot=60, columns=(20,))
    before = make_defects(SIXTEEN, hot=40, columns=(40,))
    data = with_verdict(product_data("defects", SIXTEEN, {0: now}), {0: before})
    return data, page_of(data)


def test_every_number_of_photon_transfer_is_the_product_s(transfer: tuple[ReportData, str]) -> None:
    data, html = transfer
    product = data.products[0]
    rows = table(html, "Amplifiers")
    assert [row["amplifier"] for row in rows] == names_of(SIXTEEN)
    for row, one in zip(rows, product.amplifiers, strict=True):
        assert row["rejected"] == str(one.outlier.sum())
        assert row["pairs used"] == f"{one.kept.sum()} of {np.isfinite(one.mean).sum()}"
        assert says(row["overscan (adu)"], one.read_noise)
        assert says(row["camera's file"], 1.5)
        if one.name == "C05":
            assert {row[key] for key in ("gain (electron/adu)", "a₀₀", "χ²/ν", "turn-off (adu)")} == {"–"}
            assert row["pairs not measured"] == f"no light ({PAIRS})"
            continue
        for head, value, error in (
            ("gain (electron/adu)", one.fit.gain, one.fit.gain_error),
            ("read noise (electron)", one.fit.noise, one.fit.noise_error),
            ("a₀₀", 1e6 * one.fit.a[0, 0], 1e6 * one.fit.a_error[0, 0]),
            ("turn-off (adu)", one.turnoff, one.turnoff_error),
        ):
            assert says(row[head], value), (one.name, head)
            assert says(row[head].split("± ")[1].removesuffix(" †"), error), (one.name, head)
        assert says(row["χ²/ν"], one.fit.chi2 / one.fit.freedom)
    assert rows[0]["pairs not measured"] == "saturated <early> (1)"
    for row, one in zip(rows, product.amplifiers, strict=True):
        alone = one.fit.noise_constrained or not one.fit.determined
        assert row["read noise (electron)"].endswith("†") != alone


def test_every_pair_and_every_flat_without_one_is_there(transfer: tuple[ReportData, str]) -> None:
    data, html = transfer
    product = data.products[0]
    rows = table(html, "Every pair")
    assert [int(row["first"]) for row in rows] == product.pairs.first.tolist()
    assert [int(row["second"]) for row in rows] == product.pairs.second.tolist()
    for index, row in enumerate(rows):
        assert says(row["exposure (s)"], product.pairs.first_time[index])
        assert row["used by amplifiers"] == f"{sum(a.kept[index] for a in product.amplifiers)} of 16"
    assert rows[3]["not measured"] == "C00: saturated <early>; C05: no light"
    assert rows[5]["rejected by"] == "C00, C01, C02, C03, C04, C06, and 9 more"
    (aside,) = table(html, "Flats in no pair")
    assert aside == {"exposure": str(FIRST + 90), "reason": "no flat of its exposure time"}


def test_what_is_not_determined_stands_on_top(transfer: tuple[ReportData, str]) -> None:
    _, html = transfer
    head = html.split("</header>")[1]
    assert "15 of 16 amplifiers determined from 20 pairs of flats." in head
    assert "Not determined: 0 (D0) / C05: no pair of flats is usable." in head
    own = html.split('<section class="detector"')[1]
    assert own.index("no pair of flats is usable") < own.index("<svg")
    assert "✕ C05" in own
    assert "NOT VERIFIED" in html
    assert "It was not verified: there is no verdict." in html


def test_sixteen_amplifiers_are_shown_at_once_and_the_worst_in_full(
    transfer: tuple[ReportData, str], linearity: tuple[ReportData, str]
) -> None:
    for _, html in (transfer, linearity):
        assert html.count("amplifier C") >= 3
        assert len(re.findall(r"<title[^>]*>[^<]*, amplifier C\d\d</title>", html)) == 3
        assert "13 more are in the figure of all" in html
        assert len(html) < 1_000_000
    assert "columns apart" in transfer[1]  # the matrices
    assert "how charge changes the areas" in transfer[1]


def test_every_number_of_the_linearizer_is_the_product_s(linearity: tuple[ReportData, str]) -> None:
    data, html = linearity
    product = data.products[0]
    models = models_of(product)
    rows = table(html, "Amplifiers")
    assert [row["amplifier"] for row in rows] == names_of(SIXTEEN)
    for row, one in zip(rows, product.amplifiers, strict=True):
        assert row["levels used"] == f"{one.used.sum()} of 30"
        assert row["rejected"] == str(one.outlier.sum())
        assert row["reason"] == one.reason
        if one.name == "C05":
            assert row["model"] == "–"
            continue
        assert row["model"] == "spline"
        assert says(row["made for signals up to (adu)"], one.maximum)
        assert says(row["error of the light (10⁻⁴)"], 1e4 * one.stability)
        assert says(row["χ²/ν"], one.chi2 / one.freedom)
        left = np.abs(one.residual * one.signal)[one.used] / one.maximum
        assert says(row["largest residual (%)"], 100 * left.max())
        assert says(row["at signal (adu)"], one.signal[one.used][left.argmax()])
        largest = 100 * np.abs(models[one.name].correction(np.linspace(0, one.maximum, 5000))).max()
        assert float(row["largest correction (%)"]) == pytest.approx(largest / one.maximum, rel=0.01)
    levels = table(html, "Every level")
    assert [int(level["exposure"]) for level in levels] == product.exposures.tolist()
    assert levels[7]["rejected by"] == "C00"
    assert all(
        says(level["exposure time"], product.amplifiers[0].abscissa[index])
        for index, level in enumerate(levels)
    )


def test_counts_and_changes_of_defects_are_those_of_the_sets(defects: tuple[ReportData, str]) -> None:
    data, html = defects
    now, before = data.products[0], data.previous_products[0]
    rows = {row["amplifier"]: row for row in table(html, "Pixels by amplifier and reason")}
    assert list(rows) == [*names_of(SIXTEEN), "all"]
    for amplifier in SIXTEEN.amplifiers(0):
        where = amplifier.detector.slices
        counts = now.counts(where)
        row = rows[amplifier.name]
        for reason in now.names():
            new, old = now.mask_of(reason)[where], before.mask_of(reason)[where]
            appeared, went = int((new & ~old).sum()), int((old & ~new).sum())
            said = [f"+{appeared}"] * bool(appeared) + [f"−{went}"] * bool(went) + [str(counts[reason])]
            assert re.sub("[()]", "", row[reason]).split() == said, (amplifier.name, reason)
        assert row["masked"].split()[-1] == str(counts["any"])
        assert row["of all"] == f"{100 * counts['any'] / now.mask()[where].size:.2f} %"
    total = now.counts()
    assert {rows["all"][reason].split()[-1] for reason in now.names()} == {
        str(total[reason]) for reason in now.names()
    }


def test_the_verdict_on_defects_is_shown_with_its_limits(defects: tuple[ReportData, str]) -> None:
    data, html = defects
    tests = {row["test"]: row for row in table(html, "The tests nearest")}
    masked = int(data.products[0].mask().sum())
    assert tests["masked pixels"]["limit"] == "≤ 5.00 %"
    assert tests["masked pixels"]["value"].endswith(f"({masked} of 131 072)")
    assert "PASS" in tests["masked pixels"]["outcome"]
    assert tests["pixels appeared and gone"]["limit"] == "≤ 262"  # 0.002 of the pixels
    assert "WARN" in tests["pixels appeared and gone"]["outcome"]
    assert "Farthest beyond its limit: pixels appeared and gone on 0 (D0)" in html
    assert "what changed since the certified set" in html


@pytest.mark.parametrize(
    ("limits", "word"), [({"most": 1e-4}, "FAIL"), ({"change": 0.9}, "PASS"), ({}, "WARN")]
)
def test_outcomes_on_the_page_of_defects_are_those_of_the_verdict(
    limits: dict[str, float], word: str
) -> None:
    now, before = make_defects(TWO, hot=60, columns=(20,)), make_defects(TWO, hot=40, columns=(40,))
    data = with_verdict(product_data("defects", TWO, {0: now}), {0: before}, **limits)
    html = page_of(data)
    assert word in html.split("</header>")[0]
    outcomes = " ".join(row["outcome"] for row in table(html, "The tests nearest"))
    assert word in outcomes
    assert ("FAIL" in outcomes) == (word == "FAIL")


def test_blobs_masters_and_notes_are_those_of_the_header(defects: tuple[ReportData, str]) -> None:
    html = defects[1]
    blobs = table(html, "Groups of pixels that lack light")
    assert [(b["x (pixel)"], b["area (pixel)"], b["what"]) for b in blobs] == [
        ("8.5", "70", "blob, masked"),
        ("14.5", "750", "dust, not masked"),
    ]
    assert blobs[0]["depth"] == "2.13 %"
    (master,) = table(html, "Masters that were searched")
    assert master == {"master": "dark", "dataset": "0123-dataset", "hash of its content": "ab" * 32}
    (limit,) = table(html, "What counts as a defect")
    assert limit["by more than"] == "3 electron / s"
    assert "&lt;b&gt;the flat is faint" in html


def test_defects_that_nobody_verified_are_counted_but_not_judged() -> None:
    now, before = make_defects(TWO), make_defects(TWO, hot=30)
    data = product_data("defects", TWO, {0: now})
    html = page_of(data)
    assert "There is no set before to compare with." in html
    assert "what changed" not in html
    tests = table(html, "The tests nearest")
    assert all("shown" in row["outcome"] for row in tests)
    assert {row["limit"] for row in tests} == {"–", "none"}
    html = page_of(replace(data, previous_products={0: before}))
    assert "Since the set before, 10 appeared and 0 of " in html
    other = make_defects(camera_of(16))
    assert "There is no set before" in page_of(replace(data, previous_products={0: other}))


def test_verdict_rows_are_shown_with_limit_margin_and_outcome() -> None:
    product = make_transfer(TWO)
    rows = [
        row_of_test("ptc", "gain", "A", "pass", value=0.011, margin=19.5),
        row_of_test("ptc", "gain", "B", "fail", value=0.21, margin=-80.0, note="<i>off</i>"),
        row_of_test("ptc", "read_noise", "A", "warn", value=0.049, margin=0.5),
    ]
    verdict = {
        "verdict": "fail",
        "tests": 3,
        "z_star": 3.9,
        "products": [{"detector": 0, "verdict": "fail", "amplifiers_failed": ["B"]}],
        "reasons": ["detector 0 amplifier B: gain"],
    }
    data = product_data("ptc", TWO, {0: product}, results=rows, verdict=verdict)
    html = page_of(data)
    tests = table(html, "Every test of this detector")
    assert [row["detector / amplifier"] for row in tests] == ["0 (D0) / B", "0 (D0) / A", "0 (D0) / A"]
    assert tests[0]["value"] == "0.2100 ± 0.0020"
    assert tests[0]["limit"] == "± 0.0500"
    assert tests[0]["margin"] == "−80.0"
    assert "FAIL" in tests[0]["outcome"]
    assert "<i>off" not in html
    outcomes = {row["amplifier"]: row["outcome"] for row in table(html, "Amplifiers")}
    assert "WARN" in outcomes["A"]
    assert "FAIL" in outcomes["B"]
    assert "! B" in html
    assert "exposure −1" not in html
    assert "mean of all" not in html
    assert page_of(replace(data, results=pa.Table.from_pylist(rows))) == html


def test_tied_gains_and_roll_off_have_columns_where_there_are_some() -> None:
    product = make_transfer(TWO)
    plain = table(page_of(product_data("ptc", TWO, {0: product})), "Amplifiers")
    assert not {"tied gain", "roll-off (adu)"} & plain[0].keys()
    first, second = product.amplifiers
    fit = replace(first.fit, rolloff=41234.0, rolloff_error=210.0)
    tied = replace(first, fit=fit, tied_gain=1.5123, tied_gain_error=0.0042)
    data = product_data("ptc", TWO, {0: replace(product, amplifiers=(tied, second))})
    rows = table(page_of(data), "Amplifiers")
    assert rows[0]["tied gain"] == "1.5123 ± 0.0042"
    assert rows[0]["roll-off (adu)"] == "41234 ± 210"
    assert (rows[1]["tied gain"], rows[1]["roll-off (adu)"]) == ("–", "–")


def test_what_fails_and_does_not_count_is_a_warning() -> None:
    rows = [
        row_of_test("ptc", "gain_nominal", "A", "fail", value=0.21, limit=0.1, margin=-55.0, counts=False),
        row_of_test("ptc", "gain_change", "B", "pass", value=0.001),
        row_of_test("ptc", "noise_change", "B", "not_applicable", value=float("nan"), applicable=False),
    ]
    verdict = {"verdict": "warn", "tests": 2, "z_star": 3.9, "products": [], "reasons": []}
    data = product_data("ptc", TWO, {0: make_transfer(TWO)}, results=rows, verdict=verdict)
    html = page_of(data)
    tests = table(html, "Every test of this detector")
    assert [row["test"] for row in tests] == [
        "gain against the camera's file can only warn",
        "gain against certified",
        "noise against certified",
    ]
    assert [row["outcome"].split(" ", 1)[1] for row in tests] == ["WARN", "PASS", "not applicable"]
    assert "WARN" in table(html, "Amplifiers")[0]["outcome"]
    assert "FAIL" not in html
    assert [row["test"] for row in table(html, "The tests nearest")] == [row["test"] for row in tests[:2]]


def test_flats_that_a_linearizer_left_out_and_its_turn_off_are_told() -> None:
    product = make_linearizer(TWO)
    html = page_of(product_data("linearizer", TWO, {0: product}))
    assert "No flat was set aside." in html
    metadata = {
        "FID NASIDE": 1,
        "FID ASIDE 0 ID": 77,
        "FID ASIDE 0 REASON": "the <lamp> was off",
        "FID AMP A TURNOFF": 51234.5,
        "FID AMP A TURNOFF FOUND": True,
        "FID AMP B TURNOFF": 60001.0,
        "FID AMP B TURNOFF FOUND": False,
        "FID LINEARITY MODEL": "spline",
    }
    html = page_of(product_data("linearizer", TWO, {0: replace(product, metadata=metadata)}))
    assert table(html, "Flats that were not used") == [{"exposure": "77", "reason": "the <lamp> was off"}]
    turnoffs = [row["turn-off (adu)"] for row in table(html, "Amplifiers")]
    assert says(turnoffs[0], 51234.5)
    assert turnoffs[1].startswith("above 60001")
    assert "<lamp>" not in html


@pytest.mark.parametrize("kind", ["ptc", "linearizer", "defects"])
def test_one_amplifier_only(kind: str) -> None:
    camera = two_amplifier_camera(1, amplifiers=1, columns=32, rows=256)
    product = {"ptc": make_transfer, "linearizer": make_linearizer, "defects": make_defects}[kind](camera)
    html = page_of(product_data(kind, camera, {0: product}))
    if kind != "defects":
        assert "1 of 1 amplifier determined" in html
        assert len(re.findall(r"<title[^>]*>[^<]*, amplifier A</title>", html)) == 1
        assert "in the figure of all" not in html


@pytest.mark.parametrize("kind", ["ptc", "linearizer"])
def test_a_detector_without_any_data_says_why(kind: str) -> None:
    make = {"ptc": make_transfer, "linearizer": make_linearizer}[kind]
    for camera in (TWO, SIXTEEN):
        html = page_of(product_data(kind, camera, {0: make(camera, dead=names_of(camera))}))
        assert f"0 of {len(names_of(camera))} amplifiers determined" in html
        assert re.search(r"no pair of flats is usable|no signal: &lt;dead&gt;", html)
        assert "<dead>" not in html


def test_a_detector_without_a_defect() -> None:
    clean = make_defects(TWO)
    clean = replace(clean, boxes=clean.boxes[:0], reasons=(), metadata={})
    html = page_of(product_data("defects", TWO, {0: clean}))
    assert "0 of 16\u202f384 pixels masked on 1 detector (0.00 %)" in html
    assert "No blob and no dust." in html
    assert "Its header names no master." in html


def test_all_kinds_stand_on_one_page_with_masters() -> None:
    bias = make_data(camera=two_amplifier_camera(1, columns=24, rows=24), frames=7)
    ptc = product_data("ptc", TWO, {0: make_transfer(TWO)})
    linear = product_data("linearizer", TWO, {0: make_linearizer(TWO)})
    spots = with_verdict(product_data("defects", TWO, {0: make_defects(TWO)}), {})
    html = page_of(bias, ptc, linear, spots)
    rows = {row["kind"]: row for row in table(html, "What this production made")}
    assert list(rows) == ["bias", "photon transfer", "linearizer", "defects"]
    assert {row["detectors"] for row in rows.values()} == {"1"}
    assert "NOT VERIFIED" in rows["photon transfer"]["verdict"]
    assert "PASS" in rows["defects"]["verdict"]
    words = Page(html).words()
    assert "in the curve" in words
    assert "in the ramp" in words
    assert "says for when" in words


def test_many_detectors_have_a_line_each_and_the_worst_are_shown() -> None:
    camera = camera_of(16, detectors=6)
    products = {d.id: make_defects(camera, d.id) for d in camera.detectors}
    verdict = {"verdict": "fail", "products": [{"detector": 4, "verdict": "fail", "amplifiers_failed": []}]}
    html = page_of(product_data("defects", camera, products, verdict=verdict))
    assert [row["detector"] for row in table(html, "Detectors")] == [f"{i} (D{i})" for i in range(6)]
    shown = re.findall(r'<section class="detector" id="s1-defects-d(\d+)"', html)
    assert shown[0] == "4"
    assert len(shown) == 4  # of 16 amplifiers each
    assert "2 more are in the table of detectors only" in html


def test_a_product_of_an_unknown_kind_shows_its_header() -> None:
    @dataclass(frozen=True)
    class Ghosts:
        kind: ClassVar[str] = "ghosts"
        metadata: dict[str, str] = field(default_factory=lambda: {"FID GHOST": "<u>seen</u>"})

    html = page_of(product_data("ghosts", TWO, {0: Ghosts()}))
    assert "FID GHOST" in html
    assert "&lt;u&gt;seen" in html
