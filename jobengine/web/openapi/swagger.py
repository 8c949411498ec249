"""The page on which people read the document and try it: Swagger UI, from its installed files."""

from collections.abc import Mapping
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

# Swagger UI asks a server of its makers whether the document is valid, unless it is told not to.
START: Final = b"""\
window.ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  persistAuthorization: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
"""

PAGE: Final = b"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>JobEngine: HTTP API</title>
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""

# The page loads from this server, asks this server, and nobody frames it. Swagger UI styles some elements one
# by one, and its pictures are data URLs.
POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
    b"img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

OWN: Final = "start.js"
CONTENT_TYPES: Final[Mapping[str, bytes]] = {
    OWN: b"text/javascript; charset=utf-8",
    "swagger-ui-bundle.js": b"text/javascript; charset=utf-8",
    "swagger-ui.css": b"text/css; charset=utf-8",
    "favicon-32x32.png": b"image/png",
}


def file(name: str) -> bytes:
    """One of CONTENT_TYPES, read from where it is installed."""
    if name == OWN:
        return START
    return (
        Path(str(distribution("swagger-ui-py").locate_file("swagger_ui/static"))).joinpath(name).read_bytes()
    )
