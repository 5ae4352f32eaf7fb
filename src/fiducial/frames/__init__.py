"""Reading and writing frames: raw FITS to amplifiers, products to disk, checksums, atomic writes."""
