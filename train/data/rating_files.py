"""Label files of rated video sets, each in the shape it is published in, as ratings.

| set | file | what is read |
|---|---|---|
| LSVQ | `labels_train_test.csv`, `labels_test_1080p.csv` | `name`, `mos`, `is_test` |
| KoNViD-1k | `KoNViD_1k_mos.csv` | `flickr_id`, `mos` |
| | `KoNViD_1k_attributes.csv` | `file_name`, `MOS` |
| LIVE-VQC | `data.mat` | `video_list`, `mos` |
| YouTube-UGC | the sheet `MOS` of its workbook, saved as CSV | `vid`, `MOS full` |
| LIVE-Qualcomm | `qualcommSubjectiveData.mat`, or a CSV | see `train.data.rating_mats` |
| LIVE-NFLX-II | the folder of one .mat a session | see `train.data.rating_mats` |
| Waterloo SQoE-I, -III, -IV | folder with `data.csv` and `streaming_logs/` | see below |
| VideoFeedback | `data_annotated.json`, a list | `id`, `visual quality` (1-4) |
| anything else | CSV with a header; `path, duration, fps, mos` without; the authors' JSON lists | |

Checked against: columns of LSVQ and YouTube-UGC as public loaders name them, the structures of
LIVE-Qualcomm and LIVE-NFLX-II as their documentation and public loaders do, VideoFeedback's
card. Not checked against a published file: the names inside LIVE-VQC's `data.mat`, and the
columns `rebuffering_duration` and `chunk_duration` (seconds) of Waterloo's streaming logs beyond
those of SQoE-I and -II.
"""

from __future__ import annotations

from pathlib import Path

from train.data.rated_sets import set_called
from train.data.rating_jsons import json_rows
from train.data.rating_mats import mat_rows, session_rows
from train.data.rating_tables import table_rows
from train.data.ratings import Rating, Row, rated
from train.data.waterloo import waterloo_rows
from vqa2cli.errors import UsageError


def read_ratings(path: Path, dataset: str | None = None) -> list[Rating]:
    """Return the ratings of a label file, or of a set's folder, in its order.

    Args:
        path: see the table of this module.
        dataset: name of the set, for files whose rows do not name theirs; None goes by the
            name of the file or its folder, and by its columns.

    Raises:
        UsageError: it cannot be read, is of no known shape, mixes scales within a set, or has
            a score outside its scale; the line is named.
    """
    called = set_called(path.name) or set_called(path.resolve().parent.name)
    return rated(path, _rows(path, dataset or (called.name if called else None)))


def _rows(path: Path, named: str | None) -> list[Row]:
    name = named or path.stem
    suffix = path.suffix.lower()
    if path.is_dir():
        logs = path / "streaming_logs"
        return waterloo_rows(path, name) if logs.is_dir() else session_rows(path, name)
    if suffix == ".mat":
        return mat_rows(path, name)
    if suffix in {".json", ".jsonl"}:
        return json_rows(path, name)
    if suffix in {".csv", ".txt"}:
        return table_rows(path, named)
    if suffix == ".xlsx":
        raise UsageError(f"{path}: a workbook; save the sheet with the scores as CSV")
    if suffix == ".pkl":
        raise UsageError(f"{path}: pickles can run code and are not read; take the .mat beside it")
    raise UsageError(f"{path}: not a label file (.csv, .txt, .json, .jsonl, .mat, or a folder)")
