"""TensorRT, with a stand-in for the library and the device: plans are kept, checked, rebuilt."""

from __future__ import annotations

import logging
import stat
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engines import trt_build
from engines.contract import EngineOptions, Lengths
from engines.cuda import Gpu
from engines.errors import EngineUnavailable
from engines.export import examples, run_float32
from engines.parity import compare
from engines.registry import create_engine
from engines.trt import TensorRtEngine, plan_key
from engines.trt_build import build_plan, find_library, open_log, profile_index
from tests.engines.fake_cuda import Context, FakeQueue, FakeTensorRt
from tests.engines.toys import GRAPH, Toy, exported, feeds, small_motion


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    path = exported(GRAPH, tmp_path_factory.mktemp("onnx") / "toy.onnx")
    return replace(GRAPH, onnx=path)


@pytest.fixture
def trt(monkeypatch):
    fake = FakeTensorRt()
    install(monkeypatch, fake)
    monkeypatch.setattr("engines.trt.has_cuda", lambda: True)
    monkeypatch.setattr("engines.trt.CudaQueue", FakeQueue)
    return fake


def install(monkeypatch, fake):
    monkeypatch.setitem(sys.modules, fake.__name__, fake)
    monkeypatch.setattr(trt_build, "find_library", lambda: fake.__name__)
    monkeypatch.setattr("engines.trt.find_library", lambda: fake.__name__)


def open_engine(graph, folder: Path, precision: str = "fp32") -> TensorRtEngine:
    options = EngineOptions(cache_dir=folder)
    return create_engine("tensorrt", graph, device="cuda:0", precision=precision, options=options)


def plans(folder: Path) -> list[Path]:
    return sorted(folder.glob("toy-*-plan-*.bin"))


@pytest.mark.parametrize("length", [1, 5, 16, 17, 64])
def test_it_computes_what_the_module_computes(trt, graph, tmp_path, length):
    with open_engine(graph, tmp_path) as engine:
        got = engine.run(feeds(length))
    for name, want in run_float32(GRAPH, feeds(length)).items():
        assert got[name].dtype == np.float32
        np.testing.assert_allclose(got[name], want, rtol=1e-4, atol=1e-5)


def test_results_belong_to_the_caller(trt, graph, tmp_path):
    with open_engine(graph, tmp_path) as engine:
        first = engine.run(feeds(9))["features"]
        kept = first.copy()
        engine.run({**feeds(9), "frames": 255 - feeds(9)["frames"]})
        np.testing.assert_array_equal(first, kept)


def test_strided_and_read_only_feeds_are_fine(trt, graph, tmp_path):
    given = feeds(10)
    given["gain"].flags.writeable = False
    with open_engine(graph, tmp_path) as engine:
        got = engine.run({**given, "frames": given["frames"][::2]})
        want = engine.run({**given, "frames": given["frames"][::2].copy()})
    np.testing.assert_array_equal(got["total"], want["total"])


def test_each_length_runs_in_its_profile_and_contexts_are_reused(trt, graph, tmp_path):
    with open_engine(graph, tmp_path) as engine:
        for length in (5, 20, 16, 64):
            engine.run(feeds(length))
        assert trt.executed == [(0, 5), (1, 20), (0, 16), (1, 64)]
        (lane,) = engine._idle
        assert len(lane._contexts) == 2


def test_clips_run_side_by_side_and_do_not_mix(trt, graph, tmp_path, monkeypatch):
    together = threading.Barrier(3, timeout=30)
    real = Context.execute_async_v3

    def execute(context, stream):
        together.wait()  # breaks unless three runs are on at a time
        return real(context, stream)

    clips = [examples(GRAPH, length, seed=length) for length in (4, 9, 20)]
    monkeypatch.setattr(Context, "execute_async_v3", execute)
    with open_engine(graph, tmp_path) as engine, ThreadPoolExecutor(3) as pool:
        for _ in range(2):
            for clip, got in zip(clips, pool.map(engine.run, clips), strict=True):
                want = run_float32(GRAPH, clip)["features"]
                np.testing.assert_allclose(got["features"], want, rtol=1e-4, atol=1e-5)
        assert len(engine._idle) == 3


def test_a_run_that_fails_gives_its_lane_back(trt, graph, tmp_path):
    with open_engine(graph, tmp_path) as engine:
        for _ in range(3):
            with pytest.raises(ValueError, match="up to 64"):
                engine.run(feeds(65))
        assert len(engine._idle) == 1


