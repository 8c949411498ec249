"""The one composition root: settings → engine → access → control → web → work → upkeep."""

from jobengine.compose.server import serve

__all__ = ["serve"]
