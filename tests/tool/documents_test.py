"""Goal: every command prints the documented document with --json, something readable without, and treats a
space that does not exist as an empty one. Method: each command once in each form; keys and types compared
exactly."""

import base64
import itertools
import unittest

from naive_model import SECTOR, Op
from opstore_program import op_line, shared_home, space

SECTOR_ARC = f"0..{SECTOR - 1}"
REPORT = {
    "held": int,
    "stored": int,
    "duplicates": int,
    "bytes": int,
    "rejected_count": int,
    "rejected": list,
}
STAT = {
    "space": str,
    "format": str,
    "slice_mode": str,
    "max_op_bytes": int,
    "op_count": int,
    "op_bytes": int,
    "watermark": int,
    "full_slices": int,
    "server_version": str,
    "schema_version": int,
    "database_bytes": int,
    "oldest_transaction_ms": int,
    "fsync": bool,
    "synchronous_commit": str,
}
VERIFY = {"ops": int, "slice_hashes": int, "damage_count": int, "damages": list, "repaired": bool}
SERVER = {
    "running": bool,
    "initialised": bool,
    "pid": int,
    "server_version": str,
    "home": str,
    "log_file": str,
    "conninfo": str,
}
SEAL = {"full_slices": int, "sealed": int, "sealed_until": int}


