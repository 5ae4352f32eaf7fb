import numpy as np
import numpy.typing as npt

type _Float32 = npt.NDArray[np.float32]
type _Float64 = npt.NDArray[np.float64]
type _Bytes = npt.NDArray[np.uint8]
type _Int32 = npt.NDArray[np.int32]
type _Combined = tuple[_Float32, _Float32, _Int32, _Int32]

def clipped_mean(
    frames: _Float32,
    usable: _Bytes | None,
    scale: _Float64 | None,
    kappa: float,
    iterations: int,
    threads: int,
) -> _Combined: ...
def expected_mean(
    frames: _Float32,
    usable: _Bytes | None,
    scale: _Float64 | None,
    of_frames: _Float64 | None,
    of_pixels: _Float32 | None,
    kappa: float,
    iterations: int,
    threads: int,
) -> _Combined: ...
def dark_rate(
    frames: _Float32,
    usable: _Bytes | None,
    times: _Float64,
    read_variance: _Float64,
    gain: float,
    kappa: float,
    iterations: int,
    threads: int,
) -> _Combined: ...
def lag_products(
    values: _Float32, usable: _Bytes | None, lag: int, threads: int
) -> tuple[_Float64, npt.NDArray[np.int64]]: ...
