# SPDX-License-Identifier: Apache-2.0
"""What scripts/benchmark has measured so far, in a file that each piece of the run completes."""
import json
import subprocess
import time


def commit_of(root):
    """The commit of a checkout, as git describes it."""
    described = subprocess.run(["git", "describe", "--always", "--dirty", "--abbrev=12"], cwd=root,
                               capture_output=True, text=True)
    return described.stdout.strip() or "unknown"


class Results:
    """A dictionary of the report's data. `head` (hardware, commit, command) names the run; an earlier one
    is gone on with only if its head is the same."""

    def __init__(self, file, resume, head):
        self.file = file
        self.data = {**head, "seconds": 0, "pieces": [], "peaks": [], "skipped": [], "exact": {}, "rows": []}
        if not (resume and file.exists()):
            return
        earlier = json.loads(file.read_text())
        for key, value in head.items():
            if earlier[key] != value:
                raise SystemExit(f"benchmark: {file} holds a run of another {key} ({earlier[key]}), "
                                 f"which {value} cannot resume")
        self.data = earlier

    def __getitem__(self, key):
        return self.data[key]

    def measure(self, piece, add):
        """Calls `add`, which adds to the data, unless the piece is there already; then writes the file."""
        if piece in self.data["pieces"]:
            return
        print(f"benchmark: {piece}", flush=True)
        started = time.monotonic()
        add()
        self.data["pieces"].append(piece)
        self.data["seconds"] += round(time.monotonic() - started)
        self.file.parent.mkdir(parents=True, exist_ok=True)
        part = self.file.with_suffix(".part")
        part.write_text(json.dumps(self.data, indent=1) + "\n")
        part.replace(self.file)

    def skip(self, what):
        if what not in self.data["skipped"]:
            self.data["skipped"].append(what)
