"""The class that follows what is published. Its look-ups are methods of the extension, without a step in Python."""

from __future__ import annotations

from ._serving import ReloadableFuseReader, _log, _running
from . import _fusedb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._fusedb import Path, Verify


class Subscription(_fusedb.Serving):
    """Looks up in the newest version of a database that is published at a folder or a URL.

    >>> geo = Subscription('remote', 'geo', 'subscribed.fsdb', interval=30.0)
    >>> geo.get('8.8.8.8')
    {'org': 'Google', 'asn': 15169}
    >>> geo.stop()

    A thread asks the remote every `interval` seconds, give or take a fifth, fetches what changed, proves it, and has it
    take the place of the file at `path`, under load. What fails is tried again, after `longest_interval` seconds at most;
    the file that is there goes on serving, also at the next start. `on_update` is called on that thread with a dict, as
    fetch() returns it. What fails, and what a callback raises, is logged as a warning of the logger "fusedb_swift", once
    for each reason. Other options are those of fetch(), and of FuseReader.
    """

    def __init__(
        self,
        remote: Path,
        name: str,
        path: Path,
        *,
        interval: float = 30.0,
        longest_interval: float = 600.0,
        on_update: Callable[[dict[str, Any]], Any] | None = None,
        verify: Verify = True,
        **options: Any,
    ) -> None:
        self._on_update = on_update
        self._subscribe(
            remote, name, path, interval=interval, longest_interval=longest_interval, verify=verify,
            on_update=self._updated, on_failure=self._failed, **options,
        )  # fmt: skip
        _running.add(self)

    def update(self) -> dict[str, Any]:
        """Asks the remote now, and says what that took, as fetch() does.

        >>> with Subscription('remote', 'geo', 'subscribed.fsdb') as geo:
        ...     geo.update()['way']
        'none'
        """
        return self._update()

    def status(self) -> dict[str, Any]:
        """What came of the attempts so far, and why the last one failed.

        >>> with Subscription('remote', 'geo', 'subscribed.fsdb') as geo:
        ...     geo.status()['failures']
        0
        """
        return self._delivery()

    def stop(self) -> None:
        """Ends the following; again, it does nothing. Look-ups go on.

        >>> Subscription('remote', 'geo', 'subscribed.fsdb').stop()
        """
        self._unwatch()
        _running.discard(self)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.stop()

    def __reduce__(self) -> Any:
        raise TypeError("a subscription has a thread, and cannot be pickled or copied; open another one")

    def _updated(self, report: dict[str, Any]) -> None:
        try:
            _log().info("took generation %d of %s", report["generation"], self.path)
            if self._on_update:
                self._on_update(report)
        except Exception:
            _log().warning("on_update failed", exc_info=True)

    def _failed(self, error: Exception) -> None:
        _log().warning("an attempt to fetch failed: %s", error)


Subscription.__module__ = "fusedb_swift"
