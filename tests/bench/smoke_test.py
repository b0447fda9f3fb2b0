#!/usr/bin/env python3
"""Goal: the benchmark program runs every question, and its JSON holds every row of the table.

Method: runs it at its smoke scale, on a server of its own, and reads what it wrote. No figure is judged, but each
is a number, and each ratio follows from the values beside it.

Usage: smoke_test.py PROGRAM HOME OUTPUT_DIRECTORY
"""
import json
import math
import pathlib
import subprocess
import sys

SCALES = (1_000, 10_000)
KEYS = {"question", "scale", "unit", "ours", "rival", "rival_value", "ratio", "required", "aim", "better"}

INGEST = "ingest, 1000 x 256 B a call"
SINGLE = "ingest, one op a call, 64 callers, durable"
PAGES = "pages of 1 MiB, whole space"
READS = {"ids of one sector x one full slice": (10, 100), "earliest op of a sector": (10, 100),
         "earliest ops of all sectors": (10, 100),
         "which of 10 000 ids are missing": (1, 1), "1000 ops by id": (1, 1)}
SNAPSHOTS = ("minimal snapshot, full arc",)

# (question, how the rival's name begins): required, aim. At both scales.
ROWS = {
    (INGEST, "COPY"): (0.2, 0.35),
    (INGEST, "SQLite (WAL, NORMAL)"): (1.5, 3),
    (SINGLE, "SQLite (WAL, FULL)"): (2, 4),
    (SINGLE, "group commit off"): (4, 4),
    (PAGES, "bare SELECT"): (0.5, 0.8),
    (PAGES, "SQLite"): (10, 10),
    **{(question, "SQLite"): bound for question, bound in READS.items()},
    **{(f"summary model, {which} start", rival): bound for which in ("very first", "later")
       for rival, bound in (("the same store", (30, 30)), ("SQLite", (1000, 1000)))},
    **{(question, "512 x retrieve_slice_hashes"): (100, 100) for question in SNAPSHOTS},
}
# At the larger scale only.
GROWTH = {INGEST: 2, SINGLE: 2, PAGES: 1.3, "summary model, start": 1.3, **dict.fromkeys(READS, 1.3),
          **dict.fromkeys(SNAPSHOTS, 1.3)}
MEMORY = "memory: ingest and page that many ops"


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value > 0


def check_form(row):
    assert set(row) == KEYS, row
    assert all(is_number(row[key]) for key in ("scale", "ours", "rival_value", "ratio", "required", "aim")), row
    assert row["better"] in ("higher", "lower"), row
    better_if_more = row["better"] == "higher" and row["unit"] == "op/s" or row["better"] == "lower"
    ratio = row["ours"] / row["rival_value"] if better_if_more else row["rival_value"] / row["ours"]
    assert math.isclose(ratio, row["ratio"], rel_tol=1e-9), row


def take(rows, question, rival, scale, bound, better):
    found = [r for r in rows if r["question"] == question and r["rival"].startswith(rival) and r["scale"] == scale]
    assert len(found) == 1, (question, rival, scale, found)
    row = found[0]
    assert (row["required"], row["aim"], row["better"]) == (*bound, better), row
    rows.remove(row)


def check_rows(rows):
    for row in rows:
        check_form(row)
    rows = list(rows)
    for (question, rival), bound in ROWS.items():
        for scale in SCALES:
            take(rows, question, rival, scale, bound, "higher")
    for question, most in GROWTH.items():
        take(rows, "growth: " + question, "itself at 1 k", SCALES[1], (most, most), "lower")
    take(rows, MEMORY, "what is allowed", SCALES[1], (1, 1), "lower")
    assert not rows, rows


def main():
    program, home, output = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    written, table = output / "bench_smoke.json", output / "bench_smoke.md"
    subprocess.run([program, "--scale", "smoke", "--only", ".", "--home", home, "--json", written, "--markdown", table],
                   check=True, timeout=600)
    rows = json.loads(written.read_text())
    check_rows(rows)
    assert table.read_text().count("\n| ") == len(rows) + 1, "the table has other rows"
    written.unlink()
    table.unlink()


main()
