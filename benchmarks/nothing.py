"""A job class that does nothing: what is measured is all around it."""

from jobengine import JobClass


class Nothing(JobClass):
    """Ends at once."""

    async def start(self) -> None:
        """Nothing."""
