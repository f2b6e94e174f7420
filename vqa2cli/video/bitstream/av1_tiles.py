"""AV1: the grid of tiles in a frame header (AV1, 5.9.15)."""

from __future__ import annotations

from vqa2cli.video.bitstream.bits import BitReader, bits_for

#: Limits of clause 3, in luma samples.
_MAX_TILE_WIDTH, _MAX_TILE_AREA = 4096, 4096 * 2304
_MAX_TILES_A_SIDE = 64


def skip_tile_info(bits: BitReader, size: tuple[int, int], use_128: bool) -> None:
    """Leave out tile_info of a frame of `size` (FrameWidth, FrameHeight) luma samples."""
    log2_block = 7 if use_128 else 6
    columns, rows = (-(-side >> log2_block) for side in size)
    widest = _MAX_TILE_WIDTH >> log2_block
    area = _MAX_TILE_AREA >> 2 * log2_block
    fewest_columns = _tile_log2(widest, columns)
    fewest = max(fewest_columns, _tile_log2(area, rows * columns))
    if bits.flag():  # uniform_tile_spacing_flag
        log2_columns = _read_log2(bits, fewest_columns, columns)
        log2_rows = _read_log2(bits, max(fewest - log2_columns, 0), rows)
    else:
        tiles, broadest = _read_sizes(bits, columns, widest)
        log2_columns = bits_for(tiles)
        area = rows * columns >> (fewest + 1 if fewest else 0)
        tiles, _ = _read_sizes(bits, rows, max(area // broadest, 1))
        log2_rows = bits_for(tiles)
    if log2_columns or log2_rows:
        bits.skip(log2_columns + log2_rows + 2)  # context_update_tile_id, tile_size_bytes_minus_1


def _tile_log2(block: int, target: int) -> int:
    """Return the least k for which `block` << k is at least `target` (5.9.16)."""
    return bits_for(-(-target // block))


def _read_log2(bits: BitReader, least: int, blocks: int) -> int:
    """Return log2 of the count of uniform tiles along a side of `blocks` superblocks."""
    value, most = least, bits_for(min(blocks, _MAX_TILES_A_SIDE))
    while value < most and bits.flag():
        value += 1
    return value


def _read_sizes(bits: BitReader, blocks: int, most: int) -> tuple[int, int]:
    """Return the count of tiles along a side, and the size of the largest."""
    tiles = largest = 0
    while blocks > 0:
        size = bits.ns(min(blocks, most)) + 1
        tiles, largest, blocks = tiles + 1, max(largest, size), blocks - size
    return tiles, largest
