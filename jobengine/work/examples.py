"""Two job classes to look at, and to begin with: those of the Job Manager's document."""

import asyncio
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from jobengine.work.job_class import JobClass


class Simple(JobClass):
    """Counts to `count` (default 10), a step each `seconds` (default 1)."""

    def __init__(self, args: Mapping[str, Any]) -> None:
        super().__init__(args)
        self.count = int(args.get("count", 10))
        self.seconds = float(args.get("seconds", 1))
        self.done = 0

    async def start(self) -> Any:
        """Count."""
        while self.done < self.count:
            await asyncio.sleep(self.seconds)
            self.done += 1
        return {"counted": self.done}

    async def resume(self, saved: Any) -> Any:
        """Count on."""
        self.done = saved["done"]
        return await self.start()

    def halt(self) -> Any:
        """How far it has counted."""
        return {"done": self.done}

    def details(self) -> Mapping[str, Any]:
        """The same, for others to see."""
        return {"done": self.done, "of": self.count}


class Export(JobClass):
    """Goes through the days from `from_date` to `to_date` (ISO, both included), in a thread.

    Where a real one would write a day's rows, this one rests for `seconds` (default 0.1).
    """

    def __init__(self, args: Mapping[str, Any]) -> None:
        super().__init__(args)
        self.first, self.last = _date(args, "from_date"), _date(args, "to_date")
        if self.first > self.last:
            raise ValueError("from_date is later than to_date")
        self.seconds = float(args.get("seconds", 0.1))
        self.next = self.first

    def start(self) -> Any:
        """Export day after day."""
        while self.next <= self.last and not self.rest(self.seconds):
            self.next += timedelta(days=1)
        return {"exported": (self.next - self.first).days}

    def resume(self, saved: Any) -> Any:
        """Go on with the day that was next."""
        self.next = date.fromisoformat(saved["next"])
        return self.start()

    def halt(self) -> Any:
        """The day that is next."""
        return {"next": self.next.isoformat()}

    def clean(self) -> None:
        """Forget the days that were exported; a real one would delete its rows."""
        self.next = self.first

    def details(self) -> Mapping[str, Any]:
        """How many days of how many."""
        days = (self.last - self.first).days + 1
        done = (self.next - self.first).days
        return {
            "from_date": self.first.isoformat(),
            "to_date": self.last.isoformat(),
            "done": done,
            "of": days,
            "percent": round(100 * done / days),
        }


def _date(args: Mapping[str, Any], name: str) -> date:
    try:
        return date.fromisoformat(args[name])
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"{name} must be a date such as 2020-01-31") from None
