"""How many threads the numeric libraries may start.

One: matrices here are small, workers are several, and two libraries that each spin up a thread per
core on the same cores answer later than one thread does.
"""

from __future__ import annotations

import faiss
import threadpoolctl


def limit_threads(count: int = 1) -> None:
    """Hold BLAS and FAISS to `count` threads for the rest of the process."""
    threadpoolctl.threadpool_limits(count, user_api="blas")
    faiss.omp_set_num_threads(count)
