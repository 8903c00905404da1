"""What the tests of the model repository stand on: a small model, a server, a repository for each test."""
import hashlib
import json
import os
import re
import shutil
import struct
import zlib

import harness
import scene
from fake_hub import FakeHub

CARD = ("task: detection\nlicence: Apache-2.0\n"
        "input: { layout: nchw, width: 128, height: 128, color: rgb, resize: stretch }\n"
        "output: { decoder: yolox, strides: [16], nms_iou: 0.45 }\nlabels: [red, blue]\n")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def png(rgb, size):
    """A square picture as a PNG file."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + rgb[3 * size * row:3 * size * (row + 1)] for row in range(size))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class RepositoryCase(harness.EndToEndTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hub = FakeHub()
        cls.model = scene.write_model(cls.folder / "scene", weights_mb=1)
        cls.xml, cls.bin = (cls.model / "scene.xml").read_bytes(), (cls.model / "scene.bin").read_bytes()
        cls.card = cls.folder / "card.yaml"
        cls.card.write_text(CARD)
        cls.picture = cls.folder / "squares.png"
        squares = [("red", 2, 3), ("blue", 5, 5)]
        cls.picture.write_bytes(png(scene.paint(squares, 128), 128))

    @classmethod
    def tearDownClass(cls):
        cls.hub.close()
        super().tearDownClass()

    def setUp(self):
        self.repository = self.folder / re.sub(r"\W", "_", self.id().split(".")[-1])
        self.environment = {**os.environ, **self.hub.environment(), "DEEPEDGE_REPOSITORY": str(self.repository)}
        self.hub.files.clear()
        self.hub.faults.clear()
        self.hub.requests.clear()

    def run_model(self, *arguments, **options):
        return harness.run("model", *arguments, **{"env": self.environment, **options})

    def good(self, *arguments, **options):
        outcome = self.run_model(*arguments, "--json", **options)
        self.assertEqual(outcome.code, 0, outcome.err)
        return json.loads(outcome.out)

    def refused(self, *arguments, code=2, words=(), **options):
        outcome = self.run_model(*arguments, **options)
        self.assertEqual(outcome.code, code, outcome.err + outcome.out)
        for word in words:
            self.assertIn(word, outcome.err)
        self.assert_nothing_left_over()
        return outcome.err

    def assert_nothing_left_over(self):
        staging = self.repository / ".staging"
        self.assertEqual(list(staging.iterdir()) if staging.exists() else [], [])

    def names(self):
        return {model["name"]: model["version"] for model in self.good("list")["models"]}

    def variant(self, number):
        """A model that does the same and is another file."""
        folder = self.folder / f"variant{number}"
        if not folder.exists():
            shutil.copytree(self.model, folder)
            (folder / "scene.xml").write_bytes(self.xml.replace(b'name="scene"', f'name="scene{number}"'.encode(), 1))
        return folder

    def put_model(self, path="o/r/main/nets/scene"):
        self.hub.put(path + ".bin", self.bin)
        return self.hub.put(path + ".xml", self.xml)
