"""Whether a server answers, all the time: its worst latency while something bad happens."""

import sys
import threading
import time
from types import TracebackType
from typing import Self

import httpx

from tests.servers import Server

ANSWER_S_MAX = 20.0


class Watch:
    """Asks `/healthz` again and again in a thread; at the end every question must have been answered."""

    def __init__(self, server: Server, what: str) -> None:
        self._what = what
        self._client = httpx.Client(base_url=server.url, timeout=ANSWER_S_MAX)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self.latencies: list[float] = []
        self.failures: list[str] = []

    def __enter__(self) -> Self:
        self._client.get("/healthz")
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._client.close()
        if error is None:
            assert self.failures == [], f"{self._what}: {self.failures}"
            assert self.latencies, f"{self._what}: never asked"
        worst = max(self.latencies, default=0.0) * 1000
        sys.stdout.write(f"{self._what}: {len(self.latencies)} answers, worst {worst:.0f} ms\n")

    def _ask(self) -> None:
        while not self._over.wait(0.002) or not self.latencies:
            asked_at = time.perf_counter()
            try:
                answer = self._client.get("/healthz")
            except httpx.HTTPError as error:
                self.failures.append(repr(error))
                return
            self.latencies.append(time.perf_counter() - asked_at)
            if answer.status_code != 200:
                self.failures.append(answer.text)
