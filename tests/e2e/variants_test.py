"""Cheaper forms of a model: made, measured against the model's own results, entered into its card, and run."""
import unittest

import harness
import scene


@unittest.skipUnless(scene.have_ffmpeg(), "ffmpeg is not there to make clips")
class VariantsTest(harness.EndToEndTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clip = cls.folder / "yard.mp4"
        scene.write_video(cls.clip, seed=3, frames=60)
        cls.empty = cls.folder / "empty.mp4"
        grey = bytes(scene.GREY) * (128 * 128)
        process = harness.subprocess.Popen(
            ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "128x128", "-r", "10", "-i", "-",
             "-c:v", "mpeg4", str(cls.empty)], stdin=harness.subprocess.PIPE)
        process.communicate(grey * 20)

    def setUp(self):
        self.model = scene.write_model(self.folder / self.id().rpartition(".")[2], work=2)

    def card(self):
        return (self.model / "model.yaml").read_text()

    def test_int8_sees_what_the_model_sees(self):
        made = harness.run("model", "quantize", self.model, "--calibrate", self.clip, "--json")
        self.assertEqual(made.code, 0, made.err)
        report = harness.lines(made.out)[0]
        self.assertEqual(report["variant"], "int8@128x128")
        self.assertTrue(report["usable"], report)
        self.assertGreaterEqual(report["agreement"], 0.98)
        self.assertEqual(report["frames"], 30)
        self.assertTrue((self.model / report["graph"]).is_file())
        self.assertIn("int8@128x128", self.card())

        outcome = harness.run("run", "--source", self.clip, "--model", self.model, "--pace", "fast", "--events", "-",
                              "--json")
        own = {e["frame"]: [o["label"] for o in e["objects"]] for e in outcome.events()}
        config = self.folder / "edge.yaml"
        config.write_text(f"models: {{ scene: {{ source: {self.model}, variant: int8@128x128 }} }}\n"
                          f"streams: {{ yard: {{ source: {self.clip}, tasks: [{{ model: scene }}] }} }}\n")
        outcome = harness.run("run", config, "--pace", "fast", "--events", "-", "--json")
        self.assertEqual(outcome.code, 0, outcome.err)
        events = outcome.events()
        self.assertEqual({e["variant"] for e in events}, {"int8@128x128"})
        same = sum(sorted(own[e["frame"]]) == sorted(o["label"] for o in e["objects"]) for e in events)
        self.assertGreaterEqual(same, 0.9 * len(events))

    def test_a_failure_leaves_the_form_that_serves(self):
        made = harness.lines(harness.run("model", "quantize", self.model, "--calibrate", self.clip, "--json").out)[0]
        again = harness.run("model", "quantize", self.model, "--calibrate", self.empty)
        self.assertEqual(again.code, 2, again.err)
        self.assertTrue((self.model / made["graph"]).is_file())
        anew = harness.lines(harness.run("model", "quantize", self.model, "--calibrate", self.clip, "--json").out)[0]
        self.assertNotEqual(anew["graph"], made["graph"])
        left = sorted(p.name for p in (self.model / "variants").iterdir())
        self.assertEqual(left, sorted([anew["graph"].split("/")[1], anew["graph"].split("/")[1].replace(".xml", ".bin")]))

    def test_a_form_that_agrees_too_little_is_noted_and_refused(self):
        made = harness.run("model", "reshape", self.model, "--measure", self.clip, "--size", "64x64", "--json")
        # Cells of 16 pixels at half the size hold four squares: nothing is found where it was.
        self.assertEqual(made.code, 0, made.err)
        report = harness.lines(made.out)[0]
        self.assertFalse(report["usable"], report)
        self.assertIn("fp32@64x64", self.card())
        refused = harness.run("model", "run", self.model, self.clip, "--variant", "fp32@64x64")
        self.assertNotEqual(refused.code, 0)
        picture = self.folder / "frame.png"
        harness.subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", str(self.clip), "-frames:v", "1", str(picture)],
                               check=True)
        refused = harness.run("model", "run", self.model, picture, "--variant", "fp32@64x64")
        self.assertEqual(refused.code, 2, refused.err)
        self.assertIn("agrees with the model's own", refused.err)

    def test_a_graph_that_holds_its_size_says_so(self):
        fixed = scene.write_model(self.folder / "fixed", weights_mb=1)  # its product is of a fixed number of cells
        outcome = harness.run("model", "reshape", fixed, "--measure", self.clip, "--size", "64x64")
        self.assertEqual(outcome.code, 2, outcome.err)
        self.assertIn("holds sizes as constants", outcome.err)

    def test_what_cannot_be_made_says_why_and_leaves_nothing(self):
        before = self.card()
        for arguments, text in [
                (["quantize", self.model, "--calibrate", self.empty], "saw something on none of the"),
                (["quantize", self.model, "--calibrate", self.folder / "none.mp4"], "none.mp4"),
                (["quantize", self.model, "--calibrate", self.clip, "--precision", "int4"], "allowed: fp32, bf16, int8"),
                (["reshape", self.model, "--measure", self.clip, "--size", "128x128"], "the model's own form"),
                (["reshape", self.model, "--measure", self.clip, "--size", "big"], "expected width x height"),
                (["quantize", self.model, "--calibrate", self.clip, "--frames", "2"], "--frames")]:
            outcome = harness.run("model", *arguments)
            self.assertEqual(outcome.code, 2, f"{arguments}: {outcome.err}")
            self.assertIn(text, outcome.err)
        self.assertEqual(self.card(), before)
        left = list((self.model / "variants").glob("*")) if (self.model / "variants").exists() else []
        self.assertEqual(left, [])

    def test_a_model_without_a_card_must_be_added_first(self):
        (self.model / "model.yaml").unlink()
        outcome = harness.run("model", "quantize", self.model, "--calibrate", self.clip)
        self.assertEqual(outcome.code, 2)
        self.assertIn("deepedge model add", outcome.err)

    def test_unknown_form_names_those_there_are(self):
        config = self.folder / "wrong.yaml"
        config.write_text(f"models: {{ scene: {{ source: {self.model}, variant: int8@1x1 }} }}\n"
                          f"streams: {{ yard: {{ source: {self.clip}, tasks: [{{ model: scene }}] }} }}\n")
        outcome = harness.run("run", config, "--pace", "fast")
        self.assertEqual(outcome.code, 2, outcome.err)
        self.assertIn("fp32@128x128", outcome.err)


if __name__ == "__main__":
    harness.main()
