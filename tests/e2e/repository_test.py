"""The model repository as a user meets it: adding from everywhere, updates, catalogues."""
import base64
import gzip
import hashlib
import io
import json
import re
import shutil
import struct
import subprocess
import tarfile
import zipfile

import harness
import scene
from fake_hub import always, endless, slow
from repository_case import CARD, RepositoryCase, png, sha256


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


class RepositoryTest(RepositoryCase):
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

    def four_colours(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        colours = [[(220, 40, 30), (30, 200, 60)], [(40, 60, 220), (210, 200, 30)]]
        path.write_bytes(png(b"".join(bytes(c) * 32 for pair in colours for _ in range(32) for c in pair), 64))
        return path

    def test_pictures_decide_between_decoders(self):
        source = scene.write_vectors(self.folder / "colours")
        picture = self.four_colours(self.folder / "hues" / "four.png")
        # The graph speaks for classes as much as for a vector; classes come first.
        alone = self.good("add", source, "--name", "alone")
        self.assertEqual((alone["card"]["output"]["decoder"], alone["undecided"]), ("classification", True))
        for number, probe in enumerate((picture, picture.parent)):
            added = self.good("add", source, "--name", f"p{number}", "--probe", probe)
            self.assertEqual((added["card"]["output"]["decoder"], added["undecided"]), ("embedding", False))
            self.assertEqual(len(added["probe"]["embedding"]), 192)
            decoder = next(f for f in added["findings"] if f["field"] == "output.decoder")
            self.assertRegex(decoder["reason"], r"tried on the pictures: \d\.\d\d against \d\.\d\d for classification")
        both = self.good("add", source, "--name", "both", "--probe", picture, "--probe", self.picture)
        self.assertEqual([seen["picture"] for seen in both["probes"]], [str(picture), str(self.picture)])
        described = self.good("describe", source, "--probe", picture.parent)
        self.assertEqual(described["decoder"], "embedding")

    def test_pictures_in_the_repository_are_tried(self):
        source = scene.write_vectors(self.folder / "colours2")
        told = self.run_model("add", source, "--name", "c").out
        self.assertIn(f"--probe PICTURE, or pictures in {self.repository / '_probe'}\n", told)
        self.four_colours(self.repository / "_probe" / "gate.png")
        (self.repository / "_probe" / "broken.jpg").write_bytes(b"no picture")
        # The same files with pictures at last: the card that nobody touched gives way.
        self.assertNotIn("--probe PICTURE", self.run_model("add", source, "--name", "c").out)
        self.assertEqual(self.good("show", "c")["card"]["output"]["decoder"], "embedding")
        self.assertEqual(self.good("describe", source)["decoder"], "embedding")
        # It is no model, and none may be called so.
        self.assertEqual(self.names(), {"c": 1})
        self.refused("remove", "_probe", words=["no name for a model"])
        self.refused("add", source, "--name", "_probe", words=["no name for a model"])
        self.assertEqual([model["name"] for model in self.good("update")["models"]], ["c"])
        # What the pictures chose outlives them; what the user wrote outlives the pictures' choice.
        (source / "net.xml").write_bytes((source / "net.xml").read_bytes().replace(b'name="net"', b'name="net2"', 1))
        (self.repository / "_probe").rename(self.repository / ".away")
        self.good("update", "c")
        self.assertEqual(self.good("show", "c")["card"]["output"]["decoder"], "embedding")
        (self.repository / ".away").rename(self.repository / "_probe")
        card = self.repository / "c" / "model.yaml"
        card.write_text(card.read_text() + "\nlicence: MIT\n")
        self.good("add", source, "--name", "c")
        self.assertEqual(self.good("show", "c")["card"]["licence"], "MIT")

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

    def test_a_card_given_by_hand_survives_updates(self):
        self.put_model()
        own = self.folder / "own.yaml"
        own.write_text(CARD + "threshold: 0.77\n")
        self.good("add", "o/r@main:nets/scene.xml")
        # For the same files; then for others, twice.
        self.good("add", "o/r@main:nets/scene.xml", "--card", own)
        for version in 2, 3:
            self.hub.put("o/r/main/nets/scene.xml", self.variant(version).joinpath("scene.xml").read_bytes())
            self.assertEqual(self.good("update", "scene")["models"][0]["version"], version)
            shown = self.good("show", "scene")
            self.assertEqual((shown["card"]["threshold"], shown["card"]["labels"]), (0.77, ["red", "blue"]))
        self.good("run", "scene", self.picture)

    def test_notes_beside_a_model_come_along(self):
        labels = ["rouge", "vert", "bleu"]
        faces, plates = self.folder / "face_det", self.folder / "plates"
        for folder in faces, plates / "1":
            scene.write_classifier(folder)
        (faces / "labels.txt").write_text("\n".join(labels))
        (faces / "private.json").write_text('{"key": "geheim"}')
        (plates / "config.pbtxt").write_text('output [ { name: "o"\n label_filename: "plates.txt"\n } ]\n')
        (plates / "plates.txt").write_text("\n".join(labels))
        with tarfile.open(self.folder / "plates.tar", "w") as out:
            out.add(plates, "plates")
        by_triton = {"config.pbtxt", "plates.txt"}
        for source, name, notes in ((faces / "net.xml", "a", {"labels.txt"}), (plates, "b", by_triton),
                                    (plates / "1" / "net.xml", "c", by_triton),
                                    (self.folder / "plates.tar", "d", by_triton)):
            with self.subTest(name):
                added = self.good("add", source, "--name", name)
                self.assertEqual((added["card"]["task"], added["card"]["labels"]), ("classification", labels))
                self.assertEqual({file["name"] for file in self.good("show", name)["files"]},
                                 {"net.xml", "net.bin"} | notes)
        # The name of the folder counts as it does for `describe`, also where the repository's path begins here.
        added = self.good("add", scene.write_classifier(self.folder / "cifar10", classes=10) / "net.xml", "--name", "e")
        self.assertEqual(added["card"]["labels"][:2], ["airplane", "automobile"])
        self.good("add", faces / "net.xml", "--repository", "own", cwd=self.folder)

    def test_labels_in_latin_1_make_no_broken_model(self):
        folder = scene.write_classifier(self.folder / "latin")
        (folder / "labels.txt").write_bytes("caf\u00e9\nvert\nbleu\n".encode("latin-1"))
        self.good("add", folder, "--name", "latin")
        self.assertEqual(self.good("show", "latin")["card"]["labels"], ["caf\u00e9", "vert", "bleu"])

    def test_what_a_probe_chose_survives_updates(self):
        source = scene.write_classifier(self.folder / "source")
        self.good("add", source, "--name", "p", "--probe", self.picture)
        card = self.repository / "p" / "model.yaml"
        before = self.good("show", "p")["card"]
        (source / "net.xml").write_bytes((source / "net.xml").read_bytes().replace(b'name="net"', b'name="net2"', 1))
        (source / "labels.txt").write_text("1\n2\n3\n")  # a new guess would take them
        self.assertEqual(self.good("update", "p")["models"][0]["version"], 2)
        after = self.good("show", "p")["card"]
        self.assertEqual([after.get("labels"), after["input"]], [before.get("labels"), before["input"]])
        self.assertIn("version: 2", card.read_text())

    def test_one_compressed_file_and_a_checkpoint(self):
        net = self.folder / "net5.onnx"
        net.write_bytes(onnx_with_weights_elsewhere("w.bin"))
        (self.folder / "net5.onnx.gz").write_bytes(gzip.compress(net.read_bytes()))
        self.refused("add", self.folder / "net5.onnx.gz", words=["w.bin"])
        checkpoint = self.folder / "net.pt"
        with zipfile.ZipFile(checkpoint, "w") as out:
            out.writestr("net/data.pkl", b"x")
        self.refused("add", checkpoint, words=["a PyTorch checkpoint", "export it to ONNX"])
        self.refused("add", self.hub.put_plain("x.pt", checkpoint.read_bytes()), words=["/x.pt", "a PyTorch checkpoint"])

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

    def test_a_catalogue_is_small(self):
        self.hub.put_plain("c.yaml", b"")
        self.hub.faults["/c.yaml"] = [always(endless())]
        self.refused("pull", "squares", "--catalogue", self.hub.url + "/c.yaml", words=["1048576", "for a catalogue"])

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


if __name__ == "__main__":
    harness.main()
