"""Choosing frames: sets by camera state, first exposures, content, and the reason for each one left out."""

from fiducial.selection.command_lines import commands, data_query
from fiducial.selection.dates import DateRow, find_dates
from fiducial.selection.limits import ContentLimits, Limit, default_limits
from fiducial.selection.model import Choice, KindPlan, Use, base_kind
from fiducial.selection.naming import Names, free_rerun, production_names
from fiducial.selection.plan import plan_kind
from fiducial.selection.ramp_needs import RAMPS, PairingRule, ramp_settings
from fiducial.selection.ramps import plan_ramp
from fiducial.selection.sets import first_exposures
from fiducial.selection.state import describe_state, parse_state
from fiducial.selection.tables import ExposureRow, PlanTables, SummaryRow, plan_tables

__all__ = [
    "RAMPS",
    "Choice",
    "ContentLimits",
    "DateRow",
    "ExposureRow",
    "KindPlan",
    "Limit",
    "Names",
    "PairingRule",
    "PlanTables",
    "SummaryRow",
    "Use",
    "base_kind",
    "commands",
    "data_query",
    "default_limits",
    "describe_state",
    "find_dates",
    "first_exposures",
    "free_rerun",
    "parse_state",
    "plan_kind",
    "plan_ramp",
    "plan_tables",
    "production_names",
    "ramp_settings",
]
