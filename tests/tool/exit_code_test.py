"""Goal: bad input and outages end with the documented exit code and a message that names the thing, and
leave nothing half done. Method: each is brought about, the damage and the locks through psql."""

import contextlib
import shutil
import subprocess
import time
import unittest

from naive_model import Op
from opstore_program import WAIT_SECONDS_MAX, Program, new_home, op_line, shared_home, space


class ExitCodes(unittest.TestCase):
    def assert_fails(self, code, *words, says="", program=None, **more):
        with self.subTest(words=words):
            ended = (program or space("exit codes")).run(*words, **more)
            self.assertEqual(ended.returncode, code, ended.stderr)
            self.assertEqual(ended.stdout, b"")
            self.assertTrue(ended.stderr.startswith(b"opstore: "), ended.stderr)
            self.assertIn(says, ended.stderr.decode(errors="replace"))

    def test_2_usage(self):
        for words in [
            ("nonsense",),
            ("page", "--nonsense"),
            ("page", "extra"),
            ("page", "--json"),
            ("slices",),
            ("server",),
            ("spaces", "drop"),
            ("get",),
            ("import-git",),
            ("slice", "--from", "0"),
            ("slices", "get", "--arc", "full"),
            ("slices", "get", "--index", "0"),
            ("completion", "tcsh"),
            ("completion",),
            ("init", "--format", "odd"),
            ("init", "--slices", "both"),
            ("init", "--max-op-bytes", "0"),
            ("init", "--max-op-bytes", str((256 << 20) + 1)),
            ("init", "--max-op-bytes", "many"),
            ("import-git", "--objects", "most", "."),
        ]:
            self.assert_fails(2, *words)

    def test_2_bad_values(self):
        for arc in [
            "",
            "f",
            "FULL",
            "1",
            "1..",
            "..1",
            "1...2",
            "1..2..3",
            "-1..2",
            "1..4294967296",
            "0x..1",
            "1..0xg",
            " 1..2",
            "1.5..2",
            "+1..2",
        ]:
            self.assert_fails(2, "earliest", "--arc", arc, says="arc")
        for moment in [
            "",
            "x",
            "1.5",
            "1e6",
            "9223372036854775808",
            "-9223372036854775809",
            "2026-01-01",
            "2026-02-30T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00",
            "yesterday",
            "+1",
            "2026-01-01 00:00:00Z",
        ]:
            self.assert_fails(2, "page", "--since", moment, says="time")
        for number in ["-1", "1e3", "99999999999999999999999", "x", "", "1 ", "18446744073709551616", "0x"]:
            self.assert_fails(2, "page", "--limit-bytes", number)
            self.assert_fails(2, "slices", "get", "--arc", "full", "--index", number)
        for text in ["", "A", "AAAAA", "!!", "AQ=="]:
            self.assert_fails(2, "slices", "put", "--arc", "0..1", "--index", "0", "--hash", text)
        self.assert_fails(2, "slices", "put", "--arc", "empty", "--index", "0", "--hash", "ff", says="arc")
        self.assert_fails(
            2, "slices", "put", "--arc", "0..1", "--index", str(1 << 63), "--hash", "ff", says="index"
        )

    def test_2_bad_global_options(self):
        for seconds in ["0", "-1", "nan", "inf", "x", "", "1e9"]:
            self.assert_fails(2, "stat", program=Program(shared_home(), "--timeout", seconds))
        for name in [b"", b"x" * 256, b"\xff", b"a\xc0\x80", b"\xed\xa0\x80"]:
            self.assert_fails(2, "stat", program=Program(shared_home(), b"--space", name), says="space")
        for schema in ["", 'a"b', "a;b", "x" * 64]:
            self.assert_fails(2, "stat", program=Program(shared_home(), "--schema", schema), says="schema")
        self.assert_fails(
            2, "stat", program=Program(shared_home(), "--database", "nonsense"), says="nonsense"
        )
        # The value of a variable that is not set would else mean another database.
        self.assert_fails(
            2, "ingest", program=Program(shared_home(), "--database", ""), says="empty", stdin=op_line(1, b"")
        )
        self.assert_fails(2, "ingest", environment={"OPSTORE_DATABASE": ""}, says="OPSTORE_DATABASE is empty")
        named = Program(shared_home(), "--database", "host=/nonexistent")
        self.assert_fails(2, "server", "stop", program=named)
        self.assert_fails(2, "server", "status", environment={"OPSTORE_DATABASE": "host=/nonexistent"})

    def test_names_of_255_bytes_are_taken(self):
        for name in [
            b"x" * 255,
            "ü".encode() * 127,
            b"a\nb",
            "日本\u0301🦊".encode(),
            b"'; DROP TABLE op; --",
            b"$1",
            b"%s\\",
            b" ",
            b"-",
        ]:
            program = Program(shared_home(), b"--space=" + name)
            self.assertEqual(program.document("ingest", stdin=op_line(1, name))["held"], 1)
            self.assertEqual(program.document("stat")["op_count"], 1)
            self.assertEqual(program.all_ids(), [Op(1, name).text])
            self.assertEqual(
                program.document("spaces", "drop", "--yes", "--", name)["dropped"], name.decode()
            )

    def test_1_failures(self):
        self.assert_fails(1, "ingest", "/nonexistent", says="/nonexistent")
        self.assert_fails(1, "ingest", "/", says="/")
        self.assert_fails(1, "missing", "/nonexistent", says="/nonexistent")
        self.assert_fails(1, "import-git", "/nonexistent", says="/nonexistent")
        self.assert_fails(1, "spaces", "drop", "no such space", "--yes", says="no such space")
        self.assert_fails(1, "init", "--format", "signed", program=self.made("exit codes"), says="format")

    def test_a_command_that_cannot_begin_makes_no_space(self):
        program = space("never made")
        for words in [
            ("ingest", "/nonexistent"),
            ("ingest", "/"),
            ("import-git", "/nonexistent"),
            ("import-git", "/proc"),
            ("slices", "put", "--arc", "0..1", "--index", "0", "--hash", ""),
            ("slices", "put", "--arc", "0..1", "--index", "0", "--hash", "!"),
        ]:
            self.assertNotEqual(program.run(*words).returncode, 0)
        names = [entry["space"] for entry in program.document("spaces")["spaces"]]
        self.assertNotIn("never made", names)

    def made(self, name):
        program = space(name)
        program.document("ingest", stdin=op_line(1, b"made"))
        return program

    def test_1_a_limit_that_no_op_fits(self):
        program = self.made("exit codes")
        for option in ("--all", "--follow"):
            ended = program.run("page", option, "--limit-bytes", "3")
            self.assertEqual(ended.returncode, 1)
            self.assertIn(b"--limit-bytes 3", ended.stderr)

    def test_1_strict(self):
        program = space("strict")
        lines = op_line(1, b"good") + b"bad\n" + op_line(2, b"good")
        self.assertEqual(program.run("ingest", stdin=lines).returncode, 0)
        ended = program.run("ingest", "--strict", stdin=lines)
        self.assertEqual(ended.returncode, 1)
        self.assertIn(b'"held":2', ended.stdout)
        self.assertEqual(program.run("ingest", "--strict", stdin=op_line(1, b"good")).returncode, 0)

    def test_1_output_that_cannot_be_written(self):
        program = self.made("exit codes")
        for words in [
            ("page",),
            ("stat",),
            ("spaces",),
            ("ingest", "--ack"),
            ("completion", "bash"),
            ("--help",),
        ]:
            for as_json in (True, False):
                with self.subTest(words=words, as_json=as_json), open("/dev/full", "wb") as full:
                    ended = subprocess.run(
                        program.arguments(*words, as_json=as_json),
                        stdout=full,
                        stderr=subprocess.PIPE,
                        input=op_line(1, b"made"),
                        env=shared_home().environment(),
                        timeout=WAIT_SECONDS_MAX,
                    )
                    self.assertEqual(ended.returncode, 1)
                    self.assertIn(b"standard output", ended.stderr)

    def test_closed_standard_streams(self):
        # Their numbers must not go to a socket or a file.
        program = self.made("exit codes")
        for words, closed, code in [
            (("stat",), ">&-", 1),
            (("stat",), "2>&-", 0),
            (("stat",), "<&-", 0),
            (("ingest",), "<&-", 1),
            (("ingest",), "<&- >&- 2>&-", 1),
            (("missing",), "<&-", 1),
            (("page",), "<&- >&- 2>&-", 1),
            (("nonsense",), "<&- >&- 2>&-", 2),
            (("nonsense",), "2>/dev/full", 2),
            (("page",), "2>/dev/full", 0),
        ]:
            for as_json in (True, False):
                with self.subTest(words=words, closed=closed, as_json=as_json):
                    shell = [
                        "sh",
                        "-c",
                        f'exec "$@" {closed}',
                        "sh",
                        *program.arguments(*words, as_json=as_json),
                    ]
                    ended = subprocess.run(
                        shell,
                        input=b"",
                        capture_output=True,
                        env=shared_home().environment(),
                        timeout=WAIT_SECONDS_MAX,
                    )
                    self.assertEqual(ended.returncode, code, ended.stderr)

    def test_a_closed_pipe_ends_quietly(self):
        program = space("exit codes, pipe")
        program.document("ingest", stdin=b"".join(op_line(number, b"") for number in range(3000)))
        running = program.start("page", "--all", "--limit-bytes", "8")
        self.assertTrue(running.stdout.readline())
        running.stdout.close()
        self.assertNotEqual(running.wait(WAIT_SECONDS_MAX), 0)
        self.assertEqual(running.stderr.read(), b"")
        running.stdin.close()
        running.stderr.close()


