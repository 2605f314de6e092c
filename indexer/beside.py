"""Work that goes on beside the caller's, in threads of this process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")


class Beside:
    """Threads that are waited for at the end of the block, unless it ends in an interrupt.

    They are daemons, which `concurrent.futures` has none of: whoever presses Ctrl-C is not to wait
    for what nobody wants any more.
    """

    def __init__(self) -> None:
        self._futures: list[Future[Any]] = []

    def start(self, work: Callable[[], T]) -> Future[T]:
        """Begin the work; the future gives its result or raises its error."""
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(work())
            except BaseException as error:
                future.set_exception(error)

        self._futures.append(future)
        threading.Thread(target=run, daemon=True).start()
        return future

    def __enter__(self) -> Beside:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None or issubclass(kind, Exception):
            wait(self._futures)  # of a run that has failed, another may want the same files
