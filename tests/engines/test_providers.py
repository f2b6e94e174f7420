"""ONNX Runtime's providers: asked for only where they are, and never swapped in silence."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import onnxruntime
import pytest

from engines import onnx_runtime, providers
from engines.contract import EngineOptions
from engines.elf import needed_libraries
from engines.errors import EngineUnavailable
from engines.providers import choose_provider, missing_libraries, provider_settings
from engines.registry import create_engine
from tests.engines.toys import GRAPH, exported, feeds

CAPI = Path(onnxruntime.__file__).parent / "capi"
TENSORRT_PROVIDER = CAPI / "libonnxruntime_providers_tensorrt.so"
PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"

needs_gpu_wheel = pytest.mark.skipif(
    not TENSORRT_PROVIDER.is_file(), reason="onnxruntime-gpu is not what is installed"
)


@pytest.fixture
def toy(tmp_path):
    return replace(GRAPH, onnx=exported(GRAPH, tmp_path / "toy.onnx"))


@pytest.fixture
def gpu_here(monkeypatch):
    """Let every check that comes before ONNX Runtime pass."""
    monkeypatch.setattr(providers, "_check_gpu", lambda *_: None)


def test_the_device_chooses_its_provider(gpu_here):
    for device, name in (("cpu", "CPU"), ("cuda:1", "CUDA")):
        found = choose_provider("onnxruntime", device, "fp32")
        assert found.provider == f"{name}ExecutionProvider"
    tensorrt = choose_provider("onnxruntime-tensorrt", "cuda", "bf16")
    assert tensorrt.provider == "TensorrtExecutionProvider"


@pytest.mark.parametrize(
    ("engine", "device", "precision", "message"),
    [
        ("onnxruntime", "cpu", "fp16", "in fp32 only, not in fp16"),
        ("onnxruntime", "cuda", "bf16", "in fp32 or fp16 only, not in bf16"),
        ("onnxruntime", "mps", "fp32", "onnxruntime: runs on cpu and cuda and not on mps"),
        ("onnxruntime-tensorrt", "cpu", "fp32", "-tensorrt: runs on cuda and not on cpu"),
    ],
)
def test_what_a_provider_cannot_do_is_refused(gpu_here, engine, device, precision, message):
    with pytest.raises(EngineUnavailable, match=message):
        choose_provider(engine, device, precision)


@needs_gpu_wheel
def test_a_provider_whose_libraries_lack_is_not_asked_for(monkeypatch, capfd):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr(providers, "_loads", lambda name: "curand" not in name)
    with pytest.raises(
        EngineUnavailable, match=r"lacks libcurand\S+\. Run: pip install 'vqa2\[gpu"
    ):
        choose_provider("onnxruntime", "cuda", "fp32")
    monkeypatch.setattr(providers, "_loads", lambda name: "nvinfer" not in name)
    with pytest.raises(EngineUnavailable, match=r"lacks libnvinfer\S+\. Run: .*vqa2\[tensorrt\]"):
        choose_provider("onnxruntime-tensorrt", "cuda", "fp32")
    assert capfd.readouterr() == ("", "")


def test_a_session_that_fell_back_is_refused(gpu_here, toy, monkeypatch, capfd):
    asked = {}
    real = onnxruntime.InferenceSession

    def fall_back(body, options, providers):
        asked["providers"] = providers
        sys.stdout.write("EP Error ... Falling back")
        return real(body, options, providers=["CPUExecutionProvider"])

    monkeypatch.setattr(onnx_runtime.onnxruntime, "InferenceSession", fall_back)
    with pytest.raises(EngineUnavailable, match="on CPUExecutionProvider and not on CUDAExec"):
        create_engine("onnxruntime", toy, device="cuda:1", precision="fp32")
    (name, settings), last = asked["providers"]
    assert (name, settings["device_id"], last) == (
        "CUDAExecutionProvider",
        "1",
        "CPUExecutionProvider",
    )
    assert settings["use_tf32"] == "0"
    assert capfd.readouterr() == ("", "")


def test_on_a_gpu_every_array_crosses_the_bus_once(gpu_here, toy, monkeypatch):
    done = []
    real = onnxruntime.InferenceSession

    class Binding:
        def __init__(self, session):
            self.session, self.feeds, self.names = session, {}, []

        def bind_ortvalue_input(self, name, value):
            self.feeds[name] = value

        def bind_output(self, name, kind, index):
            done.append((name, kind, index))
            self.names.append(name)

        def copy_outputs_to_cpu(self):
            return self.session.run(self.names, self.feeds)

    class Session:
        def __init__(self, body, options, providers):
            self.held = real(body, options, providers=["CPUExecutionProvider"])
            self.get_inputs, self.get_outputs = self.held.get_inputs, self.held.get_outputs

        def get_providers(self):
            return ["CUDAExecutionProvider", "CPUExecutionProvider"]

        def io_binding(self):
            return Binding(self.held)

        def run_with_iobinding(self, binding):
            done.append("run")

    def to_device(array, kind, index):
        done.append((array.shape, kind, index))
        return array

    monkeypatch.setattr(onnx_runtime.onnxruntime, "InferenceSession", Session)
    monkeypatch.setattr(
        onnx_runtime.onnxruntime, "OrtValue", SimpleNamespace(ortvalue_from_numpy=to_device)
    )
    with create_engine("onnxruntime", toy, device="cuda:2", precision="fp32") as engine:
        got = engine.run(feeds(3))
    assert got["total"].shape == (3,)
    assert done == [
        ((3, 8, 8, 3), "cuda", 2),
        ((4,), "cuda", 2),
        ("features", "cuda", 2),
        ("total", "cuda", 2),
        "run",
    ]


def test_the_tensorrt_provider_keeps_its_engines_and_knows_the_lengths(tmp_path):
    settings = provider_settings(
        providers.PROVIDERS["tensorrt"], GRAPH, "cuda:1", "fp16", EngineOptions(cache_dir=tmp_path)
    )
    assert settings["device_id"] == "1"
    assert (settings["trt_fp16_enable"], settings["trt_bf16_enable"]) == ("True", "False")
    assert settings["trt_engine_cache_path"] == str(tmp_path / "onnxruntime")
    assert settings["trt_profile_max_shapes"] == "frames:16x8x8x3,gain:4,frames:64x8x8x3,gain:4"


def test_the_tensorrt_provider_keeps_nothing_where_it_cannot(tmp_path, caplog):
    taken = tmp_path / "file"
    taken.write_bytes(b"")
    settings = provider_settings(
        providers.PROVIDERS["tensorrt"], GRAPH, "cuda", "fp16", EngineOptions(cache_dir=taken)
    )
    assert not any("cache" in name for name in settings)
    assert "cannot keep engines" in caplog.text


def test_threads_follow_the_machine_up_to_a_limit(monkeypatch):
    monkeypatch.setattr("torch.get_num_threads", lambda: 64)
    assert providers.cpu_threads(EngineOptions()) == providers.MOST_THREADS
    monkeypatch.setattr("torch.get_num_threads", lambda: 2)
    assert providers.cpu_threads(EngineOptions()) == 2
    assert providers.cpu_threads(EngineOptions(threads=5)) == 5


@needs_gpu_wheel
def test_the_tensorrt_extra_is_the_one_that_onnxruntime_links():
    names = needed_libraries(TENSORRT_PROVIDER)
    (major,) = {
        int(match[1]) for name in names if (match := re.match(r"libnvinfer\.so\.(\d+)", name))
    }
    extras = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    (bound,) = [line for line in extras["tensorrt"] if line.startswith("tensorrt>")]
    assert bound.startswith(f"tensorrt>={major}.")
    assert f"<{major + 1};" in bound


@needs_gpu_wheel
def test_the_reader_sees_what_the_linker_wrote():
    names = needed_libraries(TENSORRT_PROVIDER)
    assert "libc.so.6" in names
    assert any(name.startswith("libnvonnxparser.so.") for name in names)
    try:
        told = subprocess.run(
            ["readelf", "-d", TENSORRT_PROVIDER], capture_output=True, text=True, check=True
        ).stdout
    except FileNotFoundError:
        pytest.skip("no readelf")
    assert names == re.findall(r"\(NEEDED\).*\[(.+)\]", told)


def test_what_is_no_library_is_told(tmp_path):
    text = tmp_path / "text.so"
    text.write_text("hello")
    with pytest.raises(ValueError, match=r"text\.so is no 64-bit"):
        needed_libraries(text)
    cut = tmp_path / "cut.so"
    cut.write_bytes(Path(sys.executable).resolve().read_bytes()[:64])
    with pytest.raises(ValueError, match="no readable dynamic section"):
        needed_libraries(cut)
    assert missing_libraries(tmp_path / "gone.so") == ["gone.so"]
