"""The compiled pixel kernels and nothing else: arrays in, arrays out."""
