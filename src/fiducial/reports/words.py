"""The words of the report: what the short names in tables and verdicts mean to a reader."""

from __future__ import annotations

VERDICTS: dict[str, tuple[str, str]] = {  # outcome -> sign, word
    "pass": ("✓", "PASS"),
    "warn": ("▲", "WARN"),
    "fail": ("✕", "FAIL"),
    "shown": ("○", "shown"),
    "not_applicable": ("–", "not applicable"),
    "none": ("○", "NOT VERIFIED"),
}

USES: dict[str, str] = {
    "generate": "in the master",
    "verify": "used to verify",
    "first": "first exposure",
    "left_out": "left out",
    "set_aside": "set aside",
}

ROLES: dict[str, str] = {
    "input": "in the master",
    "held_out": "same day, not in the master",
    "other_day": "other day",
    "first": "first exposure",
}

TESTS: dict[str, str] = {
    "level": "mean residual",
    "noise": "noise above expected",
    "noise_certified": "noise above certified",
    "noise_clean": "noise without cosmic rays",
    "outliers": "pixels beyond 5σ",
    "structure_blocks": "structure in blocks",
    "structure_rows": "structure in rows",
    "structure_columns": "structure in columns",
    "structure_peak": "strongest block",
    "amplifier_ratio": "amplifier ratio − 1",
    "detector_ratio": "detector ratio − 1",
    "read_noise": "read noise",
    "gain": "gain",
    "gain_nominal": "gain against the camera's file",
    "gain_change": "gain against certified",
    "gain_tied": "tied gain against the curve's",
    "gain_drift": "drift of the gain",
    "gain_separation": "gain of separated pairs",
    "noise_overscan": "noise against the overscan",
    "noise_change": "noise against certified",
    "a00": "a₀₀",
    "chi2": "χ²/ν − 1",
    "residual": "largest residual",
    "pairs_lost": "share of pairs lost",
    "turnoff": "turn-off",
    "turnoff_saturation": "turn-off against saturation",
    "turnoff_change": "turn-off against certified",
    "undetermined": "not determined",
    "undetermined_still": "still not determined",
    "change": "correction against certified",
    "error": "error of the correction",
    "structure": "structure of the residuals",
    "slope": "slope of the correction",
    "maximum": "largest signal against full well",
    "stability": "error of the light",
}

KINDS: dict[str, str] = {"ptc": "photon transfer"}

USES_OF: dict[str, dict[str, str]] = {  # where a kind makes no master
    "defects": {"generate": "says for when"},
    "ptc": {"generate": "in the curve"},
    "linearizer": {"generate": "in the ramp"},
}

QUANTITIES: dict[str, str] = {"bias": "bias", "dark": "dark rate", "flat": "relative response"}


def test_name(test: str) -> str:
    """A test in words."""
    return TESTS.get(test, test.replace("_", " "))


def kind_name(label: str) -> str:
    """A kind in words; its filter, if any, stays as it is."""
    return KINDS.get(label, label)


def uses_of(kind: str) -> dict[str, str]:
    """What became of frames, in words for this kind."""
    return USES | USES_OF.get(kind, {})


def quantity_of(kind: str) -> str:
    """What the pixels of a master of this kind are."""
    return QUANTITIES.get(kind.removesuffix("Bootstrap"), kind)


def upper_first(text: str) -> str:
    """The text with a capital letter at its head, and nothing else changed."""
    return text[:1].upper() + text[1:]


def worst_of(outcomes: set[str]) -> str:
    """The outcome that decides among several."""
    for outcome in ("fail", "warn", "pass", "shown"):
        if outcome in outcomes:
            return outcome
    return "none"