class Damage(unittest.TestCase):
    """3: verify finds what somebody did to the tables, and repair mends it."""

    def setUp(self):
        self.program = space("damaged")
        self.ops = [Op(number * 10**12, bytes([number])) for number in range(40)]
        self.ops.append(Op(4 * 10**15, b"of 2096, behind the full slices"))
        self.lines = b"".join(op_line(op.created_at, op.payload) for op in self.ops)
        self.program.document("ingest", stdin=self.lines)

    def test_3_verify_and_repair(self):
        of_space = "space_id = (SELECT space_id FROM opstore.space WHERE key = 'damaged'::bytea)"
        first = (
            "(arc_start, slice_index) = (SELECT arc_start, slice_index FROM opstore.slice_hash"
            f" WHERE {of_space} ORDER BY 1, 2 LIMIT 1)"
        )
        before = self.program.document("summary")
        for what, sql in [
            ("slice_hash", f"UPDATE opstore.slice_hash SET hash = '\\x00' WHERE {of_space} AND {first}"),
            ("slice_hash", f"DELETE FROM opstore.slice_hash WHERE {of_space} AND {first}"),
            ("slice_hash", f"UPDATE opstore.slice_hash SET op_count = 99 WHERE {of_space} AND {first}"),
            ("op_count", f"UPDATE opstore.space_total SET op_count = op_count + 1 WHERE {of_space}"),
            ("op_bytes", f"UPDATE opstore.space_total SET op_bytes = 0 WHERE {of_space}"),
            ("watermark", f"UPDATE opstore.space SET last_stored_at = 5 WHERE {of_space}"),
            ("sector_hash", f"UPDATE opstore.sector_hash SET op_count = 7 WHERE {of_space}"),
            ("unit_hash", f"UPDATE opstore.unit_hash SET op_count = 7 WHERE {of_space}"),
            ("sector_list", f"DELETE FROM opstore.sector_list WHERE {of_space}"),
            (
                "op_columns",
                f"UPDATE opstore.op SET sector = (sector + 1) % 512 WHERE {of_space}"
                f" AND op_id = '\\x{self.ops[0].id.hex()}'",
            ),
        ]:
            with self.subTest(sql=sql):
                shared_home().psql(sql)
                found = self.program.run("verify")
                self.assertEqual(found.returncode, 3)
                self.assertIn(f'"what":"{what}"', found.stdout.decode())
                self.assertEqual(self.program.run("verify", as_json=False).returncode, 3)
                repaired = self.program.document("verify", "--repair")
                self.assertGreaterEqual(repaired["damage_count"], 1)
                self.assertEqual(set(repaired["damages"][0]), {"what", "where", "kept", "computed"})
                self.assertEqual(self.program.document("verify")["damage_count"], 0)
        self.assertEqual(self.program.document("summary"), before)
        self.assertEqual(self.program.document("ingest", stdin=self.lines)["duplicates"], len(self.ops))