class Documents(unittest.TestCase):
    def assert_shape(self, document, shape):
        self.assertEqual({name: type(value) for name, value in document.items()}, shape)

    def setUp(self):
        self.program = space("documents")
        self.op = Op(1_700_000_000_000_000, b"hello")
        self.ingest(self.op)

    def ingest(self, *ops):
        return self.program.document(
            "ingest", stdin=b"".join(op_line(op.created_at, op.payload) for op in ops)
        )

    def test_init(self):
        answer = self.program.document("init")
        self.assert_shape(
            answer, {"schema_version_before": int, "schema_version": int, "space": str, "roles": bool}
        )
        self.assertEqual(answer["space"], "documents")
        self.assertTrue(self.program.document("init", "--roles")["roles"])
        self.assertTrue(self.program.document("init", "--roles")["roles"])

    def test_ingest(self):
        self.assert_shape(self.ingest(self.op), REPORT)
        with_ids = self.program.document(
            "ingest", "--ids", stdin=op_line(self.op.created_at, self.op.payload)
        )
        self.assert_shape(with_ids, {**REPORT, "op_ids": list})
        self.assertEqual(
            with_ids,
            {
                "held": 1,
                "stored": 0,
                "duplicates": 1,
                "bytes": 0,
                "rejected_count": 0,
                "rejected": [],
                "op_ids": [self.op.text],
            },
        )
        rejected = self.program.document("ingest", stdin=b"?")["rejected"]
        self.assert_shape(rejected[0], {"index": int, "reason": str})

    def test_get(self):
        answer = self.program.document("get", self.op.text)
        self.assert_shape(
            answer,
            {"op_id": str, "created_at": int, "stored_at": int, "location": int, "size": int, "payload": str},
        )
        self.assertEqual(answer["payload"], "aGVsbG8=")
        self.assertEqual(self.program.document("get", self.op.id.hex()), answer)
        self.assertEqual(self.program.document("get", self.op.id.hex().upper()), answer)

    def test_an_id_may_begin_like_an_option(self):
        ops = (Op(number, b"dash") for number in itertools.count())
        one_dash = next(op for op in ops if op.text[0] == "-" and op.text[1] != "-")
        two_dashes = next(op for op in ops if op.text.startswith("--"))
        help_flag = next(op for op in ops if op.text.startswith("-h"))
        self.ingest(one_dash, two_dashes, help_flag)
        asked = [self.op.text, one_dash.text, self.op.text, two_dashes.text, one_dash.text, help_flag.text]
        self.assertEqual(self.program.document("get", help_flag.text)["op_id"], help_flag.text)
        self.assertEqual([answer["op_id"] for answer in self.program.lines("get", *asked)], asked)
        self.assertEqual([answer["op_id"] for answer in self.program.lines("get", "--", *asked)], asked)
        self.assertEqual(self.program.run("get", self.op.text, "--json").returncode, 2)
        self.assertEqual(self.program.run("get", self.op.text, "-x").returncode, 2)
        self.assertEqual(
            self.program.document(
                "slices", "put", "--arc", "0..9", "--index", "1", "--hash", two_dashes.text
            ),
            {"stored": True},
        )

    def test_reads(self):
        page = self.program.document("page")
        self.assert_shape(page, {"op_ids": list, "bytes": int, "next": int, "next_op_bytes": type(None)})
        cut = self.program.document("page", "--limit-bytes", "1")
        self.assert_shape(cut, {"op_ids": list, "bytes": int, "next": int, "next_op_bytes": int})
        self.assertEqual((cut["op_ids"], cut["next_op_bytes"]), ([], 13))
        self.assert_shape(self.program.document("missing", stdin=b""), {"missing": list})
        self.assert_shape(
            self.program.document("slice", "--from", "0", "--to", "1"), {"op_ids": list, "bytes": int}
        )
        self.assert_shape(self.program.document("earliest"), {"created_at": int})
        summary = self.program.document("summary")
        self.assert_shape(summary, {"disc_boundary": int, "disc_top_hash": str, "ring_top_hashes": list})
        self.assertEqual({type(ring) for ring in summary["ring_top_hashes"]}, {str})

    def test_times(self):
        def of(first, end):
            return self.program.document("slice", "--from", first, "--to", end)["op_ids"]

        self.assertIn(self.op.text, of("2023-11-14T22:13:20Z", "2023-11-14T22:13:20.000001Z"))
        self.assertIn(self.op.text, of("2023-11-15T00:13:20+02:00", "now"))
        self.assertNotIn(self.op.text, of("2023-11-14T22:13:20.000001Z", "now"))
        self.assertIn(self.op.text, of("-9223372036854775808", "9223372036854775807"))

    def test_slices(self):
        host = space("documents, host")
        host.document("init", "--slices", "host")
        for program, arc in ((self.program, "7..70"), (host, SECTOR_ARC)):
            on = ("--arc", arc)
            self.assertEqual(
                program.document("slices", "put", *on, "--index", "5", "--hash", "AQID"), {"stored": True}
            )
            program.document("slices", "put", *on, "--index", "2", "--hash", "ff")
            program.document("slices", "put", *on, "--index", "2", "--hash", "00")
            self.assertEqual(program.document("slices", "get", *on, "--index", "5"), {"hash": "AQID"})
            self.assertEqual(program.document("slices", "get", *on, "--index", "3"), {"hash": None})
            self.assertEqual(program.document("slices", "count", *on), {"count": 6})
            self.assertEqual(
                program.document("slices", "list", *on),
                {"slices": [{"index": 2, "hash": "AA"}, {"index": 5, "hash": "AQID"}]},
            )
            self.assertEqual(program.document("verify")["damage_count"], 0)
        refused = self.program.run("slices", "put", "--arc", SECTOR_ARC, "--index", "5", "--hash", "AQID")
        self.assertEqual(refused.returncode, 1)
        self.assertEqual(host.run("seal").returncode, 2)

    def test_maintenance(self):
        self.assert_shape(self.program.document("seal"), SEAL)
        self.assert_shape(self.program.document("verify"), VERIFY)
        repaired = self.program.document("verify", "--repair")
        self.assert_shape(repaired, VERIFY)
        self.assertTrue(repaired["repaired"])
        stat = self.program.document("stat")
        self.assert_shape(stat, STAT)
        self.assertEqual(
            (stat["fsync"], stat["synchronous_commit"], stat["space"]), (True, "on", "documents")
        )

    def test_spaces(self):
        gone = space("documents, to be dropped")
        gone.document("init", "--max-op-bytes", "77")
        listed = self.program.document("spaces")
        self.assertEqual(list(listed), ["spaces"])
        shape = {
            "space": str,
            "format": str,
            "slice_mode": str,
            "max_op_bytes": int,
            "op_count": int,
            "op_bytes": int,
        }
        for entry in listed["spaces"]:
            self.assert_shape(entry, shape)
        self.assertIn(
            {
                "space": "documents, to be dropped",
                "format": "plain",
                "slice_mode": "store",
                "max_op_bytes": 77,
                "op_count": 0,
                "op_bytes": 0,
            },
            listed["spaces"],
        )
        self.assertEqual(self.program.run("spaces", "drop", "documents, to be dropped").returncode, 2)
        self.assertEqual(
            self.program.document("spaces", "drop", "documents, to be dropped", "--yes"),
            {"dropped": "documents, to be dropped"},
        )
        self.assertEqual(
            self.program.run("spaces", "drop", "documents, to be dropped", "--yes").returncode, 1
        )
        self.assertNotIn(
            "documents, to be dropped", [s["space"] for s in self.program.document("spaces")["spaces"]]
        )

    def test_server_status(self):
        status = self.program.document("server", "status")
        self.assert_shape(status, SERVER)
        self.assertEqual((status["running"], status["home"]), (True, str(shared_home().path)))
        self.assert_shape(self.program.document("server", "start"), SERVER)

    def test_an_unknown_space_reads_as_an_empty_one(self):
        nobody = space("nobody made this")
        some_id = self.op.text
        self.assertEqual(nobody.lines("get", some_id), [])
        self.assertEqual(nobody.missing([some_id]), [some_id])
        self.assertEqual(
            nobody.document("page", "--since", "7"),
            {"op_ids": [], "bytes": 0, "next": 7, "next_op_bytes": None},
        )
        self.assertEqual(len(nobody.lines("page", "--all")), 1)
        self.assertEqual(nobody.document("slice", "--from", "0", "--to", "9"), {"op_ids": [], "bytes": 0})
        self.assertEqual(nobody.document("earliest"), {"created_at": None})
        summary = nobody.document("summary")
        self.assertEqual({summary["disc_top_hash"], *summary["ring_top_hashes"]}, {""})
        self.assertEqual(nobody.document("slices", "list", "--arc", "0..9"), {"slices": []})
        self.assertEqual(nobody.document("slices", "get", "--arc", "0..9", "--index", "0"), {"hash": None})
        self.assertEqual(nobody.document("slices", "count", "--arc", "0..9"), {"count": 0})
        self.assertEqual(nobody.document("verify")["ops"], 0)
        self.assertEqual(nobody.document("stat")["op_count"], 0)
        self.assertNotIn("nobody made this", [s["space"] for s in nobody.document("spaces")["spaces"]])

    def test_text(self):
        program = self.program
        line = op_line(1, b"text")
        arc = ("--arc", "100..200")
        for words, stdin in [
            (("init",), b""),
            (("ingest",), line + b"?\n"),
            (("get", self.op.text), b""),
            (("missing",), b"A" * 43),
            (("page",), b""),
            (("page", "--all"), b""),
            (("slice", "--from", "0", "--to", "now"), b""),
            (("earliest",), b""),
            (("summary",), b""),
            (("slices", "put", *arc, "--index", "1", "--hash", "ff"), b""),
            (("slices", "list", *arc), b""),
            (("slices", "get", *arc, "--index", "1"), b""),
            (("slices", "get", *arc, "--index", "2"), b""),
            (("slices", "count", *arc), b""),
            (("seal",), b""),
            (("verify",), b""),
            (("verify", "--repair"), b""),
            (("stat",), b""),
            (("spaces",), b""),
            (("server", "start"), b""),
            (("server", "status"), b""),
            (("--help",), b""),
            (("--version",), b""),
            (("page", "--help"), b""),
            (("completion", "bash"), b""),
        ]:
            with self.subTest(words=words):
                ended = program.run(*words, stdin=stdin, as_json=False)
                self.assertEqual(ended.returncode, 0, ended.stderr)
                if words[:2] != ("slices", "put"):
                    self.assertTrue(ended.stdout.strip())
                self.assertNotIn(b'{"', ended.stdout)

    def test_text_ids_can_be_piped(self):
        ids = self.program.run("page", "--all", as_json=False).stdout
        self.assertEqual(ids.decode().split(), self.program.all_ids())
        self.assertEqual(self.program.run("missing", stdin=ids, as_json=False).stdout, b"")
        self.assertEqual(self.program.run("get", "-", stdin=ids).stdout.count(b"\n"), ids.count(b"\n"))


