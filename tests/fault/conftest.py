"""The fixtures of the simulated night."""

from night_fixtures import new_repository, night, night_repository, repository

__all__ = ["new_repository", "night", "night_repository", "repository"]
