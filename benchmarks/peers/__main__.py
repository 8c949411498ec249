"""python -m benchmarks.peers: install wrk and the other brokers from Debian's packages."""

import os
import shutil
import subprocess
import sys

PACKAGES = ("wrk", "beanstalkd", "redis-server", "postgresql", "nats-server", "rabbitmq-server")


def main() -> int:
    """Exit code 0 when all of them are there."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        print(f"As root, on Debian: apt-get install {' '.join(PACKAGES)}", file=sys.stderr)
        return 1
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *PACKAGES]):
        if code := subprocess.run(["apt-get", *command], env=quiet).returncode:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
