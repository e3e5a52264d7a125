"""What a driver has been told to do and has not done yet: the one place its threads meet."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

from convis_core.errors import StateError

__all__ = ["Orders"]


class Orders:
    """What a driver has been told to do and has not done yet. All its methods may be called from any thread."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.jobs: deque[tuple[Callable[[], object], Future[object]]] = deque()
        self.running, self.steps, self.closing = False, 0, False
        self.idle, self.ended = False, False
        self.owner: object = None

    def give(
        self, owner: object, job: Callable[[], object] | None = None, *, running: bool | None = None, steps: int = 0
    ) -> Future[object]:
        """Change what is to be done, and do a job before that; `owner` lives on until it is done."""
        future: Future[object] = Future()
        with self.changed:
            if self.closing:
                raise StateError("This run has been closed.", "Make a new one.")
            if running is not None:
                self.running = running
                self.steps = self.steps + steps if steps else 0
            if job is None:
                future.set_result(None)
            else:
                self.jobs.append((job, future))
            self.owner = owner
            self.changed.notify_all()
        return future

    def close(self) -> None:
        """Order the end of the thread."""
        with self.changed:
            self.running, self.steps, self.closing = False, 0, True
            self.changed.notify_all()

    def halt(self) -> None:
        """Produce no more events."""
        with self.changed:
            self.running, self.steps = False, 0

    def step_done(self) -> bool:
        """Count an event; return whether it was the last for now."""
        with self.changed:
            self.steps = max(self.steps - 1, 0)
            return not self.running and not self.steps

    def pending(self) -> bool:
        """Whether there is something to do."""
        return bool(self.jobs or self.running or self.steps or self.closing)

    def all_done(self) -> bool:
        """Whether there is nothing to do and nothing being done."""
        return self.ended or (self.idle and not self.pending())

    def next(self) -> bool:
        """Return whether there is something to do, telling those who wait if not."""
        with self.changed:
            self.idle = not self.pending()
            if self.idle:
                self.owner = None
                self.changed.notify_all()
            return not self.idle

    def do_jobs(self) -> None:
        """Do the jobs in the order in which they were given."""
        with self.changed:
            jobs = list(self.jobs)
            self.jobs.clear()
        for job, future in jobs:
            _do(job, future)

    def rest(self, seconds: float) -> None:
        """Sleep for a while, or until there is another order."""
        with self.changed:
            self.changed.wait_for(lambda: self.jobs or not self.running or self.closing, max(seconds, 0.0))

    def sleep(self) -> None:
        """Sleep until there is something to do."""
        with self.changed:
            self.changed.wait_for(self.pending)

    def end(self) -> None:
        """Tell those who wait that the thread is about to end."""
        with self.changed:
            self.ended, self.owner = True, None
            self.changed.notify_all()


def _do(job: Callable[[], object], future: Future[object]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(job())
    except BaseException as error:
        future.set_exception(error)
