"""Each set's label file is read in the shape it is published in; broken ones say where."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from train.data.rating_files import read_ratings
from vqa2cli.errors import UsageError


def save(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_lsvq_tells_training_from_test(tmp_path: Path) -> None:
    file = save(
        tmp_path / "labels_train_test.csv",
        "name,p1,height,width,mos_p1,mos,frame_number,is_test",
        "yfcc-batch1/725,p,720,1280,70,76.8,240,False",
        "yfcc-batch1/747,p,720,1280,70,67.75,240,True",
    )
    train, test = read_ratings(file)
    assert (train.dataset, train.split, train.content) == (
        "LSVQ-train",
        "train",
        "LSVQ/yfcc-batch1/725",
    )
    assert (test.dataset, test.split, test.scale.name) == ("LSVQ-test", "test", "0-100")


def test_lsvq_1080p_is_a_set_of_its_own(tmp_path: Path) -> None:
    file = save(tmp_path / "labels_test_1080p.csv", "name,mos_p1,mos", "ia/1,70,76.8")
    assert read_ratings(file)[0].dataset == "LSVQ-1080p"


def test_konvid_is_known_by_its_flickr_ids(tmp_path: Path) -> None:
    file = save(tmp_path / "mos.csv", "flickr_id,mos", "3339962845,4.64", "8171831850,1.9")
    first, _ = read_ratings(file)
    assert (first.dataset, first.scale.name, first.content) == (
        "KoNViD-1k",
        "1-5",
        "KoNViD-1k/3339962845",
    )


def test_youtube_ugc_takes_the_score_of_the_whole_clip(tmp_path: Path) -> None:
    file = save(tmp_path / "sheet.csv", "vid,MOS full,MOS chunk00", "Vlog_720P-03d5,3.5,2.0")
    (clip,) = read_ratings(file)
    assert (clip.dataset, clip.mos, clip.content) == (
        "YouTube-UGC",
        3.5,
        "YouTube-UGC/Vlog_720P-03d5",
    )


def test_copies_of_a_youtube_ugc_clip_are_one_content(tmp_path: Path) -> None:
    names = ("Vlog_720P-03d5", "Vlog_720P-03d5_crf_10_ss_00_t_20.0.mp4")
    file = save(tmp_path / "YouTube-UGC.csv", "video,mos", *(f"{name},3" for name in names))
    assert len({clip.content for clip in read_ratings(file)}) == 1


def test_a_set_and_the_authors_list_of_it_speak_of_the_same_contents(tmp_path: Path) -> None:
    ours = save(tmp_path / "LIVE-VQC.csv", "video,mos", "Video/A010.mp4,31.3", "Video/B1.mp4,60")
    listed = [{"img_path": "A010.mp4", "mos": 0.28}, {"img_path": "C1.mp4", "mos": 0.9}]
    theirs = read_ratings(save(tmp_path / "live_VQC.json", json.dumps(listed)))
    assert {clip.scale.name for clip in theirs} == {"0-1"}
    assert theirs[0].content == read_ratings(ours)[0].content


def test_live_vqc_is_read_from_matlab(tmp_path: Path) -> None:
    file = tmp_path / "data.mat"
    names = np.array([["A001.mp4"], ["A002.mp4"]], dtype=object)
    savemat(file, {"video_list": names, "mos": np.array([[80.2], [57.3]])})
    first, second = read_ratings(file)
    assert (first.dataset, first.media, first.mos) == ("LIVE-VQC", "A001.mp4", 80.2)
    assert second.media == "A002.mp4"


def test_live_qualcomm_is_read_from_matlab(tmp_path: Path) -> None:
    file = tmp_path / "qualcommSubjectiveData.mat"
    names = np.array([["0723_ManUnderTree_GS5.yuv"], ["1019_MetroArrives_HTC.yuv"]], dtype=object)
    videos = {
        "vidNames": names,
        "distortionNames": np.array([["Artifacts"], ["Stabilization"]], dtype=object),
        "distortionType": np.array([[1], [2]]),
    }
    scores = {"unBiasedMOS": np.array([[52.5], [60.0]]), "biasedMOS": np.array([[1.0], [2.0]])}
    savemat(file, {"qualcommSubjectiveData": scores, "qualcommVideoData": videos})
    first, second = read_ratings(file)
    assert (first.media, first.mos) == ("Artifacts/0723_ManUnderTree_GS5.yuv", 52.5)
    assert (second.content, second.dataset) == ("LIVE-Qualcomm/MetroArrives", "LIVE-Qualcomm")


def nflx_session(folder: Path, **changes: Any) -> Path:
    flags = [1] * 4 + [0] * 8 + [1] * 2 + [0] * 4
    fields = {
        "distorted_mp4_video": "Soccer_Trace_1.mp4",
        "content_name": "Soccer",
        "retrospective_zscored_mos": -0.5,
        "frame_rate": 4.0,
        "is_rebuffered_bool": np.array(flags),
    }
    folder.mkdir(parents=True, exist_ok=True)
    savemat(folder / "s1.mat", {**fields, **changes})
    return folder


def test_live_nflx_ii_gives_z_scores_and_stalls(tmp_path: Path) -> None:
    (session,) = read_ratings(nflx_session(tmp_path / "LIVE-NFLX-II"))
    assert (session.dataset, session.scale.name, session.fps) == ("LIVE-NFLX-II", "z-score", 4.0)
    assert session.content == "LIVE-NFLX-II/Soccer"
    assert session.stalls is not None
    assert session.stalls.media_s == 3.0
    assert session.stalls.events == ((0.0, 1.0), (2.0, 0.5))
    assert "".join(map(str, session.stalls.per_frame(4.0))) == "111100000000110000"


def test_a_session_without_its_stalls_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    savemat(folder / "s1.mat", {"retrospective_zscored_mos": 0.1})
    with pytest.raises(UsageError, match="without is_rebuffered_bool, frame_rate"):
        read_ratings(folder)


def waterloo(folder: Path, *chunks: str) -> Path:
    save(folder / "data.csv", "streaming_log,mos,content,device", "game_1.csv,62.5,game,hdtv")
    header = "chunk_duration,rebuffering_duration,framerate"
    save(folder / "streaming_logs" / "game_1.csv", header, *chunks)
    return folder


@pytest.mark.parametrize("name", ["WaterlooSQoE-I", "WaterlooSQoE-III", "WaterlooSQoE-IV"])
def test_waterloo_rebuffers_before_the_chunk(tmp_path: Path, name: str) -> None:
    (session,) = read_ratings(waterloo(tmp_path / name, "4,1.5,30", "4,0,30", "4,2,30"))
    assert (session.dataset, session.media, session.mos) == (name, "game_1.mp4", 62.5)
    assert (session.content, session.fps) == (f"{name}/game", 30.0)
    assert session.stalls is not None
    assert session.stalls.events == ((0.0, 1.5), (8.0, 2.0))


def test_rebuffering_in_milliseconds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"game_1.csv, line 3: rebuffering_duration of 1500 s"):
        read_ratings(waterloo(tmp_path / "WaterlooSQoE-IV", "4,0,30", "4,1500,30"))


def test_videofeedback_rates_the_picture(tmp_path: Path) -> None:
    record = {"id": "r1", "visual quality": 3, "temporal consistency": 1, "video link": "x"}
    file = save(tmp_path / "data_annotated.json", json.dumps([record]))
    (clip,) = read_ratings(file)
    assert (clip.dataset, clip.media, clip.mos, clip.scale.name) == (
        "VideoFeedback",
        "r1",
        3,
        "1-4",
    )


def test_the_authors_rating_lists_are_read_on_either_scale(tmp_path: Path) -> None:
    raw = [{"img_path": "1.mp4", "gt_score": 4.6}, {"img_path": "2.mp4", "gt_score": 1.2}]
    scaled = [{"video_path": "1.mp4", "mos": 1.0, "level": 6}, {"video_path": "2.mp4", "mos": 0.0}]
    for records, scale in ((raw, "1-5"), (scaled, "0-1")):
        clips = read_ratings(save(tmp_path / "konvid.json", json.dumps(records)))
        assert {(clip.dataset, clip.scale.name) for clip in clips} == {("KoNViD-1k", scale)}


def test_a_list_without_a_header_is_read(tmp_path: Path) -> None:
    file = save(tmp_path / "mine.txt", "a.mp4, 8.0, 24, 76.8", "b.mp4, -1, -1, 12")
    first, second = read_ratings(file)
    assert (first.media, first.fps, first.mos, first.dataset) == ("a.mp4", 24.0, 76.8, "mine")
    assert second.fps is None


def test_a_name_given_wins_over_the_columns(tmp_path: Path) -> None:
    file = save(tmp_path / "x.csv", "flickr_id,mos", "1,40", "2,60")
    assert {clip.dataset for clip in read_ratings(file, "ours")} == {"ours"}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("video,mos", "a.mp4,good"), r"line 2, mos: 'good' is no number"),
        (("video,mos", "a.mp4,"), r"line 2, mos: empty"),
        (("video,mos", "a.mp4,nan"), r"line 2, mos: nan is not finite"),
        (("video,mos", ",3"), r"line 2, video: empty"),
        (("video,quality", "a.mp4,3"), "no column of scores"),
        (("a,mos", "a.mp4,3"), "no column of media"),
        (("video,mos",), "no rated video"),
        (("",), "empty"),
        (("video,mos,stall_events,media_dur_s", 'a,3,"[[1]]",9'), "line 2, stall_events"),
        (("video,mos,stall_events,media_dur_s", 'a,3,"[[1, -2]]",9'), "not negative"),
        (("video,mos,stall_events", 'a,3,"[[1, 2]]"'), "line 2, media_dur_s: empty; stalls need"),
        (("video,mos,extra", "a,3,{"), "line 2, extra: malformed JSON"),
        (("a.mp4, 8, 24, 70", "b.mp4, 8, 24"), "line 2: expected path, duration, fps, mos"),
    ],
)
def test_a_malformed_table_is_named_with_its_line(
    tmp_path: Path, lines: tuple[str, ...], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        read_ratings(save(tmp_path / "t.csv", *lines))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.xlsx", "save the sheet"),
        ("a.pkl", "pickles can run code"),
        ("a.doc", "not a label"),
        ("a.mat", "not a MATLAB file"),
        ("a.json", "expected a JSON list"),
    ],
)
def test_files_of_other_kinds_are_refused(tmp_path: Path, name: str, message: str) -> None:
    file = tmp_path / name
    file.write_text("something else entirely, and long enough to have a header " * 4)
    with pytest.raises(UsageError, match=message):
        read_ratings(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for name in ("a.csv", "a.json", "a.mat"):
        with pytest.raises(UsageError, match=f"cannot read .*{name}"):
            read_ratings(tmp_path / name)


def test_the_large_table_is_told_apart_into_its_sets(shared_dir: Path) -> None:
    ratings = read_ratings(shared_dir / "tables" / "ugc_mos_labels.csv")
    scales = {clip.dataset: clip.scale.name for clip in ratings}
    assert len(ratings) == 53864
    assert scales["LSVQ-train"] == scales["LIVE-VQC"] == "0-100"
    assert scales["KoNViD-1k"] == scales["YouTube-UGC"] == "1-5"
    assert scales["BVI-SR"] == "0-5"
    assert scales["MSU-CVQAD"] == "relative"
    assert Counter(clip.dataset for clip in ratings)["LSVQ-train"] == 28056


def test_rated_sessions_bring_their_stalls(shared_dir: Path) -> None:
    ratings = read_ratings(shared_dir / "tables" / "streaming_sessions.csv")
    assert len(ratings) == 1403
    assert all(session.stalls is not None for session in ratings)
    assert {s.scale.name for s in ratings if s.dataset == "LIVE-NFLX-I"} == {"z-score"}
    assert {s.fps for s in ratings if s.dataset == "WaterlooSQoE-I"} >= {25.0}