class OtherDatabases(unittest.TestCase):
    def named(self, database, *options):
        return Program(shared_home(), "--database", shared_home().conninfo(database), *options)

    def make_database(self, name):
        subprocess.run(
            ["createdb", "--maintenance-db", shared_home().conninfo(), name],
            check=True,
            env=shared_home().environment(),
            timeout=WAIT_SECONDS_MAX,
        )

    def setUp(self):
        space("default").document("server", "start")

    def test_4_no_server(self):
        for conninfo in [
            "host=/nonexistent",
            "host=127.0.0.1 port=1",
            "postgresql://127.0.0.1:1/x",
            shared_home().conninfo("no_such_database"),
        ]:
            for words in [("stat",), ("init",), ("ingest",)]:
                with self.subTest(conninfo=conninfo, words=words):
                    ended = Program(shared_home(), "--database", conninfo).run(*words)
                    self.assertEqual((ended.returncode, ended.stdout), (4, b""), ended.stderr)
                    self.assertIn(b"connect", ended.stderr)

    def test_4_no_embedded_server(self):
        # Half a data directory, and a lock that is none.
        home = new_home()
        (home.path / "data" / "base").mkdir(parents=True)
        (home.path / "lock").mkdir()
        for words in [("stat",), ("init",), ("server", "start"), ("server", "stop"), ("server", "status")]:
            with self.subTest(words=words):
                ended = Program(home).run(*words)
                self.assertEqual((ended.returncode, ended.stdout), (4, b""), ended.stderr)
        shutil.rmtree(home.path / "data")
        (home.path / "lock").rmdir()

    def test_5_schema(self):
        self.make_database("e2e_schemas")
        program = self.named("e2e_schemas")
        for words in [("stat",), ("ingest",), ("page",), ("spaces",)]:
            ended = program.run(*words)
            self.assertEqual((ended.returncode, ended.stdout), (5, b""), ended.stderr)
            self.assertIn(b"init", ended.stderr)
        made = program.document("init")
        self.assertEqual(made["schema_version_before"], 0)
        self.assertEqual(program.document("init")["schema_version_before"], made["schema_version"])
        self.assertEqual(program.document("ingest", stdin=op_line(1, b""))["held"], 1)
        self.assertEqual(self.named("e2e_schemas", "--schema", "other").run("stat").returncode, 5)
        self.assertEqual(
            self.named("e2e_schemas", "--schema", "other").document("init")["schema_version_before"], 0
        )
        self.assertEqual(self.named("e2e_schemas", "--schema", "other").document("stat")["op_count"], 0)

        shared_home().psql(
            "INSERT INTO opstore.schema_migration (version, name, checksum) SELECT 999, name, checksum"
            " FROM opstore.schema_migration LIMIT 1",
            "e2e_schemas",
        )
        for words in [("stat",), ("ingest",), ("init",)]:
            ended = program.run(*words)
            self.assertEqual((ended.returncode, ended.stdout), (5, b""), ended.stderr)
            self.assertIn(b"999", ended.stderr)
            self.assertIn(str(made["schema_version"]).encode(), ended.stderr)
        shared_home().psql("DELETE FROM opstore.schema_migration WHERE version > 1", "e2e_schemas")
        self.assertEqual(program.run("stat").returncode, 5)

    def test_the_database_is_found_in_the_environment(self):
        self.make_database("e2e_found")
        program = Program(shared_home())
        conninfo = shared_home().conninfo("e2e_found")
        self.assertEqual(program.run("init", environment={"OPSTORE_DATABASE": conninfo}).returncode, 0)
        fields = dict(field.split("=", 1) for field in conninfo.replace("'", "").split())
        by_variables = {
            "PGHOST": fields["host"],
            "PGPORT": fields["port"],
            "PGUSER": fields["user"],
            "PGDATABASE": "e2e_found",
        }
        found = Program(shared_home(), "--space", "found")
        ended = found.run("ingest", stdin=op_line(1, b""), environment=by_variables)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        names = [entry["space"] for entry in self.named("e2e_found").document("spaces")["spaces"]]
        self.assertEqual(names, ["default", "found"])
        unreachable = {"OPSTORE_DATABASE": "host=/nonexistent", "PGHOST": fields["host"]}
        self.assertEqual(self.named("e2e_found").run("stat", environment=unreachable).returncode, 0)
        self.assertEqual(program.run("stat", environment=unreachable).returncode, 4)
        self.assertEqual(program.run("stat", environment={"PGHOST": "/nonexistent"}).returncode, 4)


