"""Every default of vqa2, each once, with its unit and its source.

Command-line options, the Python API and the documentation read them from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

#: Version of the package; pyproject.toml says the same, and a test holds them together.
VERSION: Final = "0.1.0"

#: Version of the report record; moves whenever a key changes meaning or goes.
SCHEMA_VERSION: Final = 1

#: Names of the models that ship inside the package: what scores, and what answers questions.
EMBEDDED_MODEL: Final = "mini"
ASSISTANT_MODEL: Final = "mini-assistant"

#: Softmax mass on the five level words below which protocol and checkpoint do not fit.
MIN_LEVEL_MASS: Final = 0.5

#: Points by which a stream promises more than its pictures show, above which a warning tells of it:
#: so are 87 to 97 % of bad encodes encoded again, 0.0 to 0.6 % of single encodes (contents never
#: trained on; round 33 of docs/mini.md).
MOST_PROMISED: Final = 10.0

#: Freezes shorter than this are not reported, seconds (0.36 s keeps MOS > 3.5: PEERS §4.1).
MIN_STALL_S: Final = 0.3

#: Pixels of one frame we agree to decode: 8192 x 8192, over any broadcast format.
MAX_PIXELS: Final = 8192 * 8192

#: Wall-clock limit for one file, seconds; the decoding process is killed beyond it.
MAX_SECONDS: Final = 3600.0

#: Position rows of the motion branch, hence frames of one window (REFERENCE.md §1.2).
MAX_MOTION_FRAMES: Final = 2000

#: Temporal receptive field of the fast pathway, frames to each side (REFERENCE.md §2.3).
MOTION_HALO: Final = 18

#: Motion frames of 384 x 384 computed per engine run, halo not counted, and of smaller frames at
#: most. The halo costs 36 frames a run; longer runs cost memory.
MOTION_CHUNK: Final = 128
MOTION_CHUNK_MOST: Final = 512

#: Motion frames per step where an engine keeps what it saw; more is no faster (docs/engines.md).
MOTION_STEP: Final = 32

#: Key frames the vision tower sees at a time; bounds memory, not results.
KEYFRAMES_PER_PASS: Final = 8

#: Embedded tokens, padding included, the language model reads at a time; bounds memory.
TOKENS_PER_PASS: Final = 8192

#: Windows scored in one pass of the language model; bounds memory, not results.
WINDOWS_PER_PASS: Final = 16

EngineName = Literal[
    "auto", "pytorch", "onnxruntime", "onnxruntime-tensorrt", "openvino", "tensorrt"
]
Precision = Literal["auto", "fp32", "bf16", "fp16"]
StallText = Literal["summary", "sequence"]


@dataclass(frozen=True)
class RunConfig:
    """What one scoring run does; the defaults of every command and of the Python API."""

    model: str = EMBEDDED_MODEL
    protocol: str | None = None  # None: the model's own
    precision: Precision = "auto"
    device: str = "auto"
    engine: EngineName = "auto"
    display: tuple[int, int] | None = None  # None: native, each file at its own size
    streaming: bool = False
    stream_facts: bool = True
    min_stall_s: float = MIN_STALL_S
    stalls: Path | None = None  # a log of stalls, or a folder of them
    same_content: bool = False  # all files are renditions of one content
    tell_stalls: bool = True  # under `streaming`, let stalls lower the score
    stall_text: StallText = "summary"  # how a model that judges stalls is told of them
    diagnostics: bool = True  # measure the signal and report what is wrong with it
    marks: bool = False  # note key frames and black pictures
    resume: Path | None = None  # journal of finished rows, made where it is not there
    jobs: int = 2
    max_seconds: float = MAX_SECONDS
    keep_going: bool = False
