"""Rated video sets by name: scale, what counts as one content, and the paper's use of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, Literal

from train.data.scales import (
    DIFFERENCE_FIVE,
    DIFFERENCE_HUNDRED,
    FIVE,
    FOUR,
    HUNDRED,
    REALIGNED,
    RELATIVE,
    Z_SCORE,
    ZERO_FIVE,
    Scale,
)

Task = Literal["ugc", "streaming"]

#: `train`: the paper's stage 2 learns from it. `test`: held out, here as in the paper (Tables 2
#: and 3) or by the set's own split. `other`: neither.
Role = Literal["train", "test", "other"]


@dataclass(frozen=True)
class RatedSet:
    """One published set.

    Attributes:
        name: as labels and reports call it.
        scale: what its published scores are on.
        task: `ugc` for pictures alone, `streaming` where stalls were rated too.
        role: what the paper does with it.
        content: pattern whose first group, in the media path without its suffix, is what is
            seen; the whole path where it does not match.
        family: sets that share contents; the name itself if empty.
        alias: pattern of other spellings, on lower-case letters and digits alone.
    """

    name: str
    scale: Scale
    task: Task = "ugc"
    role: Role = "other"
    content: str = ""
    family: str = ""
    alias: str = ""


_BEFORE_LINE: Final = r"([^/_]+)_[^/]*$"
_AVT: Final = r"([^/]+?)(?:_\d+_cropped)?(?:_\d+s)?_\d+kbps[^/]*$"

_SETS: Final = (
    RatedSet("KoNViD-1k", FIVE, role="test", content=r"(\d+)$", alias="konvid(?!150k)"),
    RatedSet("LIVE-VQC", HUNDRED, role="test", content=r"([^/]+)$", alias="livevqc"),
    RatedSet(
        "YouTube-UGC",
        FIVE,
        role="test",
        content=r"([^/]+?-[0-9a-f]{4})(?:_crf_[^/]*)?$",
        alias="youtubeugc|ytugc",
    ),
    RatedSet("LIVE-YT-Gaming", HUNDRED, role="test", content=r"([^/]+)-\d+$", alias="ytgaming"),
    RatedSet("LSVQ-1080p", HUNDRED, role="test", family="LSVQ", alias="(lsvq|labels).*1080p"),
    RatedSet("LSVQ-test", HUNDRED, role="test", family="LSVQ", alias="lsvqtest|lsvqwholetest"),
    RatedSet("LSVQ-train", HUNDRED, role="train", family="LSVQ", alias="lsvq|labelstraintest"),
    RatedSet("LIVE-Qualcomm", HUNDRED, content=r"\d+_([^/_]+)_[^/]*$", alias="qualcomm"),
    RatedSet("VideoFeedback", FOUR, alias="videofeedback"),
    RatedSet("CVD2014", REALIGNED, content=r"(?:^|/)([^/]+)/[^/]+$", alias="cvd2014"),
    RatedSet("MaxWell/DIVIDE-train", FIVE, family="MaxWell"),
    RatedSet("MaxWell/DIVIDE-val", FIVE, role="test", family="MaxWell"),
    RatedSet("NTIRE23-VDPVE", HUNDRED, content=r"([^/_]+)_\d+$", alias="vdpve"),
    RatedSet("MSU-CVQAD", RELATIVE, content=r"([^/]+)/[^/]+$", alias="cvqad"),
    RatedSet("LBVD", FIVE, alias="lbvd"),
    RatedSet("BVI-SR", ZERO_FIVE, content=_BEFORE_LINE, alias="bvisr"),
    RatedSet("BVI-HFR", HUNDRED, content=r"([^/]+)-\d+fps$", alias="bvihfr"),
    RatedSet("ETRI-LIVE", HUNDRED, content=_BEFORE_LINE, alias="etrilive"),
    RatedSet("LIVE-YT-HFR", HUNDRED, content=_BEFORE_LINE, alias="ythfr"),
    RatedSet("LIVE-Livestream", HUNDRED, content=_BEFORE_LINE, alias="livestream"),
    RatedSet("Waterloo-IVC-4K", HUNDRED, content=r"/(\d+)/[^/]+$", alias="ivc4k"),
    *(
        RatedSet(f"AVT-VQDB-UHD-1-t{n}", FIVE, content=_AVT, family="AVT-VQDB-UHD-1")
        for n in range(1, 5)
    ),
    RatedSet("NFLX-public", DIFFERENCE_HUNDRED, content=_BEFORE_LINE, alias="nflxpublic"),
    RatedSet("VQEGHD3", DIFFERENCE_FIVE, content=r"(src\d+)", alias="vqeghd3"),
    RatedSet("WaterlooSQoE-IV", HUNDRED, "streaming", "test", alias="(sqoe|waterloo)(iv|4)"),
    RatedSet("WaterlooSQoE-III", HUNDRED, "streaming", "train", alias="(sqoe|waterloo)(iii|3)"),
    RatedSet("WaterlooSQoE-II", HUNDRED, "streaming", alias="(sqoe|waterloo)(ii|2)"),
    RatedSet("WaterlooSQoE-I", HUNDRED, "streaming", "train", alias="(sqoe|waterloo)(i|1)"),
    RatedSet("LIVE-NFLX-II", Z_SCORE, "streaming", "train", alias="nflx(ii|2)"),
    RatedSet("LIVE-NFLX-I", Z_SCORE, "streaming", alias="nflx(i|1)"),
    RatedSet("LIVE-MobileStall-II", HUNDRED, "streaming"),
    RatedSet("LFOVIA-QoE", HUNDRED, "streaming", alias="lfovia"),
    *(
        RatedSet(f"P1203-{database}", FIVE, "streaming", family="P1203")
        for database in ("TR04", "TR06", "VL04", "VL13")
    ),
    *(
        RatedSet(f"PNATS-UHD-1-Long-t{n}", FIVE, "streaming", family="PNATS-UHD-1-Long")
        for n in range(1, 4)
    ),
)

RATED_SETS: Final[dict[str, RatedSet]] = {rated.name: rated for rated in _SETS}


def set_called(text: str) -> RatedSet | None:
    """Return the set that a file or folder name speaks of, None if it names none we know."""
    if text in RATED_SETS:
        return RATED_SETS[text]
    plain = re.sub(r"[^a-z0-9]", "", text.lower())
    return next((rated for rated in _SETS if rated.alias and re.search(rated.alias, plain)), None)


def content_of(dataset: str, media: str, stated: str = "") -> str:
    """Return `family/content`: equal for media that show the same, different otherwise.

    Args:
        dataset: name of the set; an unknown one takes each medium as a content of its own.
        media: path as the label names it.
        stated: the content the label file itself gives; wins over the name's pattern.
    """
    rated = RATED_SETS.get(dataset)
    family = (rated.family if rated else "") or dataset
    if stated:
        return f"{family}/{stated}"
    path = PurePosixPath(media)
    known = path.suffix.lower() in _SUFFIXES
    bare = str(path.with_suffix("")) if known else str(path)
    found = re.search(rated.content, bare) if rated and rated.content else None
    return f"{family}/{found[1] if found else bare}"


#: Suffixes that are no part of a content's name; `.94fps` of a name is none of them.
_SUFFIXES: Final = frozenset({".mp4", ".avi", ".mkv", ".mov", ".webm", ".yuv", ".y4m", ".csv"})
