"""One file per verification check: residuals in, measurements out."""
