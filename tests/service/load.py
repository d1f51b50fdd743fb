"""Client threads that send chat requests without pause and remember which answers arrived whole."""

from __future__ import annotations

import http.client
import json
import threading
import time

ANSWER_TIMEOUT_S = 20.0


class Load:
    """`threads` clients, every second one streaming. `complete` holds the request ids of whole answers."""

    def __init__(self, port: int, key: str, threads: int = 8, model: str = "chat") -> None:
        self.complete: list[str] = []
        self.sent = 0
        self.broken = 0
        self._port, self._key, self._model = port, key, model
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(threads)]

    def start(self) -> None:
        """Begin sending."""
        for thread in self._threads:
            thread.start()

    def end_after_current(self) -> None:
        """Send nothing more once the requests under way have ended."""
        self._stop.set()

    def stop(self) -> None:
        """Let requests under way end, then return."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, count: int, timeout_s: float = 30.0) -> None:
        """Until `count` answers have arrived whole in all. Raises TimeoutError."""
        deadline = time.monotonic() + timeout_s
        while len(self.complete) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(self.complete)} answers of {count}")
            time.sleep(0.005)

    def _run(self, number: int) -> None:
        connection: http.client.HTTPConnection | None = None
        while not self._stop.is_set():
            with self._lock:
                self.sent += 1
            try:
                if connection is None:
                    connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_TIMEOUT_S)
                request_id = self._ask(connection, stream=number % 2 == 0)
            except (OSError, http.client.HTTPException):
                if connection is not None:
                    connection.close()
                connection = None
                with self._lock:
                    self.broken += 1
                continue
            if request_id is not None:
                with self._lock:
                    self.complete.append(request_id)
        if connection is not None:
            connection.close()

    def _ask(self, connection: http.client.HTTPConnection, *, stream: bool) -> str | None:
        body = {
            "model": self._model,
            "stream": stream,
            "messages": [{"role": "user", "content": "Hello there"}],
        }
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        response = connection.getresponse()
        text = response.read()
        whole = text.endswith(b"data: [DONE]\n\n") if stream else response.status == 200
        return response.getheader("x-penstock-request-id") if whole else None
