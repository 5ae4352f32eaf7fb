"""The fixtures of the simulated night."""

from night_fixtures import (
    calm_bias,
    empty_repository,
    fresh,
    made,
    new_repository,
    night,
    night_repository,
    repository,
)

__all__ = [
    "calm_bias",
    "empty_repository",
    "fresh",
    "made",
    "new_repository",
    "night",
    "night_repository",
    "repository",
]
