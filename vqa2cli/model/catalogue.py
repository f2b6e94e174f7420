"""The models vqa2 knows by name, and how a name becomes a directory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from vqa2cli import config
from vqa2cli.errors import ModelError

#: Where embedded models lie, one directory each.
EMBEDDED_DIR = Path(__file__).resolve().parents[1] / "models"

#: Protocol of a checkpoint that does not say its own (REFERENCE.md §0).
DEFAULT_PROTOCOL = "ugc-2024"

#: What a hub download fetches.
HUB_PATTERNS = ["*.json", "*.safetensors", "*.bin", "*.txt"]


@dataclass(frozen=True)
class CatalogueEntry:
    """A model by name: where it comes from, how it wants to be asked, what one may do with it."""

    name: str
    protocol: str
    licence: str
    summary: str
    embedded: bool = False


_PUBLISHED = (
    "weights published by the authors on the hub without a licence file: ask before selling"
)

CATALOGUE: dict[str, CatalogueEntry] = {
    entry.name: entry
    for entry in (
        CatalogueEntry(
            "mini", "mini-1", "Apache-2.0", "ships with vqa2; scores, on a CPU too", embedded=True
        ),
        CatalogueEntry(
            "mini-assistant",
            "mini-ask-1",
            "Apache-2.0",
            "ships with vqa2; answers about picture quality",
            embedded=True,
        ),
        CatalogueEntry(
            "q-future/VQA-UGC-Scorer-llava_qwen", "ugc-2024", _PUBLISHED, "7B, user videos"
        ),
        CatalogueEntry(
            "q-future/VQA-Streaming-Scorer-llava_qwen",
            "streaming-2024",
            _PUBLISHED,
            "7B, streaming sessions",
        ),
        CatalogueEntry(
            "q-future/VQA-Assistant-llava_qwen", "assistant-chat", _PUBLISHED, "7B, answers"
        ),
        CatalogueEntry(
            "q-future/VQA-Assistant-llava-qwen-enhanced",
            "assistant-chat",
            _PUBLISHED,
            "7B, answers, trained on more data",
        ),
    )
}


@dataclass(frozen=True)
class ModelSource:
    """A model found: its directory, the name reports give it, and what the catalogue says."""

    path: Path
    name: str
    revision: str
    entry: CatalogueEntry | None


def find_model(name: str) -> ModelSource:
    """Return the directory of an embedded name, a local directory or a hub id, in this order.

    Only a hub id may download, and only when it is neither of the others.

    Raises:
        ModelError: there is no such model, or the hub cannot be reached.
    """
    entry = CATALOGUE.get(name)
    if entry is not None and entry.embedded:
        return _embedded(entry)
    path = Path(name).expanduser()
    if path.is_dir():
        return ModelSource(path, path.resolve().name, "", None)
    if path.exists():
        raise ModelError(f"{name} is a file; --model takes the directory that holds config.json")
    if re.fullmatch(r"[\w.-]+/[\w.-]+", name) and not name.startswith("."):
        return _from_hub(name, entry)
    known = ", ".join(CATALOGUE)
    raise ModelError(f"no model {name}: no such directory, and the known names are {known}")


def default_protocol(source: ModelSource, stated: str) -> str:
    """Return how a model wants to be asked: what its configuration states, or its name says."""
    if stated:
        return stated
    if source.entry is not None:
        return source.entry.protocol
    name = source.name.lower()
    for part, protocol in (("streaming", "streaming-2024"), ("assistant", "assistant-chat")):
        if part in name:
            return protocol
    return DEFAULT_PROTOCOL


def _embedded(entry: CatalogueEntry) -> ModelSource:
    path = EMBEDDED_DIR / entry.name
    if not (path / "config.json").is_file():
        raise ModelError(
            f"the embedded model {entry.name} is not in this installation ({path}); "
            "reinstall vqa2, or name another with --model"
        )
    return ModelSource(path, f"vqa2-{entry.name}", "", entry)


@cache  # each answer costs a request; what is asked and what is loaded is the same model
def _from_hub(name: str, entry: CatalogueEntry | None) -> ModelSource:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        path = Path(snapshot_download(name, allow_patterns=HUB_PATTERNS))
    except (HfHubHTTPError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(
            f"no model {name}: no such directory, and the hub did not give it ({reason}); download "
            f"it elsewhere and name its directory, or use --model {config.EMBEDDED_MODEL}"
        ) from error
    return ModelSource(path, name, path.name, entry)
