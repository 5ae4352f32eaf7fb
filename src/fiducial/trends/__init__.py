"""The camera in time: what was measured night by night, and whether it is what was certified."""
