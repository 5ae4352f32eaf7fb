"""Verification: checks that measure, criteria that limit, an engine that judges."""
