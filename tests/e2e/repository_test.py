"""The model repository as a user meets it: adding from everywhere, a server that misbehaves, archives that attack, and
being killed, disturbed or out of disk at any moment."""
import base64
import hashlib
import io
import json
import os
import random
import re
import resource
import shutil
import struct
import subprocess
import tarfile
import time
import zipfile
import zlib
from pathlib import Path

import harness
import scene
from fake_hub import (FakeHub, always, cut_after, endless, gzipped, piece, redirect_to, says_length, slow, status)

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


def onnx_with_weights_elsewhere(where):
    """y = x + w with w in a file of its own: the message, written by hand."""
    def number(value):
        out = b""
        while value > 127:
            out, value = out + bytes([value & 127 | 128]), value >> 7
        return out + bytes([value])

    def field(key, value):
        if isinstance(value, int):
            return number(key << 3) + number(value)
        value = value.encode() if isinstance(value, str) else value
        return number(key << 3 | 2) + number(len(value)) + value

    def float_value(name):
        dims = field(1, field(1, 1)) + field(1, field(1, 4))
        return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))

    weights = (field(1, 1) + field(1, 4) + field(2, 1) + field(8, "w") +
               field(13, field(1, "location") + field(2, where)) + field(14, 1))
    node = field(1, "x") + field(1, "w") + field(2, "y") + field(4, "Add")
    graph = field(1, node) + field(2, "g") + field(5, weights) + field(11, float_value("x")) + field(12, float_value("y"))
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