class TryAgain(unittest.TestCase):
    @contextlib.contextmanager
    def locked(self, name):
        """While somebody else holds the row of the space."""
        psql = subprocess.Popen(
            ["psql", "-X", "-q", "-At", "-d", shared_home().conninfo()],
            text=True,
            env=shared_home().environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        psql.stdin.write(
            f"BEGIN; SELECT 'locked' FROM opstore.space WHERE key = '{name}'::bytea FOR UPDATE;\n"
        )
        psql.stdin.flush()
        self.assertEqual(psql.stdout.readline().strip(), "locked")
        try:
            yield
        finally:
            psql.communicate("ROLLBACK;\n", timeout=WAIT_SECONDS_MAX)

    def test_75_timeout(self):
        program = space("locked")
        program.document("ingest", stdin=op_line(1, b"before"))
        hurried = Program(shared_home(), "--space", "locked", "--timeout", "1")
        with self.locked("locked"):
            begin = time.monotonic()
            for words in [("ingest",), ("seal",), ("verify", "--repair")]:
                ended = hurried.run(*words, stdin=op_line(2, b"during"))
                self.assertEqual((ended.returncode, ended.stdout), (75, b""), ended.stderr)
            self.assertLess(time.monotonic() - begin, 20)
            # Reads do not wait.
            self.assertEqual(len(hurried.all_ids()), 1)
            self.assertEqual(hurried.document("verify")["damage_count"], 0)
        answer = program.document("ingest", stdin=op_line(2, b"during") + op_line(3, b"after"))
        self.assertEqual((answer["held"], answer["stored"]), (2, 2))
        self.assertEqual(program.document("verify")["damage_count"], 0)
