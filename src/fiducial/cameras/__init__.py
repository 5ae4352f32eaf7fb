"""What a camera is: detectors, amplifiers, regions, frame types and camera state, one YAML file each."""
