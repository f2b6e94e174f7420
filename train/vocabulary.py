"""The embedded model's own tokenizer: byte-pair, trained on the sentences it will meet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor, cos, sin
from transformers import PreTrainedTokenizerFast

from train.distortions import KADID_TYPES
from train.kadid import FOUND_AS
from vqa2cli.levels import LEVELS
from vqa2cli.model.facts import describe_stream
from vqa2cli.model.protocols import PROTOCOLS
from vqa2cli.model.recognition import UNCLEAR, Reading, readings_text
from vqa2cli.video.media import StreamFacts
from vqa2cli.video.stall_text import summary_text

SPECIAL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")


def sentences() -> Iterator[str]:
    """Yield every kind of sentence of the prompts and answers, each number and word included."""
    protocol = PROTOCOLS["mini-1"]
    yield "You are a helpful assistant."
    yield from ("system\n", "user\n", "assistant\n")
    for level in LEVELS:
        yield protocol.user
        yield f"{protocol.prefix} {level}."
    # No prompt of the scorer holds these; its weights learned under a tokenizer that read them.
    for name, quality in product((UNCLEAR, *sorted(set(FOUND_AS))), range(101)):
        yield readings_text([Reading(name, quality)])
    for db, percent in product(range(-45, 21), range(5, 205, 5)):
        told = describe_stream(StreamFacts("h264", 10 ** (db / 10), 10, 10, 30.0), (10, 10))
        yield told.replace(" 100 percent", f" {percent} percent")  # more than are told
    for quantizer in range(64):
        told = describe_stream(StreamFacts("h264", 1.0, 10, 10, 30.0, 10.0), (10, 10))
        yield told.replace(" quantizer 10 ", f" quantizer {quantizer} ")
    codecs = ("h264", "hevc", "vp9", "av1", "vp8", "mpeg4", "mpeg2video", "mjpeg", "other")
    for codec, fps in product(codecs, (5, 8, 10, 12, 15, 20, 24, 25, 30, 50, 60, 100, 120)):
        yield describe_stream(StreamFacts(codec, None, 640, 360, float(fps)), None)
    for number in range(1001):
        seconds = number / 20
        yield summary_text([seconds] * (number % 9), number / 1000, seconds, seconds)
    yield summary_text([], 0.0, 0.0, None)
    for name in KADID_TYPES.values():
        yield f" It is {name}. The main distortion is {name}, slight, noticeable or severe."


#: Numbers this far apart stop being neighbours, in several sizes at once.
NUMBER_SCALES = (3.0, 6.0, 12.0, 25.0, 50.0)


def embed_numbers_by_size(rows: Tensor, vocabulary: Mapping[str, int]) -> None:
    """Let the embeddings [V, D] of whole numbers begin as smooth functions of their values.

    A quantiser of 31 then means nearly what 30 means before anything is learned. The rows keep
    their spread.
    """
    numbers = {row: int(text) for token, row in vocabulary.items() if (text := _number(token))}
    values = torch.tensor([float(value) for value in numbers.values()])
    waves = [function(values / scale) for scale in NUMBER_SCALES for function in (sin, cos)]
    features = torch.stack([torch.log1p(values) / 4, *waves], dim=1)
    smooth = features @ torch.randn(features.shape[1], rows.shape[1])
    with torch.no_grad():
        rows[list(numbers)] = (smooth * (rows.std() / smooth.std())).to(rows.dtype)


def _number(token: str) -> str:
    text = token.removeprefix("\u0120")  # how byte-level vocabularies write a leading space
    return text if text.isascii() and text.isdigit() else ""


def train_tokenizer(folder: Path, size: int, texts: Iterable[str] | None = None) -> None:
    """Train on `texts` (default `sentences`) and save a fast tokenizer into `folder`."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts if texts is not None else sentences(), trainer)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=["<|im_start|>", "<|im_end|>"],
    ).save_pretrained(str(folder))
