"""`python -m jobengine` is the command `jobengine`."""

from jobengine.cli.main import main

if __name__ == "__main__":
    main()
