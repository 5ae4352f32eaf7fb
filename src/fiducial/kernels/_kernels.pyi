import numpy as np
import numpy.typing as npt

type _Float32 = npt.NDArray[np.float32]
type _Float64 = npt.NDArray[np.float64]
type _Bytes = npt.NDArray[np.uint8]
type _Int32 = npt.NDArray[np.int32]
type _Combined = tuple[_Float32, _Float32, _Int32, _Int32]

def combine(
    frames: npt.NDArray[np.uint16 | np.int16 | np.int32 | np.float32],
    usable: _Bytes | None,
    level: _Float64 | None,
    gain: float,
    zero: _Float64 | None,
    divisor: _Float64 | None,
    mode: int,
    kappa: float,
    iterations: int,
    low: int,
    high: int,
    weights: _Float64 | None,
    threads: int,
    mean: _Float32,
    variance: _Float32,
    used: _Int32,
    clipped: _Int32,
) -> None: ...
def clipped_mean_integers(
    frames: npt.NDArray[np.uint16],
    swap: bool,
    flip: int,
    zero: int,
    limit: int,
    kappa: float,
    iterations: int,
    threads: int,
    swap_mean: bool,
    mean: _Float32,
    variance: _Float32 | None,
    used: _Int32 | None,
    clipped: _Int32 | None,
) -> None: ...
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
    values: _Float32,
    usable: _Bytes | None,
    sums: _Float64,
    counts: npt.NDArray[np.int64],
    threads: int,
) -> None: ...
def pair_products(
    first: npt.NDArray[np.uint16 | np.int32 | np.float32],
    second: npt.NDArray[np.uint16 | np.int32 | np.float32],
    usable: _Bytes | None,
    kappa: float,
    rounds: int,
    left: bool,
    sums: _Float64,
    counts: npt.NDArray[np.int64],
    threads: int,
) -> tuple[int, int, float, float, float, float, float, float]: ...
def rice_tiles(
    heap: _Bytes,
    offsets: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    out: npt.NDArray[np.uint8 | np.uint16 | np.uint32],
    image: tuple[int, int],
    tile: tuple[int, int],
    corner: tuple[int, int],
    block: int,
    zero: int,
    threads: int,
) -> tuple[int, int] | None: ...
def row_statistics(
    values: _Float64,
    bounds: npt.NDArray[np.int64],
    about_median: _Float64,
    kappa: float,
    truncation: float,
    median: _Float64,
    mean: _Float64,
    count: _Int32,
    kept: _Int32,
    noise: _Float64,
    threads: int,
) -> None: ...
def band_sums(
    values: _Float32,
    usable: _Bytes,
    bounds: npt.NDArray[np.int64],
    bands: _Float64,
    counts: npt.NDArray[np.int64],
    rows: _Float64,
    row_counts: npt.NDArray[np.int64],
    threads: int,
) -> None: ...
def quantiles(
    values: _Float32, usable: _Bytes | None, fractions: _Float64, out: _Float64, threads: int
) -> int: ...
def rice_encode(
    image: npt.NDArray[np.uint8 | np.uint16 | np.uint32],
    tile: tuple[int, int],
    block: int,
    zero: int,
    threads: int,
) -> tuple[_Bytes, npt.NDArray[np.int64]]: ...
def turn_words(words: npt.NDArray[np.uint16], swap: bool, flip: int) -> None: ...
def correct_rows(
    raw: npt.NDArray[np.uint16 | np.int16 | np.int32 | np.float32],
    row_level: _Float32 | None,
    column_level: _Float32 | None,
    gain: float,
    suspect: float,
    saturation: float,
    suspect_bit: int,
    saturation_bit: int,
    flip_x: bool,
    flip_y: bool,
    image: _Float32,
    mask: _Int32,
) -> None: ...
def detrend_rows(
    stored: npt.NDArray[np.uint8],
    columns: int,
    kind: int,
    swap: bool,
    flip: int,
    row_level: _Float32 | None,
    column_level: _Float32 | None,
    polynomial: _Float32 | None,
    table: _Float32 | None,
    start: float,
    density: float,
    gain: float,
    suspect: float,
    saturation: float,
    suspect_bit: int,
    saturation_bit: int,
    look_for_nan: bool,
    nan_bit: int,
    explained: int,
    poisson: bool,
    factor: float,
    row_noise: _Float32 | None,
    column_noise: _Float32 | None,
    bias: _Float32 | None,
    dark: _Float32 | None,
    inverse_flat: _Float32 | None,
    bias_variance: _Float32 | None,
    dark_variance: _Float32 | None,
    flat_variance: _Float32 | None,
    masters_mask: npt.NDArray[np.int32 | np.uint8] | None,
    time: float,
    time_square: float,
    image: npt.NDArray[np.uint32],
    variance: npt.NDArray[np.uint32] | None,
    mask: npt.NDArray[np.int32 | np.uint8],
    swap_image: bool,
    swap_mask: bool,
    flip_x: bool,
    flip_y: bool,
    threads: int,
) -> None: ...
def row_medians(
    stored: npt.NDArray[np.uint8],
    columns: int,
    kind: int,
    swap: bool,
    flip: int,
    limit: float,
    medians: npt.NDArray[np.float64],
) -> None: ...
