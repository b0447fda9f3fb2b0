"""Goal: the contract holds as seen through the command line. Method: random ops of few times and places go
in, with repeats; every answer is compared with a naive model that shares no code with the program."""

import base64
import json
import time
import unittest

from naive_model import LOCATIONS, SECTOR, SLICE, UNIT, NaiveStore, Op, full_slices, id_text, whole_sectors
from opstore_program import Program, op_line, seeded_random, shared_home, space

INT64_MAX = (1 << 63) - 1


class RandomOps(unittest.TestCase):
    def compare(self, format_name):
        self.random = seeded_random(f"random ops {format_name}")
        self.program = space(f"random {format_name}")
        self.format = format_name
        self.now = time.time_ns() // 1000
        self.model = NaiveStore()
        self.program.document("init", "--format", format_name)
        for _ in range(3):
            self.ingest([self.draw_op() for _ in range(self.random.randrange(50, 400))])
        self.read_stamps()
        self.compare_pages()
        self.compare_walks()
        self.compare_slices()
        self.compare_get_and_missing()
        self.compare_summaries()
        self.seal_anew()
        self.compare_summaries()
        stat = self.program.document("stat")
        self.assertEqual(
            (stat["op_count"], stat["op_bytes"]), (len(self.model.ops), sum(op.size for op in self.model.ops))
        )
        verify = self.program.document("verify")
        self.assertEqual((verify["ops"], verify["damage_count"]), (len(self.model.ops), 0))

    def test_plain(self):
        self.compare("plain")

    def test_located(self):
        self.compare("located")

    def draw_time(self):
        r = self.random
        border = full_slices(self.now) * SLICE
        return max(
            0,
            r.choice(
                [
                    r.randrange(5),
                    r.randrange(self.now),
                    self.now - r.randrange(SLICE * 3),
                    border - r.randrange(2),
                    border + r.randrange(-3, 3) * UNIT,
                    self.now + r.randrange(SLICE),
                    INT64_MAX - r.randrange(2),
                ]
            ),
        )

    def draw_location(self):
        r = self.random
        return r.choice(
            [
                0,
                1,
                SECTOR - 1,
                SECTOR,
                LOCATIONS // 2,
                LOCATIONS - SECTOR,
                LOCATIONS - 1,
                r.randrange(LOCATIONS),
            ]
        )

    def draw_op(self):
        r = self.random
        if self.model.ops and r.random() < 0.2:
            return r.choice(self.model.ops)
        size = r.choice([0, 1, 2, 100, 1000, r.randrange(3000)])
        return Op(
            self.draw_time(), r.randbytes(size), self.draw_location() if self.format == "located" else None
        )

    def draw_arc(self):
        r = self.random
        start, end = self.draw_location(), self.draw_location()
        if r.random() < 0.3 and self.model.ops:
            start = end = r.choice(self.model.ops).location
        return r.choice(
            [
                "full",
                "empty",
                f"{start}..{end}",
                f"0x{start:x}..0x{end:X}",
                f"{start}..{(start + r.randrange(SECTOR)) % LOCATIONS}",
                f"{start}..{(start - 1) % LOCATIONS}",
            ]
        )

    def draw_sector_arc(self):
        r = self.random
        first, last = r.randrange(512), r.randrange(512)
        return r.choice(
            [
                "full",
                "empty",
                f"{first * SECTOR}..{(last * SECTOR + SECTOR - 1) % LOCATIONS}",
                f"{first * SECTOR}..{first * SECTOR + SECTOR - 1}",
            ]
        )

    def ingest(self, batch):
        lines = []
        for op in batch:
            more = {"location": op.location} if self.format == "located" else {}
            claimed = self.random.choice([None, None, op.text, op.id.hex()])
            lines.append(
                op_line(op.created_at, op.payload, **more, **({"op_id": claimed} if claimed else {}))
            )
        answer = self.program.document("ingest", "--ids", stdin=b"".join(lines))
        self.assertEqual(answer, self.model.ingest(batch))

    def read_stamps(self):
        """stored_at is the store's own choice; its order is not."""
        ids = [op.text for op in self.model.ops]
        answers = self.program.lines("get", "-", stdin="\n".join(ids).encode())
        self.assertEqual([answer["op_id"] for answer in answers], ids)
        last = 0
        for op, answer in zip(self.model.ops, answers):
            op.stored_at = answer["stored_at"]
            self.assertGreater(op.stored_at, last)
            last = op.stored_at
        self.watermark = self.program.document("stat")["watermark"]
        self.assertGreaterEqual(self.watermark, last)
        self.assertLess(abs(last - time.time_ns() // 1000), 600_000_000)

    def draw_since(self):
        r = self.random
        stamp = r.choice(self.model.ops).stored_at
        return r.choice(
            [0, -5, stamp, stamp + 1, self.watermark, self.watermark + 1, self.watermark + 10_000]
        )

    def compare_pages(self):
        for _ in range(25):
            arc, since = self.draw_arc(), self.draw_since()
            limit = self.random.choice([0, 8, 100, 1000, 20_000, 1 << 20, INT64_MAX])
            with self.subTest(arc=arc, since=since, limit=limit):
                answer = self.program.document(
                    "page", "--arc", arc, "--since", str(since), "--limit-bytes", str(limit)
                )
                self.assertEqual(answer, self.model.page(arc, since, limit, self.watermark))

    def compare_walks(self):
        for _ in range(4):
            arc, limit = self.draw_arc(), self.random.choice([3012, 10_000, 1 << 20])
            with self.subTest(arc=arc, limit=limit):
                pages = self.program.lines("page", "--arc", arc, "--all", "--limit-bytes", str(limit))
                since = 0
                for page in pages:
                    self.assertEqual(page, self.model.page(arc, since, limit, self.watermark))
                    since = page["next"]
                self.assertIsNone(pages[-1]["next_op_bytes"])
                self.assertEqual(
                    [i for page in pages for i in page["op_ids"]], [op.text for op in self.model.of_arc(arc)]
                )

    def compare_slices(self):
        for _ in range(20):
            arc = self.draw_arc()
            start, end = self.draw_time(), self.draw_time()
            if self.random.random() < 0.8:
                start, end = min(start, end), max(start, end)
            with self.subTest(arc=arc, start=start, end=end):
                self.assertEqual(
                    self.program.document("slice", "--arc", arc, "--from", str(start), "--to", str(end)),
                    self.model.slice(arc, start, end),
                )
                self.assertEqual(self.program.document("earliest", "--arc", arc), self.model.earliest(arc))

    def compare_get_and_missing(self):
        r = self.random
        unknown = [id_text(r.randbytes(len(self.model.ops[0].id))) for _ in range(20)]
        asked = [r.choice(self.model.ops).text for _ in range(250)] + unknown
        r.shuffle(asked)
        held = {op.text: op for op in self.model.ops}
        answers = self.program.lines("get", "-", stdin="\n".join(asked).encode())
        self.assertEqual(answers, [self.document_of(held[text]) for text in asked if text in held])

        malformed = ["", "x", "!" * 43, id_text(b"a" * 31), "ä" * 10]
        asked += malformed
        asked.append(self.model.ops[0].id.hex())
        r.shuffle(asked)
        self.assertEqual(self.program.missing(asked), [text for text in asked if text in unknown])

        on_the_command_line = r.sample([op for op in self.model.ops], 60)
        answers = self.program.lines("get", *(op.text for op in on_the_command_line))
        self.assertEqual(answers, [self.document_of(op) for op in on_the_command_line])

    def document_of(self, op):
        return {
            "op_id": op.text,
            "created_at": op.created_at,
            "stored_at": op.stored_at,
            "location": op.location,
            "size": op.size,
            "payload": base64.b64encode(op.payload).decode(),
        }

    def compare_summaries(self):
        r = self.random
        border = full_slices(self.now) * SLICE
        times = [
            0,
            -1,
            1,
            UNIT,
            UNIT + 1,
            SLICE,
            self.now,
            self.now - SLICE,
            self.now + 10 * SLICE,
            border,
            border - 1,
            border + r.randrange(SLICE),
            r.randrange(self.now),
            4_000_000_000_000_000,
        ]
        for now in times:
            arc = self.draw_sector_arc()
            with self.subTest(arc=arc, now=now):
                self.assertEqual(
                    self.program.document("summary", "--arc", arc, "--now", str(now)),
                    self.model.summary(arc, now),
                )
        arc = "5..1000"
        self.assertFalse(whole_sectors(arc))
        self.assertEqual(self.program.run("summary", "--arc", arc).returncode, 2)

    def seal_anew(self):
        """Nobody can travel in time here: the kept slices are taken back as if less had passed."""
        home = shared_home()
        name = f"random {self.format}"
        before = self.program.document("stat")["full_slices"]
        self.assertEqual(before, full_slices(time.time_ns() // 1000))
        of_space = f"space_id = (SELECT space_id FROM opstore.space WHERE key = '{name}'::bytea)"
        home.psql(
            f"DELETE FROM opstore.slice_hash WHERE slice_index >= {before - 20} AND {of_space};"
            f"UPDATE opstore.space SET full_slices = {before - 20} WHERE {of_space}"
        )
        # The hashes of the sectors still have them, and those of units have them not yet.
        mended = self.program.document("verify", "--repair")["damages"]
        self.assertLessEqual({damage["what"] for damage in mended}, {"sector_hash", "unit_hash"})
        self.assertEqual(self.program.document("verify")["damage_count"], 0)
        self.compare_summaries()
        part = self.program.document("seal", "--now", str(self.now - 3 * SLICE))
        self.assertEqual(
            part, {"full_slices": before - 3, "sealed": 17, "sealed_until": (before - 3) * SLICE}
        )
        self.ingest([self.draw_op() for _ in range(50)])  # Seals what is left.
        self.assertEqual(
            self.program.document("seal"),
            {"full_slices": before, "sealed": 0, "sealed_until": before * SLICE},
        )
        beyond = self.program.document("seal", "--now", str(self.now + 100 * SLICE))
        self.assertEqual(beyond["full_slices"], before)


class LargePages(unittest.TestCase):
    def test_a_page_has_at_most_65536_ids(self):
        ops = [Op(number, b"") for number in range(65_536 + 2)]
        program = space("many")
        model = NaiveStore()
        report = program.document(
            "ingest", "--ids", stdin=b"".join(op_line(op.created_at, b"") for op in ops)
        )
        self.assertEqual(report, model.ingest(ops))
        first, rest = program.lines("page", "--all", "--limit-bytes", str(1 << 40))
        self.assertEqual((len(first["op_ids"]), first["next_op_bytes"]), (65_536, 8))
        self.assertEqual((len(rest["op_ids"]), rest["next_op_bytes"]), (2, None))
        self.assertEqual(first["op_ids"] + rest["op_ids"], report["op_ids"])
        self.assertEqual(program.missing(report["op_ids"]), [])


class SignedOps(unittest.TestCase):
    """Python's standard library has no Ed25519, so only what must be refused."""

    def test_rejections(self):
        program = Program(shared_home(), "--space", "signed")
        program.document("init", "--format", "signed")
        good = {"created_at": 1, "payload": "", "author": "A" * 43 + "=", "signature": "A" * 86 + "=="}
        lines = [
            good,
            {**good, "signature": "AAAA"},
            {**good, "author": "AAAA"},
            {**good, "author": 3},
            {name: value for name, value in good.items() if name != "signature"},
        ]
        report = program.document("ingest", stdin="\n".join(map(json.dumps, lines)).encode())
        self.assertEqual([r["index"] for r in report["rejected"]], [0, 1, 2, 3, 4])
        self.assertIn("bad_signature", report["rejected"][0]["reason"])
        self.assertIn("signature", report["rejected"][1]["reason"])
        self.assertIn("author", report["rejected"][2]["reason"])
        self.assertEqual((report["held"], program.all_ids()), (0, []))
