"""Rice coding of FITS tiles (FITS standard 4.0, section 10.4.1), written to be read, bit by bit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

NUMBER_BITS = {1: 3, 2: 4, 4: 5}  # of the number at the start of a block, by bytes of a pixel
RAW = {1: 6, 2: 14, 4: 25}  # low bits from which on differences are written as they are


def encode(pixels: np.ndarray, block: int, low_bits: Callable[[list[int], int], int] | None = None) -> bytes:
    """Code unsigned pixels; ``low_bits(codes, raw)`` says how many low bits a block has, -1 if all are 0."""
    size = pixels.dtype.itemsize
    modulus = 1 << 8 * size
    values = [int(v) for v in pixels.ravel()]
    bits = f"{values[0]:0{8 * size}b}"
    last = values[0]
    for start in range(0, len(values), block):
        codes = []
        for value in values[start : start + block]:
            difference = (value - last + modulus // 2) % modulus - modulus // 2
            codes.append(2 * difference if difference >= 0 else -2 * difference - 1)
            last = value
        low = (low_bits or best_low_bits)(codes, RAW[size])
        bits += f"{low + 1:0{NUMBER_BITS[size]}b}"
        for code in codes if low >= 0 else []:
            if low == RAW[size]:
                bits += f"{code:0{8 * size}b}"
            else:
                bits += "0" * (code >> low) + "1" + (f"{code & ((1 << low) - 1):0{low}b}" if low else "")
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def best_low_bits(codes: list[int], raw: int) -> int:
    """The number of low bits that makes the block shortest."""
    if not any(codes):
        return -1
    lengths = [sum((code >> low) + 1 + low for code in codes) for low in range(raw)]
    width = {6: 8, 14: 16, 25: 32}[raw]
    return int(np.argmin([*lengths, width * len(codes)]))


def decode(data: bytes, block: int, count: int, size: int) -> np.ndarray | None:
    """Unsigned pixels of a tile; None if its bytes are not exactly those of ``count`` pixels."""
    bits = "".join(f"{byte:08b}" for byte in data)
    place = 8 * size
    if len(bits) < place:
        return None
    last = int(bits[:place], 2)
    values: list[int] = []

    def take(n: int) -> int:
        nonlocal place
        place += n
        if place > len(bits):
            raise EOFError
        return int(bits[place - n : place] or "0", 2)

    try:
        while len(values) < count:
            low = take(NUMBER_BITS[size]) - 1
            if low > RAW[size]:
                return None
            for _ in range(min(block, count - len(values))):
                code = 0
                if low == RAW[size]:
                    code = take(8 * size)
                elif low >= 0:
                    zeros = 0
                    while take(1) == 0:
                        zeros += 1
                    code = (zeros << low) + take(low)
                    if code >= 1 << min(8 * size + 1, 32):  # one bit more than needed is let pass
                        return None
                last += -(code // 2) - 1 if code % 2 else code // 2
                values.append(last % (1 << 8 * size))
    except EOFError:
        return None
    rest = bits[-(-place // 8) * 8 :]
    if len(rest) >= 64 or "1" in rest:
        return None
    return np.array(values, f"u{size}")