def test_a_length_beyond_every_profile_is_refused(trt, graph, tmp_path):
    with (
        open_engine(graph, tmp_path) as engine,
        pytest.raises(ValueError, match="up to 64 frames at a time, not 65"),
    ):
        engine.run(feeds(65))


def test_a_closed_engine_refuses_and_closes_twice(trt, graph, tmp_path):
    engine = open_engine(graph, tmp_path)
    engine.close()
    engine.close()
    with pytest.raises(ValueError, match="closed"):
        engine.run(feeds())


def test_a_wrong_feed_is_named(trt, graph, tmp_path):
    with (
        open_engine(graph, tmp_path) as engine,
        pytest.raises(ValueError, match="needs gain"),
    ):
        engine.run({"frames": feeds()["frames"]})


def test_a_plan_is_built_once_and_loaded_ever_after(trt, graph, tmp_path):
    open_engine(graph, tmp_path).close()
    open_engine(graph, tmp_path).close()
    assert (trt.builds, trt.loads, len(plans(tmp_path))) == (1, 2, 1)


def test_a_second_build_starts_from_what_the_first_learnt(trt, graph, tmp_path):
    open_engine(graph, tmp_path).close()
    plans(tmp_path)[0].unlink()
    open_engine(graph, tmp_path).close()
    assert trt.timings == [b"", b"timings"]


def test_tensorrt_rtx_learns_nothing_while_it_builds(monkeypatch, trt, graph, tmp_path):
    rtx = FakeTensorRt("tensorrt_rtx")
    install(monkeypatch, rtx)
    open_engine(graph, tmp_path).close()
    assert (rtx.builds, rtx.timings, list(tmp_path.glob("timing-*"))) == (1, [], [])


@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
def test_every_precision_has_a_plan_of_its_own(trt, graph, tmp_path, precision, monkeypatch):
    monkeypatch.setattr("engines.trt.onnx_bytes", lambda *_: graph.onnx.read_bytes())
    open_engine(graph, tmp_path).close()
    open_engine(graph, tmp_path, precision).close()
    assert trt.builds == (1 if precision == "fp32" else 2)


def test_half_precision_lies_within_its_tolerance(trt, graph, tmp_path):
    with open_engine(graph, tmp_path, "fp16") as engine:
        found = compare(engine)
    assert 0.0 < found.worst <= found.limit


OTHERS = {
    "library version": lambda trt, patch: setattr(trt, "__version__", "10.14.0"),
    "gpu": lambda trt, patch: patch.setattr(FakeQueue, "here", Gpu("Other GPU", (9, 0))),
    "capability": lambda trt, patch: patch.setattr(FakeQueue, "here", Gpu("Fake GPU", (8, 0))),
    "library": lambda trt, patch: install(patch, FakeTensorRt("tensorrt_rtx")),
}


@pytest.mark.parametrize("what", OTHERS)
def test_a_plan_of_another_machine_is_never_loaded(trt, graph, tmp_path, monkeypatch, what):
    open_engine(graph, tmp_path).close()
    OTHERS[what](trt, monkeypatch)
    open_engine(graph, tmp_path).close()
    assert len(plans(tmp_path)) == 2


def test_a_plan_under_another_name_is_never_loaded(trt, graph, tmp_path, monkeypatch):
    open_engine(graph, tmp_path).close()
    (old,) = plans(tmp_path)
    trt.__version__ = "10.14.0"
    open_engine(graph, tmp_path).close()
    (new,) = set(plans(tmp_path)) - {old}
    old.replace(new)
    open_engine(graph, tmp_path).close()
    assert trt.builds == 3


def test_other_weights_and_other_lengths_are_other_plans():
    trt, gpu = FakeTensorRt(), Gpu("Fake GPU", (9, 0))
    key = plan_key(GRAPH, "fp32", trt, gpu)

    def shifted() -> torch.nn.Module:
        toy = Toy()
        torch.nn.init.ones_(toy.conv.bias)
        return toy

    assert plan_key(GRAPH, "fp32", trt, gpu) == key
    assert plan_key(replace(GRAPH, module=shifted), "fp32", trt, gpu) != key
    assert plan_key(replace(GRAPH, lengths=(Lengths(1, 2, 3),)), "fp32", trt, gpu) != key


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: data[:40] + b"x" * 99])
def test_a_damaged_plan_is_built_again(trt, graph, tmp_path, caplog, damage):
    open_engine(graph, tmp_path).close()
    (plan,) = plans(tmp_path)
    whole = plan.read_bytes()
    plan.write_bytes(damage(whole))
    open_engine(graph, tmp_path).close()
    assert trt.builds == 2
    assert plan.read_bytes() == whole
    assert "is made again" in caplog.text


