"""The contract (docs/contract.md) in the plainest words: one list of ops, walked through for every answer."""

import base64
import hashlib

LOCATIONS = 1 << 32
SECTOR = 1 << 23
UNIT = 15 * 60 * 1_000_000
FACTOR = 9
SLICE = (1 << FACTOR) * UNIT
RESERVED = ((1 << FACTOR) - 1) * UNIT
PAGE_IDS_MAX = 65_536


def id_text(op_id):
    return base64.urlsafe_b64encode(op_id).decode().rstrip("=")


def id_bytes(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def blake2b_256(data):
    return hashlib.blake2b(data, digest_size=32).digest()


def xor(hashes):
    total = None
    for one in hashes:
        total = one if total is None else bytes(a ^ b for a, b in zip(total, one))
    return b"" if total is None else total


class Op:
    def __init__(self, created_at, payload, at=None):
        """Format `plain`, or `located` if the author chose the place."""
        self.created_at = created_at
        self.payload = payload
        time = created_at.to_bytes(8, "little", signed=True)
        if at is None:
            data = time + payload
            self.id = blake2b_256(data)
            groups = [self.id[i : i + 4] for i in range(0, 32, 4)]
            self.location = int.from_bytes(xor(groups), "little")
        else:
            data = time + at.to_bytes(4, "little") + payload
            self.id = blake2b_256(data) + at.to_bytes(4, "little")
            self.location = at
        self.size = len(data)
        self.text = id_text(self.id)
        self.stored_at = None


def in_arc(arc, location):
    if arc in ("full", "empty"):
        return arc == "full"
    start, end = (int(number, 0) for number in arc.split(".."))
    if start <= end:
        return start <= location <= end
    return location >= start or location <= end


def whole_sectors(arc):
    if arc in ("full", "empty"):
        return True
    start, end = (int(number, 0) for number in arc.split(".."))
    return start % SECTOR == 0 and (end + 1) % SECTOR == 0 or (end + 1) % LOCATIONS == start


def full_slices(now):
    return max(0, (now - RESERVED) // SLICE)


def ring_ranges(now):
    """[start, end) of each ring slice, oldest first."""
    start = full_slices(now) * SLICE
    ranges = []
    for size_log2 in reversed(range(FACTOR)):
        length = (1 << size_log2) * UNIT
        left = now - start
        for _ in range(2 if left > (2 * (1 << size_log2) - 1) * UNIT + length else 1 if left > length else 0):
            ranges.append((start, start + length))
            start += length
    return ranges


class NaiveStore:
    def __init__(self):
        self.ops = []  # In stored_at order.
        self.by_id = {}

    def ingest(self, batch):
        """The report, without rejections."""
        report = {
            "held": len(batch),
            "stored": 0,
            "duplicates": 0,
            "bytes": 0,
            "rejected_count": 0,
            "rejected": [],
            "op_ids": [op.text for op in batch],
        }
        for op in batch:
            if op.id in self.by_id:
                report["duplicates"] += 1
                continue
            self.by_id[op.id] = op
            self.ops.append(op)
            report["stored"] += 1
            report["bytes"] += op.size
        return report

    def of_arc(self, arc):
        return [op for op in self.ops if in_arc(arc, op.location)]

    def page(self, arc, since, limit_bytes, watermark):
        answer = {"op_ids": [], "bytes": 0, "next": max(since, watermark + 1), "next_op_bytes": None}
        for op in self.of_arc(arc):
            if op.stored_at < since:
                continue
            if answer["bytes"] + op.size > limit_bytes or len(answer["op_ids"]) == PAGE_IDS_MAX:
                answer["next"] = op.stored_at
                answer["next_op_bytes"] = op.size
                break
            answer["op_ids"].append(op.text)
            answer["bytes"] += op.size
        return answer

    def slice(self, arc, start, end):
        ops = sorted(
            (op for op in self.of_arc(arc) if start <= op.created_at < end),
            key=lambda op: (op.created_at, op.id),
        )
        return {"op_ids": [op.text for op in ops], "bytes": sum(op.size for op in ops)}

    def earliest(self, arc):
        return {"created_at": min((op.created_at for op in self.of_arc(arc)), default=None)}

    def summary(self, arc, now):
        def top_hash(start, end):
            return id_text(xor(op.id for op in self.of_arc(arc) if start <= op.created_at < end))

        boundary = full_slices(now) * SLICE
        return {
            "disc_boundary": boundary,
            "disc_top_hash": top_hash(0, boundary),
            "ring_top_hashes": [top_hash(*bounds) for bounds in ring_ranges(now)],
        }
