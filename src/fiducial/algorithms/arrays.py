"""Names for the kinds of arrays that pass between the algorithms."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

type Numbers = npt.NDArray[np.floating[Any] | np.integer[Any]]
type Float32 = npt.NDArray[np.float32]
type Float64 = npt.NDArray[np.float64]
type Int32 = npt.NDArray[np.int32]
type Flags = npt.NDArray[np.bool_]
type Integers = npt.NDArray[np.integer[Any]]
type Int64 = npt.NDArray[np.int64]
