"""What is worth keeping where only so many bytes fit: three first-in-first-out queues.

New entries pass through a small queue, and only what is asked for again while it stands there moves into the
main one, so that a flood of things asked for once pushes nothing useful out. Names of what was dropped from the
small queue are remembered for a while: who comes again goes to the main queue at once.
J. Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023, doi:10.1145/3600006.3613147.
"""

from __future__ import annotations

from collections import deque
from typing import Any

MOST_ASKED = 3
SMALL_SHARE = 10  # the small queue has a tenth of the room


class _Node:
    """One entry; `size` is 0 once it is gone, though it may still stand in a queue."""

    __slots__ = ("asked", "key", "main", "size", "value")

    def __init__(self, key: bytes, value: Any, size: int) -> None:
        self.key = key
        self.value = value
        self.size = size
        self.asked = 0
        self.main = False


class S3Fifo:
    """Values by key, `most_bytes` of them at most. `evicted` counts what had to go."""

    __slots__ = (
        "_dead",
        "_ghosts",
        "_main",
        "_nodes",
        "_small",
        "_small_bytes",
        "bytes",
        "evicted",
        "most_bytes",
    )

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.bytes = 0
        self.evicted = 0
        self._small_bytes = 0
        self._nodes: dict[bytes, _Node] = {}
        self._small: deque[_Node] = deque()
        self._main: deque[_Node] = deque()
        self._ghosts: dict[bytes, None] = {}
        self._dead = 0

    def __len__(self) -> int:
        return len(self._nodes)

    def get(self, key: bytes) -> Any:
        """The value, None where there is none."""
        node = self._nodes.get(key)
        if node is None:
            return None
        if node.asked < MOST_ASKED:
            node.asked += 1
        return node.value

    def put(self, key: bytes, value: Any, size: int) -> None:
        """Keep it, in place of what was kept under this key; what is larger than a tenth of all room is not."""
        self.remove(key)
        if size * SMALL_SHARE > self.most_bytes:
            return
        node = _Node(key, value, size)
        self._nodes[key] = node
        self.bytes += size
        if key in self._ghosts:
            del self._ghosts[key]
            node.main = True
            self._main.append(node)
        else:
            self._small_bytes += size
            self._small.append(node)
        while self.bytes > self.most_bytes:
            self._evict()

    def remove(self, key: bytes) -> bool:
        """Drop it; whether it was there."""
        node = self._nodes.pop(key, None)
        if node is None:
            return False
        self._forget(node)
        self._dead += 1
        if self._dead > len(self._nodes) + 64:
            self._small = deque([each for each in self._small if each.size])
            self._main = deque([each for each in self._main if each.size])
            self._dead = 0
        return True

    def values(self) -> list[Any]:
        """All values, in no order that means anything."""
        return [node.value for node in self._nodes.values()]

    def _forget(self, node: _Node) -> None:
        self.bytes -= node.size
        if not node.main:
            self._small_bytes -= node.size
        node.size = 0
        node.value = None

    def _evict(self) -> None:
        if self._small and (self._small_bytes * SMALL_SHARE > self.most_bytes or not self._main):
            self._evict_small()
        else:
            self._evict_main()

    def _evict_small(self) -> None:
        node = self._small.popleft()
        if not node.size:
            self._dead -= 1
        elif node.asked:
            self._small_bytes -= node.size
            node.main, node.asked = True, 0
            self._main.append(node)
        else:
            self._drop(node)
            self._ghosts[node.key] = None
            if len(self._ghosts) > len(self._nodes) + 64:
                del self._ghosts[next(iter(self._ghosts))]

    def _evict_main(self) -> None:
        node = self._main.popleft()
        if not node.size:
            self._dead -= 1
        elif node.asked:
            node.asked -= 1
            self._main.append(node)
        else:
            self._drop(node)

    def _drop(self, node: _Node) -> None:
        del self._nodes[node.key]
        self._forget(node)
        self.evicted += 1
