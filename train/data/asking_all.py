"""Many requests at a time, until one cannot be made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from tqdm import tqdm

from train.data.endpoint import EndpointFailed

Item = TypeVar("Item")
Result = TypeVar("Result")


def ask_all(
    ask: Callable[[Item], Result],
    items: Sequence[Item],
    jobs: int,
    bar: tqdm,
    failed: Callable[[EndpointFailed, int], Exception],
) -> list[Result]:
    """Return what `ask` makes of every item, in order; stop asking at the first failure.

    Args:
        ask: called from up to `jobs` threads.
        bar: moves with every item, and is closed.
        failed: makes the error to raise of the endpoint's and the number of items that are done.

    Raises:
        Exception: what `failed` made, or what `ask` raised first.
    """
    with ThreadPoolExecutor(jobs) as pool, bar:
        futures: list[Future[Result]] = []
        for item in items:
            future = pool.submit(ask, item)
            future.add_done_callback(lambda _: bar.update())
            futures.append(future)
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            _raise_first(futures, failed)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return [future.result() for future in futures]


def _raise_first(
    futures: Sequence[Future[Result]], failed: Callable[[EndpointFailed, int], Exception]
) -> None:
    error = next((one.exception() for one in futures if one.done() and one.exception()), None)
    if error is None:
        return
    for future in futures:
        future.cancel()
    wait([future for future in futures if not future.cancelled()])
    done = sum(1 for one in futures if not one.cancelled() and one.exception() is None)
    if isinstance(error, EndpointFailed):
        raise failed(error, done) from error
    raise error