class FormatOfAHost(unittest.TestCase):
    """A space in which a host stores ops of its own format: all but making ops works."""

    @classmethod
    def setUpClass(cls):
        cls.program = space("format of a host")
        cls.ops = [Op(number * 10**12, bytes([number])) for number in range(20)]
        cls.program.document("ingest", stdin=b"".join(op_line(op.created_at, op.payload) for op in cls.ops))
        cls.before = cls.documents()
        shared_home().psql("UPDATE opstore.space SET format = 'theirs' WHERE key = 'format of a host'::bytea")

    @classmethod
    def documents(cls):
        ids = "".join(op.text + "\n" for op in cls.ops).encode()
        return [
            cls.program.document(*words, stdin=ids if words[0] == "missing" else b"")
            for words in [
                ("page",),
                ("slice", "--from", "0", "--to", str(10**15)),
                ("earliest",),
                ("missing",),
                ("summary", "--now", str(10**15)),
                ("slices", "list", "--arc", SECTOR_ARC),
                ("slices", "count", "--arc", SECTOR_ARC),
                ("verify",),
                ("seal",),
            ]
        ]

    def test_it_is_read(self):
        self.assertEqual(self.documents(), self.before)
        self.assertEqual(self.program.document("stat")["format"], "theirs")
        op = self.ops[3]
        got = self.program.document("get", op.text)
        self.assertEqual(base64.b64decode(got["payload"]), op.created_at.to_bytes(8, "little") + op.payload)

    def test_no_ops_are_made(self):
        for words in [("ingest",), ("import-git", "."), ("peer", "--listen", "127.0.0.1:0")]:
            with self.subTest(words=words):
                ended = self.program.run(*words, stdin=op_line(1, b"x"))
                self.assertEqual(ended.returncode, 1)
                self.assertIn(b"'theirs'", ended.stderr)
        self.assertEqual(self.program.document("stat")["op_count"], len(self.ops))
