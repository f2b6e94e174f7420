"""What the authors' code wants of a model directory and ours does not use.

Their motion branch is the whole SlowFast-R50, of which the slow pathway and the lateral
connections are computed and thrown away; their tower computes a last norm it does not use
(REFERENCE.md §2.1, §2.3). Tensors a file lacks hold whatever memory held, with a warning. Sources
that have them keep theirs; those made here stand in where there are none.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from math import prod, sqrt

import torch
from torch import Tensor

from vqa2cli.model.dimensions import MotionDims, NetworkConfig, VisionDims

#: Channels of the slow pathway and of a lateral connection, for one of the fast pathway.
_SLOW, _LATERAL = 8, 2

#: Frames the first convolution of a block sees, in each of the four stages.
_FRAMES = (1, 1, 3, 3)

#: Fields of `config.json` they build their parts by (their published file).
_FIELDS = {
    "image_aspect_ratio": "anyres_max_9",
    "mm_newline_position": "one_token",
    "mm_patch_merge_type": "spatial_unpad",
    "mm_projector_type": "mlp2x_gelu",
    "mm_spatial_pool_mode": "bilinear",
    "mm_use_im_patch_token": False,
    "mm_use_im_start_end": False,
    "mm_vision_select_feature": "patch",
    "mm_vision_select_layer": -2,
    "mm_vision_tower": "google/siglip-so400m-patch14-384",
    "use_mm_proj": True,
}

_MOTION = "model.slowfast.feature_extraction."
_TOWER = "model.vision_tower.vision_tower.vision_model."


def fits_authors_code(config: NetworkConfig) -> bool:
    """Return whether the authors' code can hold a network: its motion branch has one size."""
    return (
        config.motion == MotionDims()
        and config.vision.stem == VisionDims().stem
        and config.pooling == "bilinear"
        and config.fragments is None
    )


def authors_fields(config: NetworkConfig) -> dict[str, object]:
    """Return fields of `config.json` for a network; none for one their code cannot hold."""
    if not fits_authors_code(config):
        return {}
    return {**_FIELDS, "mm_hidden_size": config.vision.hidden_size}


def unused_tensors(config: NetworkConfig) -> dict[str, Tensor]:
    """Return them by published key, float32; none for a network the authors' code cannot hold.

    Convolutions have He-normal weights drawn from their own name, norms leave their input as it
    is. Source of the shapes: SlowFast-R50 8x8 (Feichtenhofer et al., ICCV 2019).
    """
    if not fits_authors_code(config):
        return {}
    made: dict[str, Tensor] = {}
    for name, shape in _convolutions(config.motion):
        key = f"{_MOTION}{name}.weight"
        draw = torch.Generator().manual_seed(zlib.crc32(key.encode()))
        made[key] = torch.randn(shape, generator=draw) * sqrt(2 / (shape[0] * prod(shape[2:])))
        made.update(_norm(_MOTION + _norm_of(name), shape[0]))
    width = config.vision.hidden_size
    made[f"{_TOWER}post_layernorm.weight"] = torch.ones(width)
    made[f"{_TOWER}post_layernorm.bias"] = torch.zeros(width)
    return made


def _convolutions(dims: MotionDims) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield name and shape of each convolution of the slow pathway and of the laterals."""
    yield "0.multipathway_blocks.0.conv", (_SLOW * dims.stem, 3, 1, 7, 7)
    fast = (dims.stem, *dims.outer)
    for stage, depth in enumerate(dims.depths, start=1):
        channels = (_SLOW + _LATERAL) * fast[stage - 1]
        inner, outer = _SLOW * dims.inner[stage - 1], _SLOW * dims.outer[stage - 1]
        for block in range(depth):
            name = f"{stage}.multipathway_blocks.0.res_blocks.{block}"
            if block == 0:
                yield f"{name}.branch1_conv", (outer, channels, 1, 1, 1)
            yield f"{name}.branch2.conv_a", (inner, channels, _FRAMES[stage - 1], 1, 1)
            yield f"{name}.branch2.conv_b", (inner, inner, 1, 3, 3)
            yield f"{name}.branch2.conv_c", (outer, inner, 1, 1, 1)
            channels = outer
    for stage, channels in enumerate(fast[:-1]):
        name = f"{stage}.multipathway_fusion.conv_fast_to_slow"
        yield name, (_LATERAL * channels, channels, 7, 1, 1)


def _norm_of(convolution: str) -> str:
    path, _, last = convolution.rpartition(".")
    return f"{path}.{last.replace('conv_fast_to_slow', 'norm').replace('conv', 'norm')}"


def _norm(name: str, channels: int) -> dict[str, Tensor]:
    return {
        f"{name}.weight": torch.ones(channels),
        f"{name}.bias": torch.zeros(channels),
        f"{name}.running_mean": torch.zeros(channels),
        f"{name}.running_var": torch.ones(channels),
        f"{name}.num_batches_tracked": torch.zeros((), dtype=torch.int64),
    }
