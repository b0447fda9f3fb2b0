"""Goal: a bad line costs nobody but itself, whatever it holds; input is stored and acknowledged as it
comes; nothing that was acknowledged is lost when the run is ended. Method: lines of every bad kind between
good ones; a pipe that is kept open."""

import array
import base64
import fcntl
import json
import os
import pty
import random
import signal
import termios
import tty
import unittest

from naive_model import Op
from opstore_program import SANITIZED, WAIT_SECONDS_MAX, op_line, seeded_random, space, wait_until

DAMAGED_LINES = {
    b"?": "not JSON",
    b"{": "not JSON",
    b"\x00": "not JSON",
    b'{"created_at":1,"payload":"\xff"}': "not JSON",
    b'{"created_at":1,"payload":"YQ=="}\x00': "not JSON",
    b'{"created_at":1,"payload":"YQ=="} {}': "not JSON",
    b"{'created_at':1,'payload':'YQ=='}": "not JSON",
    b'{"created_at":0x1,"payload":"YQ=="}': "not JSON",
    b'{"created_at":NaN,"payload":"YQ=="}': "not JSON",
    b'\xef\xbb\xbf{"created_at":1,"payload":"YQ=="}': "not JSON",
    b"[" * 50_000: "not JSON",
    b'{"a":' * 200 + b"1" + b"}" * 200: "not JSON",
    b"[]": "object",
    b"null": "object",
    b'"text"': "object",
    b"7": "object",
    b"{}": "created_at",
    b'{"payload":"YQ=="}': "created_at",
    b'{"created_at":null,"payload":"YQ=="}': "created_at",
    b'{"created_at":"1","payload":"YQ=="}': "created_at",
    b'{"created_at":true,"payload":"YQ=="}': "created_at",
    b'{"created_at":1.0,"payload":"YQ=="}': "created_at",
    b'{"created_at":1e3,"payload":"YQ=="}': "created_at",
    b'{"created_at":[1],"payload":"YQ=="}': "created_at",
    b'{"created_at":9223372036854775808,"payload":"YQ=="}': "created_at",
    b'{"created_at":-9223372036854775809,"payload":"YQ=="}': "created_at",
    b'{"created_at":' + b"9" * 400 + b',"payload":"YQ=="}': "",
    b'{"created_at":-1,"payload":"YQ=="}': "-1",
    b'{"created_at":-9223372036854775808,"payload":"YQ=="}': "-9223372036854775808",
    b'{"created_at":1}': "payload",
    b'{"created_at":1,"payload":null}': "payload",
    b'{"created_at":1,"payload":7}': "payload",
    b'{"created_at":1,"payload":["YQ=="]}': "payload",
    b'{"created_at":1,"payload":"YQ"}': "payload",
    b'{"created_at":1,"payload":"YQ="}': "payload",
    b'{"created_at":1,"payload":"YQ==="}': "payload",
    b'{"created_at":1,"payload":"YR=="}': "payload",
    b'{"created_at":1,"payload":"Y-_="}': "payload",
    b'{"created_at":1,"payload":"YQ==\\n"}': "payload",
    b'{"created_at":1,"payload":"YQ==\\u0000"}': "payload",
    b'{"created_at":1,"payload":" YQ=="}': "payload",
    b'{"created_at":1,"payload":"YQ==YQ=="}': "payload",
    b'{"created_at":1,"payload":"YQ==","op_id":7}': "op_id",
    b'{"created_at":1,"payload":"YQ==","op_id":"!"}': "op_id",
    b'{"created_at":1,"payload":"YQ==","op_id":""}': "id",
    b'{"created_at":1,"payload":"YQ==","op_id":"YWJj"}': "wrong_id_length",
    b'{"created_at":1,"payload":"YQ==","op_id":"' + b"A" * 43 + b'"}': "wrong_id",
    b'{"created_at":1,"payload":"YQ==","op_id":"' + b"00" * 32 + b'"}': "wrong_id",
    b'{"created_at":1,"payload":"YQ==","op_id":"' + b"A" * 9000 + b'"}': "op_id",
    b'{"created_at":1,"payload":"' + base64.b64encode(bytes(10_000)) + b'"}': "too_large",
    b'{"created_at":1,"payload":"' + b"A" * 3_000_000 + b'"}': "too_large",
    b"x" * 3_000_000: "too_large",
}


def unread_bytes(pipe):
    count = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


