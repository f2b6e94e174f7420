"""What all tests share: where the optional shared material lies, and a GPU switch."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # before torch is imported: workers share the cores
    os.environ.setdefault("OMP_NUM_THREADS", "1")

#: Real clips, goldens and odd media, beside the checkout when a developer has them.
SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_collection_finish() -> None:
    """Leave the million objects that imports made out of every later collection of garbage."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def engine_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep exports and built engines of the tests out of the user's cache folder.

    What one worker exported, others read.
    """
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "engines"
    folder.mkdir(exist_ok=True)
    os.environ["VQA2_ENGINE_CACHE"] = str(folder)
    return folder


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Return the folder of shared material, or skip the test where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the shared material is not beside this checkout")
    return SHARED


@pytest.fixture(scope="session")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny untrained model in the published layout: it answers, and means nothing by it."""
    from tests.model.checkpoints import write_published

    folder = tmp_path_factory.mktemp("assistant")
    write_published(folder)
    return folder


@pytest.fixture(scope="session")
def gpu() -> str:
    """Return the CUDA device's name, or skip; FAIL_WITHOUT_GPU=1 makes its absence a failure."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    if os.environ.get("FAIL_WITHOUT_GPU") == "1":
        pytest.fail("FAIL_WITHOUT_GPU is set and no CUDA device is there")
    pytest.skip("no CUDA device")
