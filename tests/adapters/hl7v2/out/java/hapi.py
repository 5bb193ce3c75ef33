"""HAPI HL7v2 at work: its server, client and parser, called through Counterpart.java."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from threading import Thread

SOURCE = Path(__file__).parent / "Counterpart.java"


class Hapi:
    """The compiled counterpart."""

    def __init__(self, jars: Path, classes: Path) -> None:
        """Compile it.

        Args:
            jars: Folder of HAPI's jars.
            classes: Empty folder.
        """
        self._path = f"{jars.absolute()}/*:{classes}"
        self._folder = classes  # HAPI counts its control ids in a file where it runs.
        subprocess.run(
            ["javac", "-encoding", "UTF-8", "-cp", self._path, "-d", str(classes), str(SOURCE)],
            check=True,
        )

    def _command(self, *arguments: str) -> list[str]:
        return ["java", "-XX:+UseSerialGC", "-cp", self._path, "Counterpart", *arguments]

    def run(self, *arguments: str) -> list[list[str]]:
        """Lines of a command, each split at its tabs."""
        done = subprocess.run(
            self._command(*arguments),
            capture_output=True,
            cwd=self._folder,
            encoding="utf-8",
            timeout=120,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return [line.split("\t") for line in done.stdout.splitlines()]

    def send(self, port: int, files: Sequence[Path]) -> list[list[str]]:
        """MSA-1 and MSA-2 of each answer."""
        return self.run("send", "127.0.0.1", str(port), *map(str, files))

    @contextmanager
    def serving(self, port: int) -> Iterator[Queue[list[str]]]:
        """Its server; a line for each message that came."""
        process = subprocess.Popen(
            self._command("serve", str(port)),
            cwd=self._folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        assert process.stdin is not None
        assert process.stdout is not None
        came: Queue[list[str]] = Queue()
        try:
            assert process.stdout.readline() == "ready\n"
            lines = process.stdout
            reader = Thread(
                target=lambda: [came.put(line.rstrip("\n").split("\t")) for line in lines]
            )
            reader.start()
            yield came
        finally:
            process.stdin.close()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            reader.join(20)
            process.stdout.close()
