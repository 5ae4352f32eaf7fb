"""The limits: what a measurement may be, by kind and test, with the reasons beside them (YAML)."""

from fiducial.verify.criteria.model import (
    Criteria,
    ExpectedOutliers,
    Limit,
    load_criteria,
)

__all__ = ["Criteria", "ExpectedOutliers", "Limit", "load_criteria"]
