"""Work given to the workers of a Dask cluster: that they can do it is checked first, and what comes back is watched.

A task is a function of this package and a few small arguments, and gives a small result; what is large is in files
that all reach. So a worker that dies loses what it was doing and no more: Dask gives that to another one.

A worker has to run the same minitok, which its fingerprint shows. All workers are asked before anything begins, and
each task asks again, because workers come and go.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from minitok._version import __version__

__all__ = ["check_workers", "connected", "find_client", "fingerprint", "local_cluster", "perform", "results"]

_T = TypeVar("_T")

#: How long to wait for a scheduler, and for its first worker.
PATIENCE = 30.0
#: How long there may be no worker at all while there is work.
LONELY = 60.0
#: How often to look whether there are workers at all.
_TICK = 0.5
_REMEDY = "pip install 'minitok[dask]'"
#: What glibc's malloc comes to by itself. Dask sets the first of these to 64 KiB, so that workers give back what they
#: free; then all that is read comes in fresh pages, which takes a worker a quarter of its time.
_MALLOC = {"MALLOC_TRIM_THRESHOLD_": 1 << 25, "MALLOC_MMAP_THRESHOLD_": 1 << 24}
#: What Dask does beside, a hundred and fifty times a second in each process, is of little use here: by default it
#: takes 3 % of a processor for the scheduler and 2 % for each worker, and so 0.6 % and 0.3 %.
_QUIET = {
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "500ms",
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "5s",
}


# -- Clients -------------------------------------------------------------------------------------------------------


def _distributed() -> Any:
    try:
        import distributed
        import fsspec  # noqa: F401
    except ImportError as error:
        raise ValueError(f"a cluster takes packages that are not installed ({error}): {_REMEDY}") from None
    return distributed


def find_client(client: Any) -> Any:
    """The client that is given, or the one that the program made last.

    Raises:
        ValueError: there is none; it is one for asynchronous programs; Dask is not installed.
        TypeError: something else.
    """
    distributed = _distributed()
    if client is None:
        try:
            client = distributed.default_client()
        except ValueError:
            raise ValueError(
                "there is no client of a cluster; pass client=distributed.Client('tcp://...'), or "
                "client=distributed.Client() for the processors of this machine"
            ) from None
    if not isinstance(client, distributed.Client):
        raise TypeError(f"client is a distributed.Client, not {type(client).__name__}")
    if client.asynchronous:
        raise ValueError("the client is asynchronous; pass one that is made without asynchronous=True")
    if client.status != "running":
        raise ValueError(f"the client is {client.status}; connect to the scheduler again")
    return client


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """A client of the scheduler at an address, for a while.

    Raises:
        OSError: nobody answers there.
        ValueError: it is no address.
    """
    distributed = _distributed()
    if not re.fullmatch(r"[a-z]+://.*:[0-9]+", address):
        raise ValueError(f"{address!r} is no address of a scheduler; expected tcp://HOST:PORT")
    try:
        client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except OSError as error:
        raise OSError(
            f"no Dask scheduler answers at {address} ({error}); start one with 'dask scheduler', or correct the "
            "address"
        ) from error
    with client:
        yield client


@contextmanager
def local_cluster(workers: int) -> Iterator[Any]:
    """A client of a cluster of processes on this machine, which end with it."""
    distributed = _distributed()
    import dask.config

    environment = {f"distributed.nanny.pre-spawn-environ.{name}": size for name, size in _MALLOC.items()}
    with dask.config.set({**_QUIET, **environment}):
        cluster = distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
        )
    with cluster, distributed.Client(cluster, set_as_default=False) as client:
        yield client


# -- Workers -------------------------------------------------------------------------------------------------------


@cache
def fingerprint() -> str:
    """What tells one minitok from another: its version, and a hash of its sources."""
    import hashlib

    import minitok

    folder = Path(minitok.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py"), key=lambda path: path.relative_to(folder).as_posix()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{__version__}/{digest.hexdigest()[:16]}"


def check_workers(client: Any) -> dict[str, Any]:
    """Make sure that there are workers, and that each has the minitok that runs here.

    Returns:
        What the scheduler tells of each worker, by its address.

    Raises:
        OSError: there are none.
        ValueError: a worker without minitok, or with another one.
    """
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        address = client.scheduler.address
        raise OSError(f"the scheduler at {address} has no workers; start some with 'dask worker {address}'") from None
    expected = fingerprint()
    for address, found in client.run(fingerprint, on_error="return").items():
        if isinstance(found, Exception) and "No module named 'minitok" in str(found):  # Dask may change its type
            raise ValueError(
                f"the worker {address} has no minitok, or an old one ({found}): install minitok {__version__} there "
                f"({_REMEDY})"
            )
        if isinstance(found, Exception):
            raise ValueError(f"the worker {address} cannot run minitok: {type(found).__name__}: {found}")
        _check_fingerprint(found, expected, f"the worker {address}")
    workers: dict[str, Any] = client.scheduler_info()["workers"]
    return workers


def _check_fingerprint(found: str, expected: str, worker: str) -> None:
    if found != expected:
        raise ValueError(
            f"{worker} runs minitok {found}, and this is {expected} (version and hash of the sources): "
            "install the same one everywhere"
        )


def perform(expected: str, function: Callable[..., _T], *arguments: Any) -> _T:
    """What a worker does: it calls a function, and tells what went wrong so that it can be told elsewhere.

    Args:
        expected: the fingerprint of the minitok that gives the task; another one refuses it.
        function: what to call.
        arguments: what with.
    """
    from distributed import get_worker

    try:
        name = f"the worker {get_worker().address}"
    except ValueError:  # `Client.run` calls what is no task
        name = "this worker"
    _check_fingerprint(fingerprint(), expected, name)
    try:
        return function(*arguments)
    except Exception as error:
        failure = _told(error, name)
    # Here it has no other error behind it, which may hold what cannot be sent, such as an open connection.
    raise failure


def _told(error: Exception, worker: str) -> Exception:
    """An error that says on which worker it was, if that matters, and can be sent."""
    if isinstance(error, OSError):
        if error.errno is None:
            return type(error)(f"{error} (on {worker})")
        return OSError(error.errno, f"{error.strerror} (on {worker})", error.filename)
    if isinstance(error, MemoryError):
        return OSError(f"{worker} has no memory left; {_MEMORY_REMEDY}")
    if isinstance(error, (ValueError, TypeError, KeyError)):
        return error.with_traceback(None)
    return OSError(f"{type(error).__name__}: {error} (on {worker})")


_MEMORY_REMEDY = "give each worker more, or fewer threads, or pass memory_limit=... (--memory-limit)"


# -- Tasks ---------------------------------------------------------------------------------------------------------


def results(
    client: Any, function: Callable[..., _T], arguments: Sequence[tuple[Any, ...]]
) -> Iterator[tuple[int, _T]]:
    """Call a function on the workers, once for each tuple of arguments.

    When this ends early, by an error or because the caller has enough, what has not begun is called off.

    Args:
        client: of the cluster.
        function: gives something small.
        arguments: for each call; small too.

    Yields:
        The number of a call and its result, as they come.

    Raises:
        OSError: workers die, or there are none any more.
        Exception: whatever a call raises.
    """
    here = fingerprint()
    futures = [client.submit(perform, here, function, *some, pure=False) for some in arguments]
    numbers = {future.key: number for number, future in enumerate(futures)}
    # Results come with their futures: to ask for one may take for ever, if its worker has died meanwhile.
    waiting = _distributed().as_completed(futures, loop=client.loop, with_results=True)
    last_seen = time.monotonic()
    try:
        while not waiting.is_empty():
            with waiting.thread_condition:  # so that nothing comes between looking and waiting
                batch = waiting.next_batch(block=False)
                if not batch:
                    waiting.thread_condition.wait(_TICK)
            if not batch:
                last_seen = _check_alive(client, last_seen)
            for future, result in batch:
                last_seen = time.monotonic()
                if future.status == "error":
                    raise _explained(future.exception())
                if future.status == "cancelled":
                    raise OSError("the tasks were called off, by the scheduler or by another program; start again")
                yield numbers[future.key], result
                future.release()
    finally:
        client.cancel(futures)


def _explained(error: BaseException) -> BaseException:
    """An error of a task, in words that say what to do."""
    from distributed.scheduler import KilledWorker

    if not isinstance(error, KilledWorker):
        return error
    return OSError(
        f"{error.allowed_failures + 1} workers died one after the other of the same task, the last of them at "
        f"{error.last_worker.address}, mostly for want of memory; {_MEMORY_REMEDY}"
    )


def _check_alive(client: Any, last_seen: float) -> float:
    """When there was a worker for the last time."""
    now = time.monotonic()
    if client.status != "running":
        raise OSError("the connection to the scheduler is lost; see whether it still runs, and start again")
    if now - last_seen < 1:
        return last_seen
    if client.scheduler_info()["workers"]:
        return now
    if now - last_seen > LONELY:
        raise OSError("all workers are gone, and no other has come; start some, and this again")
    return last_seen
