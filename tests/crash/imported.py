"""All that the command `jobengine` imports in its time: what a forked one then has already."""

import gc
from importlib import import_module, util
from pkgutil import walk_packages

from typer.main import get_command

import jobengine
from jobengine.cli.main import application

for module in walk_packages(jobengine.__path__, "jobengine."):
    if not module.name.endswith("__main__"):
        import_module(module.name)
if util.find_spec("uvloop"):
    import_module("uvloop")
get_command(application()).make_context("jobengine", ["serve", "--port", "0"])  # parsing imports more

gc.freeze()  # so that no child has to copy all of it
