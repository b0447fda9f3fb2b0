"""Runs the program under test, and the servers it makes."""

import base64
import json
import mmap
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BINARY = os.path.abspath(os.environ.get("OPSTORE_BINARY", "build/opstore"))
SEED = int(os.environ.get("OPSTORE_E2E_SEED") or random.SystemRandom().randrange(1 << 32))
WAIT_SECONDS_MAX = 120


def seeded_random(purpose):
    """Each test draws from a sequence of its own, so that it repeats when it is run alone."""
    return random.Random(f"{SEED} {purpose}")


class Home:
    """A directory with an embedded server of its own."""

    def __init__(self):
        # Root's server runs as another user, who must be able to enter.
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="opstore-e2e-", dir="/var/tmp"))
        self.path.chmod(0o755)

    def environment(self):
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PG", "OPSTORE_", "GIT_"))
        }
        environment["OPSTORE_HOME"] = str(self.path)
        return environment

    def status(self):
        return Program(self).document("server", "status")

    def psql(self, sql, database="opstore"):
        return subprocess.run(
            ["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", self.conninfo(database), "-c", sql],
            check=True,
            capture_output=True,
            text=True,
            env=self.environment(),
            timeout=WAIT_SECONDS_MAX,
        ).stdout.strip()

    def conninfo(self, database="opstore"):
        return self.status()["conninfo"].replace("dbname=opstore", f"dbname={database}")

    def kill_server(self, children_too=False):
        """As a crash does: nothing is written, nothing is told to anybody."""
        postmaster = self.status()["pid"]
        victims = [postmaster] + (children_of(postmaster) if children_too else [])
        for pid in victims:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def remove(self):
        sockets = re.search(r"host='([^']+)'", self.conninfo()).group(1)
        Program(self).run("server", "stop")
        # Left behind by a server that was killed last.
        shutil.rmtree(sockets, ignore_errors=True)
        shutil.rmtree(self.path, ignore_errors=True)


def children_of(parent):
    children = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                after_name = (entry / "stat").read_text().rpartition(")")[2]
            except OSError:
                continue
            if int(after_name.split()[1]) == parent:
                children.append(int(entry.name))
    return children


class Program:
    """The program with fixed options before the command."""

    def __init__(self, home, *options):
        self.home = home
        self.options = options

    def arguments(self, *words, as_json=True):
        return [BINARY, *self.options, *(["--json"] if as_json else []), *words]

    def run(self, *words, stdin=b"", as_json=True, environment=None, **more):
        return subprocess.run(
            self.arguments(*words, as_json=as_json),
            input=stdin,
            capture_output=True,
            env={**self.home.environment(), **(environment or {})},
            timeout=WAIT_SECONDS_MAX,
            **more,
        )

    def start(self, *words, as_json=True, **more):
        more = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
        return subprocess.Popen(self.arguments(*words, as_json=as_json), env=self.home.environment(), **more)

    def lines(self, *words, stdin=b""):
        """The JSON documents of a run that must succeed."""
        ended = self.run(*words, stdin=stdin)
        if ended.returncode != 0:
            raise AssertionError(f"{words[:4]}: exit code {ended.returncode}: {ended.stderr[-2000:]}")
        return [json.loads(line) for line in ended.stdout.splitlines()]

    def document(self, *words, stdin=b""):
        documents = self.lines(*words, stdin=stdin)
        if len(documents) != 1:
            raise AssertionError(f"{words[:4]}: {len(documents)} documents")
        return documents[0]

    def all_ids(self, *words):
        return [op_id for page in self.lines("page", "--all", *words) for op_id in page["op_ids"]]

    def missing(self, ids):
        return self.document("missing", stdin="".join(f"{op_id}\n" for op_id in ids).encode())["missing"]


_homes = []


def new_home():
    _homes.append(Home())
    return _homes[-1]


def shared_home():
    """The server that most tests share."""
    return _homes[0] if _homes else new_home()


def space(name):
    return Program(shared_home(), "--space", name)


def remove_homes():
    for home in _homes:
        home.remove()
    _homes.clear()


def op_line(created_at, payload, **more):
    text = base64.b64encode(payload).decode()
    return json.dumps({"created_at": created_at, "payload": text, **more}).encode() + b"\n"


def wait_until(condition, what):
    """Polls. Fails after WAIT_SECONDS_MAX."""
    end = time.monotonic() + WAIT_SECONDS_MAX
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain: {what}")
        time.sleep(0.02)


def _is_sanitized():
    with open(BINARY, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as image:
        return any(image.find(name) >= 0 for name in (b"__asan_init", b"__tsan_init"))


if not os.access(BINARY, os.X_OK):
    sys.exit(f"OPSTORE_BINARY: {BINARY} cannot be run")
# Sanitizers need memory of their own.
SANITIZED = _is_sanitized()
