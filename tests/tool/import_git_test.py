"""Goal: import-git makes an op of each object that a repository's refs reach, with the time of the first
commit that brought it. Method: repositories of every shape are made with git; the expectation is computed
from `git rev-list`, `git ls-tree` of every commit and `git cat-file`, in the plainest way."""

import base64
import os
import subprocess
import unittest

from naive_model import Op
from opstore_program import WAIT_SECONDS_MAX, Program, shared_home, space

EMPTY_REPORT = {
    "commits": 0,
    "trees": 0,
    "blobs": 0,
    "tags": 0,
    "held": 0,
    "stored": 0,
    "duplicates": 0,
    "bytes": 0,
    "rejected": [],
}


class Repository:
    def __init__(self, name, *options):
        self.path = shared_home().path / name
        self.clock = 1_600_000_000
        self.git("init", "-q", "-b", "main", *options, str(self.path), cwd=shared_home().path)

    def git(self, *words, cwd=None, stdin=b"", seconds=None):
        when = f"{self.clock if seconds is None else seconds} +0130"
        environment = {
            **shared_home().environment(),
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "A. Uthor",
            "GIT_AUTHOR_EMAIL": "a@b",
            "GIT_COMMITTER_NAME": "C",
            "GIT_COMMITTER_EMAIL": "c@d",
            "GIT_AUTHOR_DATE": when,
            "GIT_COMMITTER_DATE": f"{self.clock + 7_000_000} +0000",
        }
        ended = subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *words],
            cwd=cwd or self.path,
            input=stdin,
            capture_output=True,
            env=environment,
            timeout=WAIT_SECONDS_MAX,
        )
        if ended.returncode != 0:
            raise AssertionError(f"git {words}: {ended.stderr.decode()}")
        return ended.stdout

    def text(self, *words):
        return self.git(*words).decode().strip()

    def write(self, name, content):
        path = os.path.join(os.fsencode(self.path), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)

    def commit(self, message="", seconds=None, **files):
        for name, content in files.items():
            self.write(name, content)
        self.clock += 1000
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "--allow-empty-message", "-m", message, seconds=seconds)
        return self.text("rev-parse", "HEAD")

    def objects(self, names):
        """name -> (type, content)"""
        answer = self.git("cat-file", "--batch", stdin="".join(f"{name}\n" for name in names).encode())
        found = {}
        for _ in names:
            header, _, answer = answer.partition(b"\n")
            name, kind, size = header.decode().split()
            found[name] = (kind, answer[: int(size)])
            answer = answer[int(size) + 1 :]
        return found

    def reached(self):
        """By any ref. A line is a name and perhaps a path, which may be no UTF-8."""
        return [
            line.split(b" ")[0].decode() for line in self.git("rev-list", "--objects", "--all").splitlines()
        ]

    def expected(self, all_objects):
        """name -> (type, created_at in seconds, content), by the book."""
        commits = self.text("rev-list", "--reverse", "--topo-order", "--all").split()
        first, order = {}, list(commits)
        content = self.objects(commits)
        for commit in commits:
            seconds = seconds_in(content[commit][1], b"author ")
            first[commit] = seconds
            if not all_objects:
                continue
            names = [self.text("rev-parse", f"{commit}^{{tree}}")]
            for entry in self.git("ls-tree", "-r", "-t", "-z", "--full-tree", commit).split(b"\0")[:-1]:
                mode, kind, name = entry.split(b"\t")[0].decode().split()
                if kind != "commit":
                    names.append(name)
            for name in names:
                if name not in first:
                    first[name] = seconds
                    order.append(name)
        if all_objects:
            order += [name for name in self.reached() if name not in first]
        content = self.objects(order)
        return {name: (content[name][0], first.get(name), content[name][1]) for name in order}


def seconds_in(content, keyword):
    for line in content.split(b"\n\n")[0].split(b"\n"):
        if line.startswith(keyword):
            return int(line.rpartition(b"> ")[2].split()[0])
    return None


