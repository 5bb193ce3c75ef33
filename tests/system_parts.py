"""What the tests need beyond Python, and how a machine gets it.

Run by `make test` before the suite: installs what is missing when it may (root, or CI=true),
otherwise prints the one line to type; then fetches HAPI HL7v2 with Maven. `tests/conftest.py`
reads the same table to skip, by name, the tests whose part is missing; with CI=true such a skip
is a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PARTS = {
    # part (an executable that must be on the PATH): Debian package that brings it
    "chromium": "chromium",
    "curl": "curl",
    "javac": "default-jdk-headless",
    "mvn": "maven",
    "npm": "npm",
}

ROOT = Path(__file__).parent.parent
HAPI = ROOT / ".cache" / "hapi"
"""HAPI HL7v2 and what it needs: jars that the Java side of the HL7 v2 tests runs on."""

_POM = ROOT / "tests" / "adapters" / "hl7v2" / "out" / "java" / "pom.xml"


def missing() -> list[str]:
    """Parts that are not on the PATH."""
    return [part for part in PARTS if shutil.which(part) is None]


def main() -> int:
    """Install or name what is missing, and fetch; never fails the run itself."""
    install_packages()
    fetch_hapi()
    return 0


def fetch_hapi() -> None:
    """Jars that are not there yet, in the versions that the pom names."""
    if shutil.which("mvn") is None or (HAPI.is_dir() and _is_newer(HAPI, _POM)):
        return
    print("Fetching HAPI HL7v2 for the tests", flush=True)
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={HAPI}"]
    done = subprocess.run(["mvn", "-q", "-B", "-f", str(_POM), *goal], check=False)
    if done.returncode == 0:
        os.utime(HAPI)


def _is_newer(one: Path, other: Path) -> bool:
    return one.stat().st_mtime >= other.stat().st_mtime


def install_packages() -> None:
    """Install what is missing, or print how to."""
    packages = [PARTS[part] for part in missing()]
    if not packages:
        return
    root, ci = os.geteuid() == 0, os.environ.get("CI") == "true"
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if not (root or ci) or shutil.which("apt-get") is None:
        print(f"Some tests will be skipped. To run them too: sudo {' '.join(install)}")
        return
    sudo = [] if root else ["sudo", "-n"]
    quiet = {
        "stdout": subprocess.DEVNULL,
        "env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
    }
    print(f"Installing for the tests: {' '.join(packages)}", flush=True)
    subprocess.run([*sudo, "apt-get", "update"], check=False, **quiet)
    subprocess.run([*sudo, *install], check=False, **quiet)


if __name__ == "__main__":
    sys.exit(main())
