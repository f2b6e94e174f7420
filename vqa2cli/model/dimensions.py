"""The sizes of a network: one record for the published models and the embedded one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from vqa2cli.video.media import FragmentGrid

VisionStem = Literal["patch", "inverted"]
Pooling = Literal["bilinear", "mean_std"]
Resize = Literal["pil", "swscale"]


@dataclass(frozen=True)
class VisionDims:
    """SigLIP tower. The defaults are SigLIP-so400m-patch14-384 less its last layer.

    `stem` "inverted" replaces the patch embedding by EfficientNet-Lite0's first stages, all but the
    very first of which tell of a patch.
    """

    image_size: int = 384
    patch_size: int = 14
    hidden_size: int = 1152
    num_hidden_layers: int = 26
    num_attention_heads: int = 16
    intermediate_size: int = 4304
    stem: VisionStem = "patch"

    def __post_init__(self) -> None:
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"width {self.hidden_size} does not divide by {self.num_attention_heads} heads"
            )

    @property
    def grid(self) -> int:
        """Patches along one side of the picture."""
        return self.image_size // self.patch_size


@dataclass(frozen=True)
class MotionDims:
    """Fast pathway of SlowFast-R50: channels of the stem and of its four stages.

    `positions` is the number of rows of the position table, hence the longest window.
    """

    stem: int = 8
    inner: tuple[int, ...] = (8, 16, 32, 64)
    outer: tuple[int, ...] = (32, 64, 128, 256)
    depths: tuple[int, ...] = (3, 4, 6, 3)
    positions: int = 2000

    @property
    def width(self) -> int:
        """Channels of one motion feature."""
        return self.outer[-1]

    def scaled(self, factor: float) -> MotionDims:
        """Return the same pathway with `factor` times the channels."""
        inner = tuple(max(1, round(channels * factor)) for channels in self.inner)
        outer = tuple(max(1, round(channels * factor)) for channels in self.outer)
        return MotionDims(
            max(1, round(self.stem * factor)), inner, outer, self.depths, self.positions
        )


@dataclass(frozen=True)
class LanguageDims:
    """Qwen2 decoder. The defaults are Qwen2-7B as the published models use it."""

    hidden_size: int = 3584
    intermediate_size: int = 18944
    num_hidden_layers: int = 28
    num_attention_heads: int = 28
    num_key_value_heads: int = 4
    vocab_size: int = 152064
    max_position_embeddings: int = 32768
    rope_theta: float = 1e6
    rms_norm_eps: float = 1e-6
    tie_word_embeddings: bool = False


@dataclass(frozen=True)
class NetworkConfig:
    """Everything that decides the shape of a network and what its pictures look like.

    Attributes:
        pooling: "bilinear" shrinks the patch grid to half a side; "mean_std" leaves two
            tokens a key frame, the mean and the standard deviation over its patches.
        fragments: key frames are seen through this grid of native-resolution crops.
        motion_size: side of the motion frames the network was trained on, pixels.
        resize: which resampling made its pictures.
        distortions: what a head over the visual tokens tells apart, the first "none"; the same
            name may stand several times. Empty: there is no such head.
        expectation: widths of the layers that tell how good streams of given facts usually look.
            Empty: it is not told.
        traits: how many traits of its pictures are weighed there beside the facts.
        name, revision, protocol: what the weights are called, which version they are, and
            how they want to be asked.
    """

    vision: VisionDims = field(default_factory=VisionDims)
    motion: MotionDims = field(default_factory=MotionDims)
    language: LanguageDims = field(default_factory=LanguageDims)
    pooling: Pooling = "bilinear"
    fragments: FragmentGrid | None = None
    motion_size: int = 384
    resize: Resize = "pil"
    distortions: tuple[str, ...] = ()
    expectation: tuple[int, ...] = ()
    traits: int = 0
    name: str = ""
    revision: str = ""
    protocol: str = ""

    def __post_init__(self) -> None:
        grid = self.fragments
        if grid is not None and grid.grid * grid.size != self.vision.image_size:
            raise ValueError(
                f"{grid.grid} x {grid.grid} fragments of {grid.size} px do not tile "
                f"{self.vision.image_size} px"
            )
        if self.traits and self.vision.stem != "inverted":
            raise ValueError(f"a stem {self.vision.stem!r} tells no traits of pictures")
        if self.distortions and self.pooling != "mean_std":
            raise ValueError(f"distortions are told from mean_std tokens, not {self.pooling} ones")

    @property
    def tokens_per_keyframe(self) -> int:
        """Visual tokens of one key frame, newline not counted."""
        return 2 if self.pooling == "mean_std" else ((self.vision.grid + 1) // 2) ** 2

    def to_json(self) -> dict[str, Any]:
        """Return a `config.json`: Qwen2's own fields at the top, ours under `vqa2`."""
        vision = asdict(self.vision)
        motion = asdict(self.motion)
        return {
            "model_type": "llava_qwen",
            "architectures": ["LlavaQwenForCausalLM"],
            **asdict(self.language),
            "vqa2": {
                "name": self.name,
                "revision": self.revision,
                "protocol": self.protocol,
                "vision": vision,
                "pooling": self.pooling,
                "fragments": asdict(self.fragments) if self.fragments else None,
                "keyframe_size": self.vision.image_size,
                "motion_size": self.motion_size,
                "motion": {key: _plain(value) for key, value in motion.items()},
                "resize": self.resize,
                "distortions": list(self.distortions),
                "expectation": list(self.expectation),
                "traits": self.traits,
            },
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> NetworkConfig:
        """Return the configuration a `config.json` with a `vqa2` section describes.

        `motion_width` may stand in place of `motion`: a factor on the published channels.

        Raises:
            ValueError: a field is unknown, missing or out of range.
        """
        section = dict(raw.get("vqa2") or {})
        section.pop("keyframe_size", None)  # the same as vision.image_size
        factor = float(section.pop("motion_width", 1.0))
        motion = section.pop("motion", None)
        fragments = section.pop("fragments", None)
        try:
            return cls(
                vision=VisionDims(**section.pop("vision", {})),
                motion=_motion(motion) if motion else MotionDims().scaled(factor),
                language=language_dims(raw),
                fragments=FragmentGrid(**fragments) if fragments else None,
                distortions=tuple(section.pop("distortions", ())),
                expectation=tuple(section.pop("expectation", ())),
                **section,
            )
        except TypeError as error:
            raise ValueError(f"unknown or missing field: {error}") from error


def language_dims(raw: Mapping[str, Any]) -> LanguageDims:
    """Return the Qwen2 fields of a `config.json`, the published values where it has none.

    Newer files keep `rope_theta` inside `rope_parameters`; both are read.
    """
    names = LanguageDims.__dataclass_fields__
    fields = {name: raw[name] for name in names if raw.get(name) is not None}
    nested = raw.get("rope_parameters")
    if "rope_theta" not in fields and isinstance(nested, Mapping) and "rope_theta" in nested:
        fields["rope_theta"] = nested["rope_theta"]
    return LanguageDims(**fields)


def _motion(raw: Mapping[str, Any]) -> MotionDims:
    fields: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()
    }
    return MotionDims(**fields)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
