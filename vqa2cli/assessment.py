"""What vqa2 says of one file: the records of a report row, made once and never changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from vqa2cli.errors import VideoErrorKind
from vqa2cli.video.marks import Marks
from vqa2cli.video.measures.records import SignalMeasures
from vqa2cli.video.media import DeclaredFacts, MediaInfo
from vqa2cli.video.stalling import Stalling


@dataclass(frozen=True)
class Score:
    """A score in [0, 100] and how the model came to it.

    `probs` is the softmax over the five level words, best first, put together with what such
    streams are usually worth where the model is told of that; `level_mass` the mass those words
    hold in the softmax over the whole vocabulary; `reference_score` the authors' number under the
    protocol's own weights, None where it defines none.
    """

    value: float
    level: str
    probs: dict[str, float]
    level_mass: float
    reference_score: float | None


@dataclass(frozen=True)
class SessionVerdict:
    """A clip as a streaming session: its score, and what its stalls take from it, in points.

    `costs` holds a number for each event of its stalls, together `without_stalls - with_stalls`.
    `weighed_by` tells who weighed them: the session model, or a scoring model that was told.
    """

    with_stalls: float
    without_stalls: float
    costs: tuple[float, ...]
    weighed_by: Literal["session", "model"]


@dataclass(frozen=True)
class Distortion:
    """What the pictures alone show to be wrong, as the model sees it.

    `name` is the likeliest distortion, "none" included, `prob` its probability, and `quality`
    (0-100) how good the pictures look to it, whatever it is told beside them.
    """

    name: str
    prob: float
    quality: float


@dataclass(frozen=True)
class Segment:
    """The score of one window, [start, end) seconds, and the distortion it shows.

    `distortion` is None where the model names none.
    """

    start: float
    end: float
    score: float
    level: str
    distortion: Distortion | None = None


@dataclass(frozen=True)
class PooledMetrics:
    """How the windows' scores are spread over the clip, each on the 0-100 scale."""

    mean: float
    min: float
    max: float
    harmonic_mean: float
    median: float
    stddev: float
    perc1: float
    perc5: float
    perc10: float


@dataclass(frozen=True)
class ModelInfo:
    """Which model ran, and how."""

    name: str
    revision: str
    sha256: str
    protocol: str
    device: str
    engine: str
    precision: str


#: Attribute of what a model rates low as a whole.
QUALITY: Final = "quality"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, how badly and when (seconds; None: all along)."""

    attribute: str
    degree: str
    start: float | None
    end: float | None
    source: Literal["model", "measurement"]
    value: float | None
    unit: str | None

    @property
    def names_fault(self) -> bool:
        """Whether it says what is wrong, and not only that the model rates a part low."""
        return self.attribute != QUALITY


@dataclass(frozen=True)
class Diagnostics:
    """Findings and the sentences that tell them."""

    text: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Gate:
    """A rule, the value that decided it, whether it passed, and why it has no value."""

    rule: str
    value: float | str | None
    passed: bool
    reason: str | None = None


@dataclass(frozen=True)
class Timing:
    """Seconds each stage took; stages overlap, so they may add up to more than the total."""

    decode_s: float
    motion_s: float
    vision_s: float
    llm_s: float
    total_s: float


@dataclass(frozen=True)
class Failure:
    """Why a file could not be scored; `message` does not repeat the file's name."""

    kind: VideoErrorKind
    message: str


@dataclass(frozen=True)
class FrameStalls:
    """The per-frame 0/1 sequence: seconds and stalled flag of every decoded frame."""

    pts_s: tuple[float, ...]
    stalled: tuple[int, ...]


@dataclass(frozen=True)
class Assessment:
    """One row of a report.

    Either `error` is set and `score` is None, or the other way round; a run that looks for
    stalls alone has no `score` either.
    """

    file: str
    error: Failure | None = None
    warnings: tuple[str, ...] = ()
    media: MediaInfo | None = None
    declared: DeclaredFacts | None = None
    model: ModelInfo | None = None
    score: Score | None = None
    segments: tuple[Segment, ...] = ()
    pooled: PooledMetrics | None = None
    stalling: Stalling | None = None
    session: SessionVerdict | None = None
    diagnostics: Diagnostics | None = None
    gates: tuple[Gate, ...] = ()
    timing: Timing | None = None
    frames: FrameStalls | None = field(default=None, repr=False)
    measures: SignalMeasures | None = field(default=None, repr=False, compare=False)
    marks: Marks | None = field(default=None, repr=False)

    @property
    def status(self) -> Literal["ok", "error"]:
        """`error` when the file could not be scored."""
        return "ok" if self.error is None else "error"
