"""Goal: the embedded server is made, started, stopped and found again without anybody's help. Method: a
home of its own for each test; several commands at once; kill -9."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

from opstore_program import WAIT_SECONDS_MAX, Program, new_home, op_line, shared_home


class Server(unittest.TestCase):
    def test_its_life(self):
        home = new_home()
        program = Program(home)
        before = program.document("server", "status")
        self.assertEqual(
            (before["running"], before["initialised"], before["pid"], before["server_version"]),
            (False, False, None, ""),
        )
        self.assertEqual(program.document("server", "stop"), {"stopped": False})
        # Two commands at once on a fresh home.
        starting = [Program(home, "--space", name).start("ingest") for name in ("one", "two", "one", "two")]
        for number, process in enumerate(starting):
            out, err = process.communicate(op_line(number, b""), timeout=WAIT_SECONDS_MAX)
            self.assertEqual((process.returncode, err), (0, b""))
            self.assertIn(b'"held":1,', out)
        running = program.document("server", "status")
        self.assertTrue(running["running"] and running["initialised"] and running["pid"] > 0)
        self.assertEqual(program.document("server", "start")["pid"], running["pid"])

        self.assertEqual(program.document("server", "stop"), {"stopped": True})
        stopped = program.document("server", "status")
        self.assertEqual((stopped["running"], stopped["initialised"], stopped["pid"]), (False, True, None))
        self.assertEqual(program.document("server", "stop"), {"stopped": False})
        self.assertEqual([space["op_count"] for space in program.document("spaces")["spaces"]], [2, 2])

        home.kill_server(children_too=True)
        starting = [Program(home, "--space", "one").start("stat") for _ in range(4)]
        for process in starting:
            out, err = process.communicate(timeout=WAIT_SECONDS_MAX)
            self.assertEqual(process.returncode, 0, err)
            self.assertIn(b'"op_count":2,', out)
        self.assertEqual(program.document("server", "stop"), {"stopped": True})

    def test_a_home_that_cannot_be_made(self):
        file = shared_home().path / "file"
        file.write_text("")
        ended = Program(shared_home()).run("stat", environment={"OPSTORE_HOME": str(file / "home")})
        self.assertEqual((ended.returncode, ended.stdout), (4, b""))
        self.assertIn(str(file).encode(), ended.stderr)


    def test_a_message_of_several_lines_is_readable(self):
        home = new_home()
        program = Program(home)
        program.document("server", "start")
        program.document("server", "stop")
        conf = home.path / "data" / "postgresql.conf"
        good = conf.read_text()
        conf.write_text(good + "shared_buffers = 'plenty'\n")
        ended = program.run("stat")
        conf.write_text(good)
        first, *more = ended.stderr.decode().splitlines()
        self.assertEqual(ended.returncode, 4)
        self.assertTrue(first.startswith("opstore: PostgreSQL does not start"), first)
        self.assertIn("server.log", first)
        self.assertTrue(any("plenty" in line for line in more), more)
        self.assertTrue(all(line.startswith("  ") for line in more), more)
        self.assertNotIn("\\x0a", ended.stderr.decode())

    def test_whoever_ignores_the_end_of_children_can_start_it(self):
        program = Program(new_home())
        ignore = {"preexec_fn": lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)}
        self.assertEqual(program.run("server", "start", **ignore).returncode, 0)
        self.assertIn(b"cannot change to '/nonexistent'", program.run("import-git", "/nonexistent", **ignore).stderr)
        self.assertEqual(program.run("server", "stop", **ignore).returncode, 0)
        self.assertFalse(program.document("server", "status")["running"])

    def test_a_home_that_is_no_utf8(self):
        home = b"/var/tmp/opstore-e2e-\xff"
        ended = Program(shared_home()).run("server", "status", environment={"OPSTORE_HOME": os.fsdecode(home)})
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(json.loads(ended.stdout.decode())["home"], "/var/tmp/opstore-e2e-\\xff")


class Completion(unittest.TestCase):
    def test_the_shells_can_read_it(self):
        for shell in ("bash", "zsh", "fish"):
            script = Program(shared_home()).run("completion", shell, as_json=False).stdout
            self.assertIn(b"import-git", script)
            if shutil.which(shell):
                with tempfile.NamedTemporaryFile(suffix=f".{shell}") as file:
                    file.write(script)
                    file.flush()
                    parsed = subprocess.run(
                        [shell, "-n", file.name], capture_output=True, timeout=WAIT_SECONDS_MAX
                    )
                self.assertEqual((parsed.returncode, parsed.stderr), (0, b""))

    def complete(self, *words):
        script = Program(shared_home()).run("completion", "bash", as_json=False).stdout.decode()
        quoted = " ".join(f"'{word}'" for word in words)
        state = f"COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}"
        ask = f'{script}\n{state}; _opstore; echo "${{COMPREPLY[@]}}"'
        return subprocess.run(
            ["bash", "-c", ask], capture_output=True, text=True, check=True, timeout=WAIT_SECONDS_MAX
        ).stdout.split()

    def test_bash(self):
        self.assertEqual(self.complete("opstore", "im"), ["import-git"])
        self.assertEqual(sorted(self.complete("opstore", "sl")), ["slice", "slices"])
        self.assertEqual(self.complete("opstore", "--js"), ["--json"])
        self.assertEqual(self.complete("opstore", "--json", "page", "--li"), ["--limit-bytes"])
        self.assertEqual(
            sorted(self.complete("opstore", "slices", "")), sorted(["list", "get", "put", "count", "--help"])
        )
