"""How fast fiducial is beside other programs that do the same work, and beside what the machine can do."""
