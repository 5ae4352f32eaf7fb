"""Mathematics on arrays: arrays in, frozen results out; no file, no configuration, no logger."""
