"""What the tests need beyond Python, and how a machine gets it.

Run by `make test` before the suite: installs what is missing when it may (root, or CI=true),
otherwise prints the one line to type. `tests/conftest.py` reads the same table to skip, by
name, the tests whose part is missing; with CI=true such a skip is a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

PARTS = {
    # part (an executable that must be on the PATH): Debian package that brings it
    "chromium": "chromium",
    "curl": "curl",
    "npm": "npm",
}


def missing() -> list[str]:
    """Parts that are not on the PATH."""
    return [part for part in PARTS if shutil.which(part) is None]


def main() -> int:
    """Install or name what is missing; never fails the run itself."""
    packages = [PARTS[part] for part in missing()]
    if not packages:
        return 0
    root, ci = os.geteuid() == 0, os.environ.get("CI") == "true"
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if not (root or ci) or shutil.which("apt-get") is None:
        print(f"Some tests will be skipped. To run them too: sudo {' '.join(install)}")
        return 0
    sudo = [] if root else ["sudo", "-n"]
    quiet = {
        "stdout": subprocess.DEVNULL,
        "env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
    }
    print(f"Installing for the tests: {' '.join(packages)}", flush=True)
    subprocess.run([*sudo, "apt-get", "update"], check=False, **quiet)
    subprocess.run([*sudo, *install], check=False, **quiet)
    return 0


if __name__ == "__main__":
    sys.exit(main())