class BadLines(unittest.TestCase):
    def test_each_is_rejected_alone(self):
        program = space("bad lines")
        program.document("init", "--max-op-bytes", "5000")
        r = seeded_random("bad lines")
        bad = list(DAMAGED_LINES.items()) * 2
        r.shuffle(bad)
        good = [Op(number, r.randbytes(r.randrange(100))) for number in range(len(bad) + 1)]
        lines, expected = [], []
        for op, (line, reason) in zip(good, bad):
            lines.append(op_line(op.created_at, op.payload))
            expected.append((len(lines), reason))
            lines.append(line + b"\n")
        lines.append(op_line(good[-1].created_at, good[-1].payload).rstrip(b"\n"))
        report = program.document("ingest", "--ids", stdin=b"".join(lines))
        self.assertEqual(report["op_ids"], [op.text for op in good])
        self.assertEqual(
            (report["held"], report["stored"], report["bytes"]),
            (len(good), len(good), sum(op.size for op in good)),
        )
        self.assertEqual([r["index"] for r in report["rejected"]], [index for index, _ in expected])
        self.assertEqual(report["rejected_count"], len(expected))
        for rejection, (index, reason) in zip(report["rejected"], expected):
            with self.subTest(line=lines[index][:80]):
                self.assertIn(reason, rejection["reason"])
                self.assertLess(len(rejection["reason"]), 500)
        self.assertEqual(program.all_ids(), report["op_ids"])

    def test_only_bad_lines(self):
        program = space("only bad lines")
        for stdin in (b"?", b"?\n", b"x" * 3_000_000, b"x" * 3_000_000 + b"\n", b"\x00" * 3000):
            with self.subTest(stdin=stdin[:10]):
                if len(stdin) > 100_000:
                    program = space("only bad lines, small")
                    program.document("init", "--max-op-bytes", "100")
                report = program.document("ingest", stdin=stdin)
                self.assertEqual((report["held"], [r["index"] for r in report["rejected"]]), (0, [0]))
        for stdin in (b"", b"\n", b"\r\n", b" \n\t\r\n"):
            with self.subTest(stdin=stdin):
                report = program.document("ingest", stdin=stdin)
                self.assertEqual((report["held"], report["rejected"]), (0, []))

    def test_forms_of_a_good_line(self):
        program = space("good lines")
        payload = base64.b64encode(b"\xff\xfe\xfd?").decode()
        for number, line in enumerate(
            [
                b'{"created_at":%d,"payload":""}',
                b' { "payload" : "" ,\t"created_at" : %d } ',
                b'{"created_at":%d,"payload":"","more":{"a":[1.5,null]}}',
                b'{"created_at":%d,"payload":"YWF\\u0041"}',
                b'{"created_at":%d,"payload":""}\r',
                b'{"created_at":%d,"payload":"' + payload.replace("/", "\\/").encode() + b'"}',
            ]
        ):
            with self.subTest(line=line):
                self.assertEqual(program.document("ingest", stdin=line % number + b"\n")["held"], 1)
        # Empty lines are no ops and no errors, but they count.
        report = program.document("ingest", stdin=b"\n\r\n  \n" + op_line(100, b"") + b"\n?\n\n")
        self.assertEqual((report["held"], [r["index"] for r in report["rejected"]]), (1, [5]))
        self.assertEqual(
            program.document("ingest", stdin=b'{"created_at":9223372036854775807,"payload":""}')["held"], 1
        )

    def test_the_largest_op(self):
        program = space("largest op")
        program.document("init", "--max-op-bytes", "1000")
        sizes = [991, 992, 993, 100_000]
        lines = b"".join(op_line(1, bytes(size)) for size in sizes)
        report = program.document("ingest", stdin=lines)
        self.assertEqual((report["held"], report["bytes"]), (2, 999 + 1000))
        self.assertEqual([r["index"] for r in report["rejected"]], [2, 3])
        slashes = base64.b64encode(b"\xff" * 992).replace(b"/", b"\\/")
        escaped = b'{"created_at":1,"payload":"%s"}' % slashes
        self.assertEqual(program.document("ingest", stdin=escaped)["held"], 1)

    def test_an_op_of_16_mib(self):
        program = space("16 MiB")
        op = Op(5, random.Random(1).randbytes((16 << 20) - 8))
        self.assertEqual(
            program.document("ingest", "--ids", stdin=op_line(5, op.payload))["op_ids"], [op.text]
        )
        answer = program.document("get", op.text)
        self.assertEqual((answer["size"], base64.b64decode(answer["payload"])), (16 << 20, op.payload))

    def test_repeats_within_the_input(self):
        program = space("repeats")
        ops = [Op(number % 7, bytes(number % 3)) for number in range(3000)]
        report = program.document(
            "ingest", "--ids", stdin=b"".join(op_line(op.created_at, op.payload) for op in ops)
        )
        distinct = {op.id for op in ops}
        self.assertEqual(
            (report["held"], report["stored"], report["duplicates"]),
            (3000, len(distinct), 3000 - len(distinct)),
        )
        self.assertEqual(report["op_ids"], [op.text for op in ops])

    def test_a_file(self):
        program = space("from a file")
        path = program.home.path / "ops with spaces.ndjson"
        path.write_bytes(op_line(1, b"a") + op_line(2, b"b"))
        self.assertEqual(program.document("ingest", str(path))["held"], 2)
        ids = program.home.path / "ids"
        ids.write_text("\r\n".join(program.all_ids() + ["B" * 43]))
        self.assertEqual(program.document("missing", str(ids))["missing"], [])

    def test_malformed_ids_are_dropped_with_a_warning(self):
        program = space("from a file")
        ended = program.run("missing", stdin=b"short\n\xff\xfe\n" + b"A" * 5000 + b"\n" + b"A" * 43 + b"\n\n")
        self.assertEqual((ended.returncode, json.loads(ended.stdout)), (0, {"missing": ["A" * 43]}))
        self.assertEqual(ended.stderr.count(b"opstore: "), 3)
        self.assertIn(b"short", ended.stderr)
        ended.stderr.decode()


