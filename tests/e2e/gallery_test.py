"""`deepedge gallery`, with a network that tells pictures apart by their colour: names that pictures get, and objects of a
running cascade."""
import json
import subprocess
import unittest

import harness
import scene

EMBEDDER = """name: who
task: embedding
input: { layout: nchw, width: 128, height: 128, color: rgb, resize: stretch }
output: { decoder: embedding }
"""
CONFIGURATION = """
models: { squares: { source: scene }, who: { source: who } }
streams:
  gate:
    source: gate.mp4
    tasks:
      - { model: squares, then: [ { model: who, answer_s: 0, crop: { margin: -0.2 } } ] }
events: { file: out.ndjson, outbox: {} }
state_dir: state
"""


@unittest.skipUnless(scene.have_ffmpeg(), "ffmpeg is not there to make pictures")
class GalleryTest(harness.EndToEndTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        scene.write_model(cls.folder / "scene")
        (scene.write_vectors(cls.folder / "who") / "model.yaml").write_text(EMBEDDER)
        for name, colour in {"red1.png": "e62020", "red2.jpg": "d01818", "red3.png": "c02222", "blue.png": "1e1ee6",
                             "green.png": "20e020"}.items():
            subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", f"color=0x{colour}:s=160x120", "-frames:v",
                            "1", cls.folder / name], check=True)
        (cls.folder / "text.png").write_text("no picture")

    def setUp(self):
        """A gallery of two names."""
        self.gallery("add", "anna", "red1.png", "red2.jpg", "--model", "./who")
        self.gallery("add", "bert", "blue.png")
        self.addCleanup((self.folder / "state" / "gallery.json").unlink)

    def call(self, verb, *arguments):
        return harness.run("gallery", verb, *arguments, "--gallery", "state/gallery.json", "--json", cwd=self.folder)

    def gallery(self, verb, *arguments):
        outcome = self.call(verb, *arguments)
        self.assertEqual(outcome.code, 0, outcome.err)
        return json.loads(outcome.out)

    def test_pictures_get_names(self):
        for picture, name in {"red3.png": "anna", "blue.png": "bert", "green.png": None}.items():
            found = self.gallery("find", picture)
            self.assertEqual(found["name"], name, found)
            self.assertEqual(found["closest"][0]["similarity"] >= found["threshold"], name is not None)
        listed = self.gallery("list")
        self.assertEqual({name["name"]: name["embeddings"] for name in listed["names"]}, {"anna": 2, "bert": 1})

    def test_a_name_that_is_removed_is_not_found(self):
        self.gallery("remove", "bert")
        self.assertIsNone(self.gallery("find", "blue.png")["name"])
        self.assertEqual(self.gallery("find", "red3.png")["name"], "anna")

    def test_what_cannot_be_added_changes_nothing(self):
        file = self.folder / "state" / "gallery.json"
        before = file.read_bytes()
        for arguments, words in {
            ("carl", "text.png"): ["text.png", "not a picture"],
            ("carl", "green.png", "text.png"): ["text.png"],
            ("carl", "missing.png"): ["missing.png"],
            ("carl", "green.png", "--model", "./scene"): ["scene", "no embedding"],
        }.items():
            with self.subTest(arguments):
                outcome = self.call("add", *arguments)
                self.assertEqual(outcome.code, 2, outcome.err)
                for word in words:
                    self.assertIn(word, outcome.err)
                self.assertEqual(file.read_bytes(), before)

    def test_objects_of_a_stream_get_names(self):
        scene.write_video(self.folder / "gate.mp4", seed=3, frames=40)
        (self.folder / "edge.yaml").write_text(CONFIGURATION)
        outcome = harness.run("run", "edge.yaml", "--pace", "fast", "--json", cwd=self.folder)
        self.assertEqual(outcome.code, 0, outcome.err)
        events = harness.lines((self.folder / "out.ndjson").read_text())
        answers = [event for event in events if event["type"] == "result" and event["model"] == "who"]
        self.assertGreater(len(answers), 40)
        names = {(event["parent"]["label"], event.get("identity")) for event in answers}
        self.assertEqual(names, {("red", "anna"), ("blue", "bert")})
        shown = harness.run("events", "--config", "edge.yaml", "--label", "anna", "--json", "--limit", 10000,
                            cwd=self.folder)
        found = {event["id"] for event in harness.lines(shown.out)}
        self.assertLessEqual({event["id"] for event in answers if event.get("identity") == "anna"}, found)
        self.assertEqual(found & {event["id"] for event in answers if event.get("identity") == "bert"}, set())


if __name__ == "__main__":
    harness.main()
