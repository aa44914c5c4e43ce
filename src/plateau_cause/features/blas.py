"""One BLAS thread for many small matrix products."""

from __future__ import annotations

from typing import Any


def one_thread() -> Any:
    """Returns a context in which numpy, scipy and scikit-learn use one BLAS thread (torch keeps its own).

    OpenBLAS's threads wait by spinning, and no environment variable makes them passive: with two of them on
    two cores that are shared, the probes of three views took 40 s instead of 1.9 s (measured). With one
    thread the result does not depend on the number of cores either.
    """
    import scipy.linalg  # noqa: F401  # brings a BLAS of its own: what is loaded later is not limited
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    return threadpool_limits(1, user_api="blas")
