"""Making the embedded model goes on where it was stopped, with the same batches."""

from __future__ import annotations

from types import SimpleNamespace

from accelerate import skip_first_batches
from torch.utils.data import DataLoader

from train.dataset import SourceBatches


def batches() -> SourceBatches:
    fit = SimpleNamespace(groups=2, per_group=2, keyframes=(1, 2), motion_frames=(8, 16))
    items = [SimpleNamespace(source=f"s{index % 4}") for index in range(24)]
    return SourceBatches(items, fit, seed=5)


def test_a_resumed_epoch_draws_what_the_stopped_one_would_have():
    whole = batches()
    epochs = [list(whole) for _ in range(3)]
    loader = skip_first_batches(DataLoader([0] * 24, batch_sampler=batches()), 2)
    loader.batch_sampler.batch_sampler.set_epoch(1)  # as the Trainer does on resuming
    assert list(loader.batch_sampler) == epochs[1][2:]


def test_the_trainer_finds_where_to_set_the_epoch_of_a_whole_epoch_too():
    resumed = batches()
    resumed.batch_sampler.set_epoch(2)
    whole = batches()
    assert list(resumed) == [list(whole) for _ in range(3)][2]
