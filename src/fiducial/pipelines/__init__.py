"""Pipeline definitions (YAML only): the kinds in order, with per-camera overrides."""
