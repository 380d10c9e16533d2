"""Kernels of a Voila server: bounded in number, and ended soon after their page has gone.

Voila and Jupyter end kernels that were idle for so long, whether a page has just left them or has
not reached them yet: a preheated kernel, idle since it was made, can be ended while its visitor's
page loads. And nothing bounds how many there are. `deploy/voila/voila.json` names this class as
``VoilaConfiguration.multi_kernel_manager_class``.
"""

from __future__ import annotations

import time
from typing import Any

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.web import HTTPError
from traitlets import Float, Int, default


class VisitorKernels(AsyncMappingKernelManager):
    """Kernels of visitors, each ended when nobody needs it any longer.

    A kernel is ended when no page was connected to it for `abandoned_after` seconds, when none
    came for `unreached_after`, and when the page that is connected has asked nothing for
    `idle_after`. Those that wait for a visitor stay. Looked at every `cull_interval` seconds.
    """

    most_kernels = Int(
        60, min=1, config=True, help="Kernels at most, those that wait for a visitor included."
    )
    abandoned_after = Float(
        30, min=0, config=True, help="Seconds without a page after which a kernel is ended."
    )
    unreached_after = Float(
        120, min=0, config=True, help="Seconds that the page of a kernel may take to reach it."
    )
    idle_after = Float(
        3600, min=0, config=True, help="Seconds without a question that a page keeps its kernel."
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self._starting = 0
        self._reached: set[str] = set()
        self._alone_since: dict[str, float] = {}

    @default("cull_interval")
    def _often(self) -> int:
        return 10

    @default("cull_idle_timeout")
    def _culled(self) -> int:
        # Any number above 0 has kernels looked at: when one is ended is said here.
        return 1

    async def start_kernel(self, **kwargs: Any) -> str:
        """Start a kernel; raise where there are as many as may be."""
        if len(self) + self._starting >= self.most_kernels:
            raise HTTPError(
                503,
                log_message=f"there are {self.most_kernels} kernels already",
                reason="Too many visitors now: please come back in some minutes",
            )
        self._starting += 1
        try:
            found: str = await super().start_kernel(**kwargs)
        finally:
            self._starting -= 1
        return found

    def notify_connect(self, kernel_id: str) -> None:
        """Note that a page has come."""
        super().notify_connect(kernel_id)  # type: ignore[no-untyped-call]
        self._reached.add(kernel_id)
        self._alone_since.pop(kernel_id, None)

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        """End a kernel that nobody needs; Voila asks only about those that wait for nobody."""
        kernel, now = self._kernels[kernel_id], time.monotonic()
        if getattr(kernel, "execution_state", None) == "dead":
            why = "it died"
        elif self._kernel_connections.get(kernel_id, 0):
            asked = getattr(kernel, "last_activity", None)
            if asked is None or time.time() - asked.timestamp() < self.idle_after:
                return
            why = f"its page asked nothing for {self.idle_after:.0f} s"
        else:
            # Counted from the first look at which nobody was there.
            alone = now - self._alone_since.setdefault(kernel_id, now)
            reached = kernel_id in self._reached
            if alone < (self.abandoned_after if reached else self.unreached_after):
                return
            why = f"its page has gone {alone:.0f} s ago" if reached else "no page came"
        self.log.info("Ending kernel %s: %s", kernel_id, why)
        await self.shutdown_kernel(kernel_id)  # type: ignore[no-untyped-call]

    def remove_kernel(self, kernel_id: str) -> Any:
        """Forget a kernel that has ended."""
        self._reached.discard(kernel_id)
        self._alone_since.pop(kernel_id, None)
        return super().remove_kernel(kernel_id)