class ImportGit(unittest.TestCase):
    def import_and_compare(
        self, repository, all_objects=True, tags=None, path=None, options=(), refuses=None
    ):
        """`tags`: the expected time of each object that no commit brings. `refuses`: whether an object of
        this content must be rejected. Returns the report."""
        name = f"git {repository.path.name} {all_objects} {path} {options}"
        program = space(name)
        program.document("init", *options)
        words = ["import-git", *(["--objects", "all"] if all_objects else []), str(path or repository.path)]
        report = program.document(*words)
        seconds = report.pop("seconds")
        self.assertEqual(type(seconds), float)

        expected = repository.expected(all_objects)
        for name, (kind, created, content) in expected.items():
            if created is None:
                expected[name] = (kind, (tags or {})[name], content)
        rejected = {
            name
            for name, (kind, created, content) in expected.items()
            if created < 0 or refuses and refuses(content)
        }
        self.assertEqual({entry["object"] for entry in report["rejected"]}, rejected)
        self.assertEqual(
            {entry["object"]: entry["type"] for entry in report["rejected"]},
            {name: expected[name][0] for name in rejected},
        )
        held = {
            name: Op(created * 1_000_000, content)
            for name, (kind, created, content) in expected.items()
            if name not in rejected
        }
        ops = {op.text: op for op in held.values()}
        kinds = [kind for kind, _, _ in expected.values()]
        self.assertEqual(
            {**report, "rejected": []},
            {
                "commits": kinds.count("commit"),
                "trees": kinds.count("tree"),
                "blobs": kinds.count("blob"),
                "tags": kinds.count("tag"),
                "held": len(held),
                "stored": len(ops),
                "duplicates": len(held) - len(ops),
                "bytes": sum(op.size for op in ops.values()),
                "rejected": [],
            },
        )
        if all_objects:
            self.assertEqual(len(kinds), len(repository.reached()))

        ids = program.all_ids()
        self.assertEqual(sorted(ids), sorted(ops))
        stored = program.lines("get", "-", stdin="\n".join(ids).encode())
        self.assertEqual(
            {entry["op_id"]: (entry["created_at"], base64.b64decode(entry["payload"])) for entry in stored},
            {op.text: (op.created_at, op.payload) for op in ops.values()},
        )
        commits = [
            held[name].text for name, (kind, _, _) in expected.items() if kind == "commit" and name in held
        ]
        of_commits = set(commits)
        self.assertEqual([op_id for op_id in ids if op_id in of_commits], list(dict.fromkeys(commits)))

        again = program.document(*words)
        self.assertEqual((again["held"], again["stored"], again["duplicates"]), (len(held), 0, len(held)))
        self.assertEqual(program.document("verify")["damage_count"], 0)
        return report

    def grown(self, name, *options):
        """Merges, several roots, moved and strange files, a submodule's entry."""
        repository = Repository(name, *options)
        repository.commit("nothing yet")
        repository.commit("one", a=b"1\n", b=b"", **{"dir/sub/c": b"3\n", "dir/d": b"1\n"})
        repository.commit(
            "strange names",
            **{
                "a file with spaces ": b"s",
                "line\nbreak": b"n",
                'tab\tand"quote': b"q",
                "unicode-äöü-日本": b"u",
                os.fsdecode(b"bad-\xff-utf8"): b"8",
                "-dash": b"-",
                ":100644 100644": b":",
            },
        )
        repository.git("mv", "dir", "moved")
        repository.commit("moved only")
        repository.git("checkout", "-q", "-b", "side", "HEAD~1")
        repository.commit("side", e=b"5\n", a=b"from the side\n")
        repository.git("checkout", "-q", "-b", "third", "HEAD~1")
        repository.commit("third", f=b"6\n")
        os.symlink("e", repository.path / "link")
        os.chmod(repository.path / "f", 0o755)
        repository.commit("link and mode")
        repository.git("checkout", "-q", "main")
        repository.clock += 1000
        repository.git("merge", "-q", "--no-ff", "-m", "merge", "side")
        repository.clock += 1000
        repository.git("merge", "-q", "--no-ff", "-m", "octopus", "third", "side")
        repository.git("checkout", "-q", "side")
        repository.commit("more of the side", g=b"7\n")
        repository.git("checkout", "-q", "main")
        repository.git("merge", "-q", "--no-commit", "--no-ff", "side")
        repository.commit("a merge that adds what neither side has", evil=b"new in the merge\n")
        repository.git("checkout", "-q", "--orphan", "other-root")
        repository.git("rm", "-rfq", "--cached", ".")
        repository.git("clean", "-fdxq")
        repository.commit("another root", z=b"26\n", a=b"1\n")
        repository.git("checkout", "-q", "main")
        repository.clock += 1000
        repository.git(
            "merge", "-q", "--allow-unrelated-histories", "-X", "ours", "-m", "roots joined", "other-root"
        )
        head = repository.text("rev-parse", "HEAD")
        repository.git("update-index", "--add", "--cacheinfo", f"160000,{head[::-1]},submodule")
        repository.clock += 1000
        repository.git("commit", "-q", "-m", "a submodule")
        repository.git("rm", "-q", "--cached", "a", "submodule")
        repository.clock += 1000
        repository.git("commit", "-q", "-m", "deleted")
        repository.commit("again what was deleted", a=b"1\n")
        return repository

    def add_tags(self, repository):
        """Returns the time of each object that no commit brings."""
        head = repository.text("rev-parse", "HEAD")
        old = repository.text("rev-parse", "HEAD~3")
        of_head = seconds_in(repository.git("cat-file", "commit", head), b"author ")
        of_old = seconds_in(repository.git("cat-file", "commit", old), b"author ")
        repository.git("tag", "light", old)
        repository.git("tag", "-a", "-m", "annotated", "annotated", old)
        repository.git("tag", "-a", "-m", "of a tag", "nested", "annotated")
        repository.git("tag", "-a", "-m", "of a tag of a tag", "nested-more", "nested")
        repository.git("tag", "-a", "-m", "of a tree", "of-tree", f"{head}^{{tree}}")
        repository.git("tag", "-a", "-m", "of a blob in a commit", "of-blob", "HEAD:g")
        repository.clock += 5000
        loose = (
            repository.git("hash-object", "-w", "--stdin", stdin=b"only a tag reaches this").decode().strip()
        )
        repository.git("tag", "-a", "-m", "of a loose blob", "of-loose", loose)
        tagger = repository.clock + 7_000_000
        times = {loose: tagger}
        for tag, seconds in [
            ("annotated", of_old),
            ("nested", of_old),
            ("nested-more", of_old),
            ("of-tree", of_head),
            ("of-blob", None),
            ("of-loose", tagger),
        ]:
            times[repository.text("rev-parse", tag)] = seconds
        in_commits = repository.expected(True)
        times[repository.text("rev-parse", "of-blob")] = in_commits[repository.text("rev-parse", "HEAD:g")][1]
        return times

    def test_a_grown_repository(self):
        repository = self.grown("grown")
        self.import_and_compare(repository, all_objects=False)
        self.import_and_compare(repository)
        tags = self.add_tags(repository)
        self.import_and_compare(repository, tags=tags, options=("--max-op-bytes", "100000"))
        # From within, by a linked tree, packed, bare.
        self.import_and_compare(repository, tags=tags, path=repository.path / "moved")
        repository.git("worktree", "add", "-q", "--detach", "../linked", "HEAD~2")
        self.import_and_compare(repository, tags=tags, path=shared_home().path / "linked")
        repository.git("gc", "-q")
        repository.git("clone", "-q", "--mirror", str(repository.path), "../grown.git")
        self.import_and_compare(repository, tags=tags, path=shared_home().path / "grown.git")

    def test_a_sha256_repository(self):
        repository = self.grown("sha256", "--object-format=sha256")
        self.import_and_compare(repository, tags=self.add_tags(repository))

    def test_a_shallow_clone(self):
        origin = self.grown("origin")
        shallow = Repository("shallow-parent")
        shallow.git(
            "clone", "-q", "--depth", "2", "--no-single-branch", f"file://{origin.path}", "../shallow"
        )
        shallow.path = shared_home().path / "shallow"
        self.assertLess(
            len(shallow.text("rev-list", "--all").split()), len(origin.text("rev-list", "--all").split())
        )
        self.import_and_compare(shallow)
        self.import_and_compare(shallow, all_objects=False)

    def test_what_is_rejected(self):
        repository = Repository("rejected")
        self.commit_before_1970(repository)
        repository.commit("new", big=bytes(range(256)) * 8, small=b"small\n")
        report = self.import_and_compare(
            repository, options=("--max-op-bytes", "1000"), refuses=lambda content: len(content) + 8 > 1000
        )
        kinds = sorted(entry["type"] for entry in report["rejected"])
        self.assertEqual(kinds, ["blob", "blob", "commit", "tree"])
        self.assertTrue(any("too_large" in entry["reason"] for entry in report["rejected"]))
        self.assertTrue(any("before_epoch" in entry["reason"] for entry in report["rejected"]))
        strict = space("git rejected, strict").run("import-git", "--strict", str(repository.path))
        self.assertEqual(strict.returncode, 1)

    def commit_before_1970(self, repository):
        """git's own commands do not write such a date."""
        repository.write("old", b"old\n")
        repository.git("add", "-A")
        tree = repository.text("write-tree")
        commit = f"tree {tree}\nauthor A <a@b> -86400 +0000\ncommitter A <a@b> 100 +0000\n\nbefore 1970\n"
        name = repository.git(
            "hash-object", "-t", "commit", "-w", "--stdin", "--literally", stdin=commit.encode()
        )
        repository.git("update-ref", "refs/heads/main", name.decode().strip())

    def test_odd_author_lines(self):
        repository = Repository("odd authors")
        tree = repository.text("write-tree")
        for number, author in enumerate(
            [
                "A > B <a@b> 5 +0000",
                "<> 6 +0000",
                "A <a@b> 0 +0000",
                "A <a@b> 9223372036854 -1200",
                "A author <author 7 +0000> 8 +0000",
            ]
        ):
            commit = (
                f"tree {tree}\nauthor {author}\ncommitter A <a@b> {number} +0000\n\nauthor Z <z@z> 1 +0000\n"
            )
            name = repository.git(
                "hash-object", "-t", "commit", "-w", "--stdin", "--literally", stdin=commit.encode()
            )
            repository.git("update-ref", f"refs/heads/b{number}", name.decode().strip())
        report = self.import_and_compare(repository)
        self.assertEqual((report["commits"], report["trees"]), (5, 1))

        for number, author in enumerate(["A <a@b>", "A <a@b> x", "A <a@b> 99999999999999999999 +0000"]):
            commit = f"tree {tree}\nauthor {author}\ncommitter A <a@b> {number} +0000\n\n"
            name = repository.git(
                "hash-object", "-t", "commit", "-w", "--stdin", "--literally", stdin=commit.encode()
            )
            repository.git("update-ref", f"refs/heads/c{number}", name.decode().strip())
        report = space("git odd authors").document("import-git", str(repository.path))
        self.assertEqual((report["commits"], report["held"], len(report["rejected"])), (8, 5, 3))

    def test_nothing(self):
        for name, options in (("empty", ()), ("empty.git", ("--bare",))):
            repository = Repository(name, *options)
            for words in ((), ("--objects", "all")):
                report = space("git nothing").document("import-git", *words, str(repository.path))
                del report["seconds"]
                self.assertEqual(report, EMPTY_REPORT)

    def test_only_a_tag(self):
        repository = Repository("only a tag")
        blob = repository.git("hash-object", "-w", "--stdin", stdin=b"alone").decode().strip()
        repository.git("tag", "-a", "-m", "of a blob", "tag", blob)
        tagger = repository.clock + 7_000_000
        self.import_and_compare(repository, tags={blob: tagger, repository.text("rev-parse", "tag"): tagger})
        # Nothing says when this was made.
        light = repository.git("hash-object", "-w", "--stdin", stdin=b"light").decode().strip()
        repository.git("tag", "light", light)
        self.import_and_compare(
            repository,
            options=("--max-op-bytes", "5000"),
            tags={blob: tagger, repository.text("rev-parse", "tag"): tagger, light: 0},
        )

    def test_no_repository(self):
        nothing = shared_home().path / "no repository"
        nothing.mkdir()
        (shared_home().path / "a file").write_text("")
        for path in ("no repository", "a file", "not there"):
            ended = space("git nothing").run("import-git", str(shared_home().path / path))
            self.assertEqual((ended.returncode, ended.stdout), (1, b""))
            self.assertIn(b"git", ended.stderr)
        signed = Program(shared_home(), "--space", "git signed")
        signed.document("init", "--format", "signed")
        self.assertEqual(signed.run("import-git", str(nothing)).returncode, 2)

    def test_a_damaged_repository(self):
        repository = Repository("damaged")
        repository.commit("one", a=b"1", b=b"2")
        blob = repository.text("rev-parse", "HEAD:a")
        os.unlink(repository.path / ".git" / "objects" / blob[:2] / blob[2:])
        ended = space("git damaged").run("import-git", "--objects", "all", str(repository.path))
        self.assertIn(ended.returncode, (0, 1))
        self.assertIn(blob.encode(), ended.stdout + ended.stderr)

    def test_the_environment_points_elsewhere(self):
        repository = Repository("here")
        repository.commit("one", a=b"1")
        elsewhere = Repository("elsewhere")
        ended = space("git here").run(
            "import-git", str(repository.path), environment={"GIT_DIR": str(elsewhere.path / ".git")}
        )
        self.assertIn(b'"commits":1,', ended.stdout)

    def test_text(self):
        repository = Repository("as text")
        self.commit_before_1970(repository)
        ended = space("git as text").run("import-git", str(repository.path), as_json=False)
        self.assertEqual(ended.returncode, 0)
        self.assertIn(b"1 commits", ended.stdout)
        self.assertIn(b"before_epoch", ended.stdout)