class Acknowledgements(unittest.TestCase):
    """--ack: whoever sends a few lines and waits gets an answer, and that answer is final."""

    def acknowledged(self, running):
        return json.loads(running.stdout.readline())["line"]

    def test_a_conversation(self):
        program = space("conversation")
        running = program.start("ingest", "--ack")
        sent = 0
        for count in (1, 3, 2000, 2):
            for _ in range(count):
                running.stdin.write(op_line(sent, b"") if sent % 5 else b"?\n")
                sent += 1
            running.stdin.flush()
            while self.acknowledged(running) != sent - 1:
                pass
            self.assertEqual(len(program.all_ids()), sum(1 for number in range(sent) if number % 5))
        # Half a line holds nobody up.
        running.stdin.write(op_line(sent, b"") + b'{"created_at":')
        running.stdin.flush()
        self.assertEqual(self.acknowledged(running), sent)
        out, err = running.communicate(b'77,"payload":""}', timeout=WAIT_SECONDS_MAX)
        acknowledged, report = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(acknowledged, {"line": sent + 1})
        self.assertEqual(report["held"] + len(report["rejected"]), sent + 2)
        self.assertEqual((running.returncode, err), (0, b""))

    def test_acknowledgements_grow(self):
        ended = space("ack").run("ingest", "--ack", stdin=b"".join(op_line(n, b"") for n in range(5000)))
        *lines, report = [json.loads(line) for line in ended.stdout.splitlines()]
        numbers = [line["line"] for line in lines]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertEqual((numbers[-1], report["held"]), (4999, 5000))

    def test_sigterm_ends_it_in_order(self):
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            program = space(f"terminated by {signal_number}")
            running = program.start("ingest", "--ack", "--ids")
            running.stdin.write(b"".join(op_line(number, b"") for number in range(1500)))
            running.stdin.flush()
            while self.acknowledged(running) != 1499:
                pass
            os.kill(running.pid, signal_number)
            out = running.stdout.read()
            running.wait(WAIT_SECONDS_MAX)
            self.assertEqual(running.returncode, 1)
            report = json.loads(out.splitlines()[-1])
            self.assertEqual((report["held"], len(report["op_ids"])), (1500, 1500))
            self.assertIn(b"interrupted", running.stderr.read())
            self.assertEqual(program.all_ids(), report["op_ids"])
            for stream in (running.stdin, running.stdout, running.stderr):
                stream.close()

    def test_sigterm_under_load(self):
        program = space("terminated under load")
        r = seeded_random("sigterm")
        ops = [Op(number, r.randbytes(50)) for number in range(20_000)]
        path = program.home.path / "load.ndjson"
        path.write_bytes(b"".join(op_line(op.created_at, op.payload) for op in ops))
        with open(path, "rb") as stdin:
            running = program.start("ingest", "--ack", stdin=stdin)
            for _ in range(r.randrange(1, 6)):
                last = self.acknowledged(running)
            os.kill(running.pid, signal.SIGTERM)
            out, _ = running.communicate(timeout=WAIT_SECONDS_MAX)
        *more, report = [json.loads(line) for line in out.splitlines()]
        last = more[-1]["line"] if more else last
        self.assertEqual(report["held"], last + 1)
        self.assertEqual(len(program.all_ids()), last + 1)
        self.assertEqual(program.missing([op.text for op in ops[: last + 1]]), [])


    def test_an_interrupted_question_has_no_answer(self):
        # Half an answer to "which are missing" would be taken for a whole one.
        program = space("interrupted question")
        program.document("ingest", stdin=op_line(1, b""))
        for words in (("missing",), ("get", "-")):
            for signal_number in (signal.SIGTERM, signal.SIGINT):
                with self.subTest(words=words, signal=signal_number):
                    running = program.start(*words)
                    running.stdin.write(b"A" * 43 + b"\n")
                    running.stdin.flush()
                    wait_until(lambda: unread_bytes(running.stdin) == 0, "it reads")
                    os.kill(running.pid, signal_number)
                    out, _ = running.communicate(timeout=WAIT_SECONDS_MAX)
                    self.assertEqual((running.returncode, out), (-signal_number, b""))

    def test_a_read_error_tells_what_is_stored(self):
        program = space("read error")
        terminal, writer = pty.openpty()
        tty.setraw(writer)
        running = program.start("ingest", "--ack", stdin=terminal)
        os.write(writer, op_line(1, b"") + op_line(2, b""))
        while self.acknowledged(running) != 1:
            pass
        # To the one who reads at the other end this is an error, not an end.
        os.close(writer)
        out, err = running.communicate(timeout=WAIT_SECONDS_MAX)
        os.close(terminal)
        self.assertEqual((running.returncode, out), (1, b""))
        self.assertIn(b"cannot read standard input", err)
        self.assertIn(b"lines up to 1 are stored", err)
        self.assertEqual(len(program.all_ids()), 2)