class RepositoryTest(harness.EndToEndTest):
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

    # What works

    def test_adds_lists_shows_runs_and_removes(self):
        added = self.good("add", self.model, "--name", "squares")
        self.assertEqual((added["name"], added["version"], added["described_by"]), ("squares", 1, "model.yaml"))
        self.assertEqual(added["card"]["labels"], ["red", "blue"])
        shown = self.good("show", "squares")
        self.assertEqual({file["name"]: file["sha256"] for file in shown["files"]},
                         {"scene.xml": sha256(self.xml), "scene.bin": sha256(self.bin)})
        seen = self.good("run", "squares", self.picture)
        self.assertEqual(sorted(item["label"] for item in seen["objects"]), ["blue", "red"])
        second = self.good("add", self.variant(2), "--name", "squares")
        self.assertEqual((second["version"], second["before"]), (2, 1))
        self.assertEqual(self.names(), {"squares": 2})
        self.good("run", "squares@1", self.picture)
        self.assertEqual(self.good("rollback", "squares")["version"], 1)
        self.assertEqual(self.good("show", "squares")["files"][1]["sha256"], sha256(self.xml))
        self.good("run", "squares", self.picture)
        self.refused("remove", "squares@1", words=["version 1", "serves"])
        self.good("remove", "squares@2")
        self.good("remove", "squares")
        self.assertEqual(self.names(), {})
        self.refused("show", "squares", words=["squares"])

    def test_every_verb_speaks_to_people_too(self):
        self.run_model("add", self.model, "--name", "squares")
        for arguments, word in [(("list",), "squares"), (("show", "squares"), "labels: 2 (red, blue)"),
                                (("search", "yolox"), "yolox_nano"), (("update",), "up to date"),
                                (("remove", "squares"), "removed")]:
            outcome = self.run_model(*arguments)
            self.assertEqual(outcome.code, 0, outcome.err)
            self.assertIn(word, outcome.out)
            self.assertEqual(outcome.err, "")

    def test_probes_on_a_picture(self):
        added = self.good("add", self.model, "--name", "probed", "--probe", self.picture)
        self.assertEqual(len(added["probe"]["objects"]), 2)
        self.refused("add", self.model, "--name", "other", "--probe", self.card, words=["card.yaml"])
        self.assertEqual(self.names(), {"probed": 1})

    def test_follows_github_to_its_storage(self):
        self.put_model("o/r/v1.0/nets/scene")
        for source in "o/r@v1.0:nets/scene.xml", "https://github.com/o/r/blob/v1.0/nets/scene.xml":
            self.good("add", source, "--card", self.card, "--name", "s")
        self.assertEqual(self.names(), {"s": 1})
        self.assertEqual(self.good("show", "s")["files"][0]["sha256"], sha256(self.bin))
        self.good("run", "s", self.picture)

    def test_release_assets_and_large_files(self):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as out:
            for name in "scene.xml", "scene.bin", "model.yaml":
                out.write(self.model / name, f"scene-1.0/{name}")
        self.hub.put("o/r/releases/download/v1/squares.zip", archive.getvalue(), kind="hub")
        self.assertEqual(self.good("add", "o/r@v1:release/squares.zip", "--name", "from_release")["version"], 1)
        # In Git LFS the raw file is a pointer.
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256(self.bin)}\nsize {len(self.bin)}\n"
        self.hub.put("o/r/main/scene.xml", self.xml)
        self.hub.put("o/r/main/scene.bin", pointer.encode())
        self.refused("add", "o/r@main:scene.xml", "--card", self.card, words=["/hub/o/r/raw/main/scene.bin", "404"])
        self.hub.put("o/r/raw/main/scene.bin", self.bin, kind="hub")
        self.good("add", "o/r@main:scene.xml", "--card", self.card, "--name", "large")
        self.good("run", "large", self.picture)

    def test_archives_of_every_kind(self):
        for ending, mode in {"tar": "w", "tar.gz": "w:gz", "tar.xz": "w:xz", "tar.bz2": "w:bz2"}.items():
            path = self.folder / f"a.{ending}"
            with tarfile.open(path, mode) as out:
                out.add(self.model, "deep/squares")
            self.assertEqual(self.good("add", path, "--name", "a_" + mode.replace(":", ""))["card"]["labels"], ["red", "blue"])

    def test_labels_in_latin_1_are_read(self):
        folder = self.folder / "cafe"
        folder.mkdir()
        for name in "scene.xml", "scene.bin":
            shutil.copy(self.model / name, folder)
        (folder / "model.yaml").write_text(CARD.replace("labels: [red, blue]", "labels_file: labels.txt"))
        (folder / "labels.txt").write_bytes("caf\u00e9\nbleu\n".encode("latin-1"))
        self.good("add", folder, "--name", "cafe")
        self.assertEqual(self.good("show", "cafe")["card"]["labels"], ["caf\u00e9", "bleu"])
        self.good("run", "cafe", self.picture)

    def test_several_sources_make_one_model(self):
        url = self.hub.put_plain("x/scene.xml", self.xml)
        other = self.hub.put_plain("y/scene.bin", self.bin)
        self.good("add", url, other, "--card", self.card, "--name", "two")
        self.good("run", "two", self.picture)

    def test_weights_in_files_of_their_own_come_along(self):
        folder = self.folder / "elsewhere"
        (folder / "data").mkdir(parents=True)
        net, weights = onnx_with_weights_elsewhere("data/w.bin"), struct.pack("<4f", 1, 2, 3, 4)
        (folder / "net4.onnx").write_bytes(net)
        (folder / "data" / "w.bin").write_bytes(weights)
        self.hub.put("o/r/main/net4.onnx", net)
        self.hub.put("o/r/main/data/w.bin", weights)
        for source, name in (folder / "net4.onnx", "local"), ("o/r@main:net4.onnx", "remote"):
            added = self.good("add", source, "--name", name)
            self.assertEqual([file["name"] for file in self.good("show", name)["files"]], ["data/w.bin", "net4.onnx"])
            self.assertEqual(added["card"]["output"]["decoder"], "raw")
        del self.hub.files["/storage/raw/o/r/main/data/w.bin"]
        self.refused("add", "o/r@main:net4.onnx", "--name", "none", words=["w.bin"])

    def test_shows_progress_on_a_terminal_only(self):
        if shutil.which("script") is None:
            self.skipTest("no script(1) to make a terminal with")
        self.put_model()
        self.hub.faults["/storage/raw/o/r/main/nets/scene.bin"] = [slow(2_000_000, seconds=1)]
        command = f"{harness.deepedge()} model add o/r@main:nets/scene.xml --card {self.card}"
        seen = subprocess.run(["script", "-qec", command, "/dev/null"], env=self.environment, capture_output=True, text=True)
        self.assertEqual(seen.returncode, 0, seen.stdout)
        self.assertRegex(seen.stdout, r"scene.bin  \[#+\.*\] +\d+ %  .* of 1.0 MB")
        self.assertEqual(self.run_model("add", "o/r@main:nets/scene.xml", "--card", self.card, "--name", "q").err, "")

    def test_a_name_nobody_chose_replaces_nothing(self):
        self.put_model("o/r/main/scene")
        self.put_model("p/r/main/scene")
        self.hub.put("p/r/main/scene.xml", self.variant(3).joinpath("scene.xml").read_bytes())
        self.good("add", "o/r@main:scene.xml", "--card", self.card)
        self.refused("add", "p/r@main:scene.xml", "--card", self.card, words=["from o/r@main:scene.xml", "--name scene"])
        self.assertEqual(self.names(), {"scene": 1})

    def test_updates_from_where_it_came(self):
        self.put_model()
        self.good("add", "o/r@main:nets/scene.xml", "--card", self.card)
        self.assertEqual(self.good("update")["models"][0]["result"], "up to date")
        card = self.repository / "scene" / "model.yaml"
        card.write_text(card.read_text() + "threshold: 0.25\n")
        self.hub.put("o/r/main/nets/scene.xml", self.variant(2).joinpath("scene.xml").read_bytes())
        self.assertEqual(self.good("update", "scene")["models"][0], {"name": "scene", "result": "updated", "version": 2})
        # What the user had set goes on, and the model still runs with it.
        self.assertEqual(self.good("show", "scene")["card"]["threshold"], 0.25)
        self.good("run", "scene", self.picture)
        self.hub.files.clear()
        self.refused("update", code=2, words=["update model 'scene'", "404"])
        self.assertEqual(self.names(), {"scene": 2})

    def test_a_configuration_downloads_on_first_use(self):
        if not scene.have_ffmpeg():
            self.skipTest("no ffmpeg to make a video with")
        with tarfile.open(self.folder / "net.tar.gz", "w:gz") as out:
            out.add(self.model, "squares")
        data = (self.folder / "net.tar.gz").read_bytes()
        url = self.hub.put_plain("net.tar.gz", data)
        scene.write_video(self.folder / "v.mp4", frames=5)
        config = self.folder / "edge.yaml"
        for wrong in False, True:
            digest = sha256(b"other" if wrong else data)
            config.write_text(f"models: {{ m: {{ source: '{url}', sha256: '{digest}' }} }}\n"
                              "streams: { s: { source: v.mp4, tasks: [ { model: m } ] } }\n")
            self.assertEqual(harness.run("check", config, env=self.environment).code, 0)
            for _ in range(2):
                outcome = harness.run("run", config, "--pace", "fast", "--every-frame", "--json", env=self.environment)
                self.assertEqual(outcome.code, 2 if wrong else 0, outcome.err)
        self.assertIn(digest, outcome.err)
        self.assertEqual(self.names(), {"m": 1})
        # The second run did not ask again.
        self.assertEqual(len([path for path, _ in self.hub.requests if path == "/net.tar.gz"]), 1 + 2)

    # Catalogues

    def catalogue(self, url="nets/scene", **changes):
        files = [{"name": f"scene.{e}", "sha256": sha256(d), "size": len(d), "urls": [f"{url}.{e}"]}
                 for e, d in (("xml", self.xml), ("bin", self.bin))]
        files[0].update(changes)
        card = {"input": {"width": 128, "height": 128}, "output": {"decoder": "yolox", "strides": [16]}, "labels": ["red", "blue"]}
        return json.dumps({"models": {"squares": {"licence": "MIT", "description": "red and blue squares",
                                                  "files": files, "card": card}}})

    def test_pulls_from_a_catalogue_on_a_stick(self):
        stick = self.folder / "stick"
        shutil.copytree(self.model, stick / "nets", dirs_exist_ok=True)
        (stick / "c.yaml").write_text(self.catalogue())
        pulled = self.good("pull", "squares", "--catalogue", stick / "c.yaml")
        self.assertEqual(pulled["described_by"], "catalogue")
        self.good("run", "squares", self.picture)
        self.assertEqual(self.good("search", "BLUE", "--catalogue", stick / "c.yaml")["models"][0]["here"], True)
        self.assertEqual(self.good("update")["models"][0]["result"], "up to date")
        (stick / "c.yaml").write_text(self.catalogue(sha256="0" * 64))
        self.refused("pull", "squares", "--catalogue", stick / "c.yaml", "--name", "n", words=["scene.xml", "0" * 64])
        (stick / "c.yaml").write_text(self.catalogue(size=5))
        (stick / "c.yaml").write_text(self.catalogue(urls=["../scene/scene.xml"]))
        self.refused("pull", "squares", "--catalogue", stick / "c.yaml", "--name", "n", words=["below the catalogue's folder"])
        self.refused("pull", "nothing", words=["nothing", "built-in"])
        self.assertEqual(self.names(), {"squares": 1})

    def test_mirrors_are_tried_in_turn(self):
        self.put_model()
        dead = "http://127.0.0.1:1/scene.xml"
        (self.folder / "m.yaml").write_text(self.catalogue(
            "o/r@main:nets/scene", urls=[dead, f"{self.hub.url}/gone.xml", "o/r@main:nets/scene.xml"]))
        self.good("pull", "squares", "--catalogue", self.folder / "m.yaml")
        (self.folder / "m.yaml").write_text(self.catalogue("o/r@main:nets/scene", size=7))
        self.refused("pull", "squares", "--catalogue", self.folder / "m.yaml", "--name", "n", words=["7 were expected"])

    def test_signed_catalogues(self):
        if shutil.which("openssl") is None:
            self.skipTest("no openssl to sign with")
        key = self.folder / "key.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True, capture_output=True)
        public = subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"], check=True,
                                capture_output=True).stdout[-32:]
        number = b"\x01\x02\x03\x04\x05\x06\x07\x08"
        (self.folder / "key.pub").write_text("untrusted comment: minisign public key\n" +
                                             base64.b64encode(b"Ed" + number + public).decode() + "\n")

        def sign(message):
            path = self.folder / "message"
            path.write_bytes(message)
            return subprocess.run(["openssl", "pkeyutl", "-sign", "-inkey", key, "-rawin", "-in", path], check=True,
                                  capture_output=True).stdout

        def signature(text, hashed=True):
            own = sign(hashlib.blake2b(text).digest() if hashed else text)
            comment = "timestamp:1"
            return (f"untrusted comment: x\n{base64.b64encode((b'ED' if hashed else b'Ed') + number + own).decode()}\n"
                    f"trusted comment: {comment}\n{base64.b64encode(sign(own + comment.encode())).decode()}\n").encode()

        text = self.catalogue().encode()
        for name, data in (("scene.xml", self.xml), ("scene.bin", self.bin)):
            self.hub.put_plain("c/nets/" + name, data)
        where = self.hub.put_plain("c/c.yaml", text)
        options = "--catalogue", where, "--key", self.folder / "key.pub"
        self.refused("pull", "squares", *options, words=["c.yaml.minisig", "404"])
        for hashed in True, False:
            self.hub.put_plain("c/c.yaml.minisig", signature(text, hashed))
            self.good("pull", "squares", *options)
        environment = {**self.environment, "DEEPEDGE_CATALOGUE": where,
                       "DEEPEDGE_CATALOGUE_KEY": base64.b64encode(b"Ed" + number + public).decode()}
        self.assertEqual(len(self.good("search", "squares", env=environment)["models"]), 1)
        self.hub.put_plain("c/c.yaml", text.replace(b"MIT", b"GPL"))
        self.refused("pull", "squares", *options, "--name", "n", words=["changed after it was signed"])
        self.assertEqual(self.names(), {"squares": 1})

    def test_pulls_the_real_catalogue(self):
        models = harness.testdata() and harness.testdata() / "models"
        if models is None or not models.is_dir():
            self.skipTest("no real models here")
        by_hash = {sha256(path.read_bytes()): path for path in models.rglob("*")
                   if path.is_file() and path.stat().st_size < 50_000_000}
        text = (harness.REPOSITORY / "catalogue" / "download" / "models.yaml").read_text()
        entries, name = {}, None
        for line in text.splitlines():
            if re.match(r"  \S+:$", line):
                name = line.strip(" :")
            if line.startswith("        sha256: "):
                digest = line.split()[-1]
            if line.startswith("        urls: "):
                owner_repo, ref, path = re.search(r'"([^@]+)@([^:]+):(.+)"', line).groups()
                entries.setdefault(name, []).append(f"{owner_repo}/{ref}/{path}")
                self.hub.put(entries[name][-1], by_hash[digest].read_bytes())
        self.assertGreaterEqual(len(entries), 30)
        pulled, unread = [], []
        for name in entries:
            outcome = self.run_model("pull", name, "--json")
            if outcome.code == 0:
                pulled.append(name)
                self.assertEqual(json.loads(outcome.out)["name"], name)
            else:
                # What cannot be read yet is said so, by the model's name, and leaves nothing.
                self.assertEqual(outcome.code, 2, outcome.err)
                self.assertIn(f"model '{name}'", outcome.err)
                self.assertNotIn(str(self.repository), outcome.err)
                unread.append(name)
        print(f"pulled {len(pulled)}: {' '.join(pulled)}; without a reader {len(unread)}: {' '.join(unread)}")
        self.assertGreaterEqual(len(pulled), 20)
        self.assertEqual(set(self.names()), set(pulled))
        self.assert_nothing_left_over()
        self.assertEqual(list((self.repository / ".downloads").glob("*.part")), [])
        picture = models / "onnx" / "hyperlpr_plate_det" / "test_img.jpg"
        self.assertIn("car", [item["label"] for item in self.good("run", "yolox_nano", picture)["objects"]])

    # A server that misbehaves

    def test_refuses_what_a_server_should_not_do(self):
        path = self.hub.put_plain("net.onnx", self.bin)
        secret = self.hub.url.replace("//", "//user:geheim@") + "/net.onnx"
        cases = {
            "404": (status(404), 2, ["/net.onnx", "404"]),
            "forbidden": (status(403), 1, ["403", "not allowed"]),
            "rate": (status(403, X_RateLimit_Remaining="0", Retry_After="60"), 1, ["too many requests", "60 s"]),
            "429": (status(429), 1, ["too many requests"]),
            "500": (status(500), 1, ["500"]),
            "file": (redirect_to("file:///etc/passwd"), 2, ["file:///etc/passwd", "refused"]),
            "ftp": (redirect_to("ftp://127.0.0.1/x"), 2, ["ftp://", "refused"]),
            "http": (redirect_to("http://example.org/x"), 2, ["http://example.org/x", "refused"]),
            "loop": (redirect_to(path), 2, ["redirects"]),
            "nowhere": (status(302), 1, ["302"]),
            "endless": (endless(), 2, ["--max-size"]),
            "large": (says_length(3_000_000), 2, ["3000000 bytes", "--max-size"]),
            "gzip": (gzipped(True), 1, ["gzip"]),
            "stalls": (slow(10, seconds=20), 1, ["no progress"]),
        }
        for name, (fault, code, words) in cases.items():
            with self.subTest(name):
                self.hub.faults["/net.onnx"] = [always(fault)]
                start = time.monotonic()
                err = self.refused("add", secret, "--max-size", "2", "--timeout", "1", code=code, words=words)
                self.assertLess(time.monotonic() - start, 30)
                self.assertNotIn("geheim", err)
                self.assertEqual(self.names(), {})

    def test_wrong_hash_and_wrong_length(self):
        self.put_model()
        err = self.refused("add", "o/r@main:nets/scene.xml", "--sha256", "0" * 64, words=["0" * 64, sha256(self.xml)])
        self.assertIn("scene.xml", err)
        self.refused("add", self.model / "scene.xml", "--sha256", "0" * 64, words=["0" * 64])
        self.refused("add", self.model / "scene.xml", "--sha256", "xyz", words=["--sha256"])
        # Fewer bytes than there are: the hash tells.
        self.hub.faults["/storage/raw/o/r/main/nets/scene.xml"] = [always(says_length(100))]
        self.refused("add", "o/r@main:nets/scene.xml", "--sha256", sha256(self.xml), words=["sha256"])
        self.assertEqual(self.names(), {})
        self.hub.faults.clear()
        self.good("add", "o/r@main:nets/scene.xml", "--sha256", sha256(self.xml), "--card", self.card)

    def test_tries_again_and_resumes(self):
        self.put_model()
        storage = "/storage/raw/o/r/main/nets/scene.bin"
        self.hub.faults[storage] = [status(500), cut_after(100_000), status(503), cut_after(200_000)]
        self.hub.faults["/raw/o/r/main/nets/scene.xml"] = [status(502)]
        self.good("add", "o/r@main:nets/scene.xml", "--card", self.card)
        ranges = [headers.get("Range") for headers in self.hub.asked(storage)]
        self.assertEqual(ranges, [None, None, "bytes=100000-", "bytes=100000-", "bytes=300000-"])
        self.assertTrue(self.hub.asked(storage)[-1]["If-Range"].startswith('"'))
        self.good("run", "scene", self.picture)

    def test_a_piece_is_not_the_whole(self):
        self.put_model()
        storage = "/storage/raw/o/r/main/nets/scene.bin"
        self.hub.faults[storage] = [cut_after(100_000), piece(100)]
        self.good("add", "o/r@main:nets/scene.xml", "--card", self.card)
        self.assertEqual([headers.get("Range") for headers in self.hub.asked(storage)],
                         [None, "bytes=100000-", "bytes=100100-"])
        self.assertEqual(self.good("show", "scene")["files"][0]["sha256"], sha256(self.bin))
        self.hub.faults[storage] = [cut_after(100_000), always(piece(0))]
        self.refused("add", "o/r@main:nets/scene.xml", "--card", self.card, "--name", "n", code=1,
                     words=["scene.bin", "stops after 100000"])

    def test_a_file_that_shrank_is_read_from_its_start(self):
        self.put_model()
        storage = "/storage/raw/o/r/main/nets/scene.bin"
        self.hub.faults[storage] = [cut_after(100_000), piece(0, total=5)]
        self.good("add", "o/r@main:nets/scene.xml", "--card", self.card)
        self.assertEqual([headers.get("Range") for headers in self.hub.asked(storage)], [None, "bytes=100000-", None])

    def test_the_next_run_goes_on(self):
        self.put_model()
        storage = "/storage/raw/o/r/main/nets/scene.bin"
        self.hub.faults[storage] = [cut_after(150_000), always(cut_after(0))]
        self.refused("add", "o/r@main:nets/scene.xml", "--card", self.card, code=1, words=["scene.bin"])
        self.assertEqual(self.names(), {})
        self.hub.faults.clear()
        self.hub.requests.clear()
        self.good("add", "o/r@main:nets/scene.xml", "--card", self.card)
        self.assertEqual(self.hub.asked(storage)[0]["Range"], "bytes=150000-")
        self.good("run", "scene", self.picture)

    def test_a_changed_file_is_read_from_its_start(self):
        self.put_model()
        storage = "/storage/raw/o/r/main/nets/scene.bin"
        right, wrong = self.bin, bytes(reversed(self.bin))
        self.hub.files[storage] = wrong
        self.hub.faults[storage] = [cut_after(150_000), always(cut_after(0))]
        self.refused("add", "o/r@main:nets/scene.xml", "--card", self.card, code=1)
        self.hub.faults.clear()
        self.hub.files[storage] = right
        self.good("add", "o/r@main:nets/scene.xml", "--card", self.card)
        self.assertEqual(self.good("show", "scene")["files"][0]["sha256"], sha256(right))

    def test_encoding_is_not_asked_for(self):
        self.put_model()
        self.hub.faults["/storage/raw/o/r/main/nets/scene.xml"] = [always(gzipped(False))]
        self.good("add", "o/r@main:nets/scene.xml", "--card", self.card)
        self.assertEqual(self.good("show", "scene")["files"][1]["sha256"], sha256(self.xml))

    # Archives that attack

    def test_archives_that_attack(self):
        def tar(*members):
            data = io.BytesIO()
            with tarfile.open(fileobj=data, mode="w:gz") as out:
                for name, kind, link in members:
                    member = tarfile.TarInfo(name)
                    member.type, member.linkname = kind, link
                    content = b"x" * 100 if kind == tarfile.REGTYPE else b""
                    member.size = len(content)
                    out.addfile(member, io.BytesIO(content))
            return data.getvalue()

        def bomb():
            data = io.BytesIO()
            with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as out:
                out.writestr("net.onnx", bytes(100 << 20))
            return data.getvalue()

        file, link, hard, device = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE
        cases = {
            "absolute": (tar(("/tmp/deepedge_evil", file, "")), "absolute"),
            "up": (tar(("../../evil", file, "")), "'..'"),
            "link": (tar(("a", link, "/etc"), ("a/evil", file, "")), "symbolic link"),
            "hard link": (tar(("a", file, ""), ("b", hard, "a")), "link"),
            "device": (tar(("d", device, "")), "device"),
            "twice": (tar(("a", file, ""), ("a", file, "")), "twice"),
            "many": (tar(*((f"f{i}", file, "") for i in range(10_001))), "more than 10000 files"),
            "bomb": (bomb(), "200 times"),
            "cut off": (tar(("a", file, ""))[:50], "broken archive"),
            "no model": (tar(("a", file, "")), "holds no model"),
        }
        for name, (data, word) in cases.items():
            with self.subTest(name):
                url = self.hub.put_plain("evil.tar.gz", data)
                err = self.refused("add", url, words=[word, "evil.tar.gz"])
                self.assertNotIn(str(self.repository), err)
                path = self.folder / "evil.bin"
                path.write_bytes(data)
                self.refused("add", path, words=[word, "evil.bin"])
        self.assertFalse(Path("/tmp/deepedge_evil").exists())
        self.assertEqual(list(self.folder.rglob("evil")), [])
        self.assertEqual(self.names(), {})

    # Being killed, and worse

    def test_killed_while_downloading(self):
        self.good("add", self.model, "--name", "scene")
        self.put_model()
        storage = "/storage/raw/o/r/main/nets/scene.bin"
        self.hub.put("o/r/main/nets/scene.xml", self.variant(2).joinpath("scene.xml").read_bytes())
        self.hub.faults[storage] = [slow(400_000)]
        process = harness.start("model", "add", "o/r@main:nets/scene.xml", "--card", self.card, "--name", "scene",
                                env=self.environment)
        while not self.hub.asked(storage):
            time.sleep(0.01)
        time.sleep(0.5)
        process.kill()
        harness.finish(process)
        self.assertEqual(self.names(), {"scene": 1})
        self.good("run", "scene", self.picture)
        self.good("add", "o/r@main:nets/scene.xml", "--card", self.card, "--name", "scene")
        self.assertEqual(self.names(), {"scene": 2})
        self.good("run", "scene", self.picture)
        self.assert_nothing_left_over()

    def test_killed_at_any_moment(self):
        chance = random.Random(4)
        hashes = {sha256(self.variant(n).joinpath("scene.xml").read_bytes()) for n in range(4)}
        self.good("add", self.variant(0), "--name", "s")
        start = time.monotonic()
        self.good("add", self.variant(0), "--name", "s")
        whole = time.monotonic() - start
        for turn in range(24):
            process = harness.start("model", "add", self.variant(turn % 4), "--name", "s", env=self.environment)
            time.sleep(chance.uniform(0.2, 1.1) * whole)
            process.kill()
            harness.finish(process)
            shown = self.good("show", "s")
            self.assertIn(shown["files"][1]["sha256"], hashes)
            self.assertEqual(shown["card"]["sha256"], shown["files"][1]["sha256"])
            if turn % 6 == 0:
                self.assertEqual(len(self.good("run", "s", self.picture)["objects"]), 2)
        self.good("add", self.variant(9), "--name", "s")
        self.assert_nothing_left_over()
        self.assertEqual([path for path in (self.repository / "s").iterdir() if "tmp" in path.name], [])

    def test_disk_full(self):
        self.good("add", self.model, "--name", "scene")
        self.put_model()
        self.hub.put("o/r/main/nets/scene.xml", self.variant(2).joinpath("scene.xml").read_bytes())

        def no_large_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

        err = self.refused("add", "o/r@main:nets/scene.xml", "--name", "scene", "--card", self.card, code=1,
                           words=["scene.bin", "too large"], preexec_fn=no_large_files)
        self.assertIn("kept for the next try", err)
        self.refused("add", self.variant(2), "--name", "scene", code=1, words=["scene.bin"], preexec_fn=no_large_files)
        self.assertEqual(self.names(), {"scene": 1})
        self.good("run", "scene", self.picture)
        self.hub.requests.clear()
        self.good("add", "o/r@main:nets/scene.xml", "--name", "scene", "--card", self.card)
        self.assertTrue(self.hub.asked("/storage/raw/o/r/main/nets/scene.bin")[0]["Range"].startswith("bytes="))

    def test_small_disk(self):
        self.repository.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", self.repository], capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("may not mount a small disk")
        try:
            self.good("add", self.model, "--name", "scene")
            self.put_model()
            self.refused("add", "o/r@main:nets/scene.xml", "--name", "more", "--card", self.card, code=1,
                         words=["the disk is full"])
            self.refused("add", self.variant(2), "--name", "more", code=1, words=["No space left"])
            self.assertEqual(self.names(), {"scene": 1})
            self.good("run", "scene", self.picture)
        finally:
            subprocess.run(["umount", self.repository], check=True)

    def test_read_only_repository(self):
        self.repository.mkdir()
        as_root = os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "tmpfs", self.repository],
                                                       capture_output=True).returncode == 0
        if os.geteuid() == 0 and not as_root:
            self.skipTest("root may write everywhere, and may not mount a disk")
        self.good("add", self.model, "--name", "scene")
        try:
            if as_root:
                subprocess.run(["mount", "-o", "remount,ro", self.repository], check=True)
            else:
                for where, _, _ in os.walk(self.repository):
                    os.chmod(where, 0o555)
            word = "Read-only file system" if as_root else "Permission denied"
            self.assertEqual(self.names(), {"scene": 1})
            self.good("run", "scene", self.picture)
            for arguments in ("add", self.model, "--name", "other"), ("remove", "scene"), ("rollback", "scene"):
                self.refused(*arguments, words=[word])
        finally:
            if as_root:
                subprocess.run(["umount", self.repository], check=True)
            for where, _, _ in os.walk(self.repository):
                os.chmod(where, 0o755)

    def test_many_adds_at_once(self):
        self.put_model()
        processes = [harness.start("model", "add", self.variant(n), "--name", "s", env=self.environment) for n in range(4)]
        processes += [harness.start("model", "add", "o/r@main:nets/scene.xml", "--card", self.card, "--name", f"d{n}",
                                    env=self.environment) for n in range(2)]
        for process in processes:
            outcome = harness.finish(process)
            self.assertEqual(outcome.code, 0, outcome.err)
        self.assertEqual(self.good("show", "s")["versions"], [1, 2, 3, 4])
        self.assertEqual(self.names(), {"s": 4, "d0": 1, "d1": 1})
        self.assert_nothing_left_over()

    def test_bad_names_and_sources(self):
        for arguments, words in {
            ("add", self.model, "--name", "../evil"): ["no name for a model"],
            ("add", "http://example.org/x.onnx"): ["--allow-http"],
            ("add", "ftp://u:geheim@example.org/x.onnx"): ["'ftp'"],
            ("add", self.folder / "missing.onnx"): ["missing.onnx"],
            ("add", "https://github.com/o/r"): ["a page of GitHub"],
            ("add", self.picture): ["squares.png"],
            ("add", self.model / "scene.xml", "--card", self.folder / "no.yaml"): ["no.yaml"],
            ("show", "x/../y"): ["no name for a model"],
            ("remove", "a@x"): ["version"],
            ("rollback", "missing"): ["missing"],
            ("add",): ["source"],
        }.items():
            with self.subTest(str(arguments)):
                self.assertNotIn("geheim", self.refused(*arguments, words=words))


if __name__ == "__main__":
    harness.main()
