"""The detrending chain: one file per correction, and the chain that orders them as data."""
