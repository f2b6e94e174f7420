"""What decoding keeps of a clip for a network and a protocol, in training as in scoring."""

from __future__ import annotations

from vqa2cli import config
from vqa2cli.model.dimensions import NetworkConfig
from vqa2cli.model.protocols import ScoringProtocol
from vqa2cli.video.media import Sampling


def sampling_for(
    sizes: NetworkConfig,
    protocol: ScoringProtocol,
    *,
    display: tuple[int, int] | None = None,
    find_stalls: bool = False,
    min_stall_s: float = config.MIN_STALL_S,
) -> Sampling:
    """Return the sampling under which `sizes` is asked by `protocol`."""
    return Sampling(
        window_s=protocol.window_s,
        max_window_frames=min(
            protocol.max_window_frames, sizes.motion.positions * protocol.motion_stride
        ),
        keyframes_per_second=protocol.keyframes_per_second,
        keyframe_size=sizes.vision.image_size,
        fragments=sizes.fragments,
        motion_stride=protocol.motion_stride,
        motion_multiple=protocol.motion_multiple,
        motion_size=sizes.motion_size,
        resize=sizes.resize,
        display=display,
        find_stalls=find_stalls,
        min_stall_s=min_stall_s,
    )
