"""Goal: with PostgreSQL under every peer a simulation converges, and takes the very course that it takes in
memory. Method: the same seeds on both, and the hashes compared; on the build's test server."""

import json
import unittest

from opstore_sim_test import run

OPTIONS = ["--peers", 4, "--ops", 150, "--op-bytes", 512, "--fault-phase", "5m"]


class Postgres(unittest.TestCase):
    def test_same_course_as_in_memory(self):
        for seed in [1, 2]:
            documents = [
                json.loads(run(seed, *OPTIONS, "--json", "--store", store).stdout) for store in ["memory", "postgres"]
            ]
            for document in documents:
                document["options"].pop("store")
                self.assertIs(document["converged"], True)
            self.assertEqual(documents[0], documents[1])


if __name__ == "__main__":
    unittest.main()