def test_a_plan_the_library_does_not_take_is_built_again(trt, graph, tmp_path, caplog):
    open_engine(graph, tmp_path).close()
    trt.refuse_loads = 1
    open_engine(graph, tmp_path).close()
    assert trt.builds == 2
    assert "does not take the plan it made (wrong plan)" in caplog.text


def test_a_folder_that_takes_no_files_costs_a_warning(trt, graph, tmp_path, caplog, monkeypatch):
    def refuse(*_args, **_named):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("engines.cache.tempfile.mkstemp", refuse)
    with open_engine(graph, tmp_path / "cache") as engine:
        assert engine.run(feeds(3))["total"].shape == (3,)
    assert "cannot keep" in caplog.text
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2


def test_a_folder_that_cannot_be_made_costs_a_warning(trt, graph, tmp_path, caplog):
    (tmp_path / "file").write_bytes(b"")
    with open_engine(graph, tmp_path / "file" / "cache") as engine:
        assert engine.run(feeds(3))["total"].shape == (3,)
    assert "cannot keep" in caplog.text
    assert (trt.builds, (tmp_path / "file").read_bytes()) == (1, b"")


def test_no_half_written_file_is_left(trt, graph, tmp_path, monkeypatch):
    def interrupt(_handle):
        raise KeyboardInterrupt

    monkeypatch.setattr("engines.cache.os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        open_engine(graph, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_kept_is_not_executable(trt, graph, tmp_path):
    open_engine(graph, tmp_path).close()
    assert not plans(tmp_path)[0].stat().st_mode & stat.S_IXUSR


def test_a_failed_build_tells_why_on_one_line(trt, graph, tmp_path):
    trt.build_fails = True
    with pytest.raises(EngineUnavailable, match="this device is not supported") as caught:
        open_engine(graph, tmp_path)
    assert "\n" not in str(caught.value)
    assert plans(tmp_path) == []


def test_an_onnx_file_of_another_graph_is_refused(trt, graph, tmp_path):
    other = replace(graph, name="other", outputs=graph.outputs[:1])
    with pytest.raises(EngineUnavailable, match="the ONNX file is not other"):
        open_engine(other, tmp_path)
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a graph")
    with pytest.raises(EngineUnavailable, match=r"cannot parse the ONNX file of toy \(not an ONNX"):
        open_engine(replace(graph, onnx=broken), tmp_path)


def test_a_failing_device_is_an_error_and_not_a_number(trt, graph, tmp_path, monkeypatch):
    with open_engine(graph, tmp_path) as engine:
        monkeypatch.setattr("tests.engines.fake_cuda.Context.execute_async_v3", lambda *_: False)
        with pytest.raises(RuntimeError, match="TensorRT failed"):
            engine.run(feeds())


def test_a_missing_library_names_the_extra(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EngineUnavailable, match=r"pip install 'vqa2\[tensorrt\]'"):
        find_library()


def test_a_library_that_does_not_load_is_one_line(monkeypatch):
    def broken(name):
        raise ImportError("libnvinfer.so.10: cannot open shared object file")

    monkeypatch.setattr(trt_build, "find_library", lambda: "tensorrt")
    monkeypatch.setattr("importlib.import_module", broken)
    with pytest.raises(EngineUnavailable, match=r"does not load \(libnvinfer\.so\.10"):
        trt_build.load_library()


def test_lengths_choose_their_profile():
    assert [profile_index(GRAPH, length) for length in (1, 16, 17, 64)] == [0, 0, 1, 1]
    motion = small_motion(8, 0.125)
    assert [profile_index(motion, length) for length in (1, 3, 5, 192, 193, 2001)] == [
        0, 0, 0, 0, 1, 1,
    ]  # fmt: skip
    with pytest.raises(ValueError, match="not in order"):
        Lengths(2, 1, 3)


def test_messages_go_to_the_log_and_not_to_the_terminal(capfd, graph):
    trt = FakeTensorRt()
    trt.build_fails = True
    with pytest.raises(EngineUnavailable):
        build_plan(trt, open_log(trt), graph, graph.onnx.read_bytes())
    assert capfd.readouterr() == ("", "")