class Text(unittest.TestCase):
    """Without --json: text for people, and ids for programs."""

    def test_ids_alone_are_the_output(self):
        program = space("ids as text")
        ops = [Op(number, b"text") for number in range(3)]
        lines = [op_line(op.created_at, op.payload) for op in ops]
        ended = program.run("ingest", "--ids", "--ack", stdin=b"".join(lines) + b"bad\n", as_json=False)
        self.assertEqual(ended.returncode, 0)
        self.assertEqual(ended.stdout.decode().splitlines(), [op.text for op in ops])
        for told in (b"lines up to 3 are durable", b"3 ops held", b"1 rejected", b"line 3: not JSON"):
            self.assertIn(told, ended.stderr)

    def test_acknowledgements_are_text(self):
        ended = space("acknowledged as text").run("ingest", "--ack", stdin=op_line(1, b""), as_json=False)
        lines = ended.stdout.decode().splitlines()
        self.assertEqual(lines[0], "lines up to 0 are durable")
        self.assertTrue(lines[-1].startswith("1 ops held"), lines)

    def test_on_a_terminal_the_answer_stands_alone(self):
        program = space("terminal")
        for words in (("ingest",), ("ingest", "--ack"), ("seal",)):
            for as_json in (True, False):
                with self.subTest(words=words, as_json=as_json):
                    shown = self.on_a_terminal(program, *words, as_json=as_json)
                    self.assertTrue(shown)
                    for line in shown:
                        self.assertRegex(line, r"^(\{.*\}|lines up to 0 are durable|\d+ .*)$")

    def on_a_terminal(self, program, *words, as_json):
        """The lines that stay on the screen."""
        master, terminal = pty.openpty()
        running = program.start(*words, as_json=as_json, stdout=terminal, stderr=terminal)
        os.close(terminal)
        running.stdin.write(op_line(1, b""))
        running.stdin.close()
        seen = b""
        try:
            while chunk := os.read(master, 4096):
                seen += chunk
        except OSError:
            pass  # So a terminal ends.
        os.close(master)
        self.assertEqual(running.wait(WAIT_SECONDS_MAX), 0, seen)
        lines = seen.decode().rstrip("\r\n").split("\r\n")
        return [line.rpartition("\r\x1b[K")[2] for line in lines]


class Memory(unittest.TestCase):
    def test_rejections_beyond_the_limit_are_counted(self):
        told_max = 100_000
        program = space("many rejections")
        for count in (told_max - 1, told_max, told_max + 1):
            report = program.document("ingest", stdin=b"?\n" * count)
            self.assertEqual(report["rejected_count"], count)
            self.assertEqual(len(report["rejected"]), min(count, told_max))
        ended = program.run("ingest", "--strict", stdin=b"?\n" * (told_max + 1), as_json=False)
        self.assertEqual(ended.returncode, 1)
        self.assertTrue(ended.stdout.endswith(b"  and more\n"))

    def test_a_line_without_an_end_is_not_held(self):
        program = space("endless line")
        program.document("init", "--max-op-bytes", "1000")
        running = program.start("ingest")
        for _ in range(200):
            running.stdin.write(b"x" * (1 << 20))
        running.stdin.flush()
        with open(f"/proc/{running.pid}/status") as status:
            peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
        out, _ = running.communicate(b"\n" + op_line(1, b""), timeout=WAIT_SECONDS_MAX)
        self.assertLess(peak, (100 << 10) if not SANITIZED else (1 << 20))
        report = json.loads(out)
        self.assertEqual((report["held"], [r["index"] for r in report["rejected"]]), (1, [0]))
