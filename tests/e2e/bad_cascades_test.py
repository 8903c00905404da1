"""Zones, gates and children that cannot be: refused with file, line and place, before anything starts."""
import unittest

import harness
import scene

CONFIGURATION = """models:
  squares: { source: scene }
  colours: { source: colours }
  words: { source: WORDS }
streams:
  gate:
    source: gate.mp4
    zones: { yard: ZONE }
    lines: { door: LINE }
    tasks:
      - model: squares
        then:
          - CHILD
EVENTS
"""
ZONE = "{ polygon: [[0, 0], [1, 0], [1, 1], [0, 1]], labels: [red] }"
LINE = "{ from: [0, 0.5], to: [1, 0.5] }"
CHILD = "{ model: colours, when: { label: red, zone: yard } }"

AT_ZONE = ":8: streams.gate.zones.yard"
AT_LINE = ":9: streams.gate.lines.door"
AT_CHILD = ":13: streams.gate.tasks[0].then[0]"
AT_EVENTS = ":14: events"

# What the program says, by what is wrong; where `check` needs the models to tell, it is `run` alone that refuses.
ZONES = {
    "{ polygon: [[0, 0], [1, 1]] }": [AT_ZONE + ".polygon", "2 entries"],
    "{ polygon: [[0, 0], [1, 1], [0, 7]] }": [AT_ZONE + ".polygon[2][1]", "7", "0 to 1"],
    "{ polygon: [[0, 0], [1, 1], [0, x]] }": [AT_ZONE + ".polygon[2][1]", "a number", "'x'"],
    "{ polygon: [[0, 0], [1, 1], [0, 1, 0.5]] }": [AT_ZONE + ".polygon[2]", "3 entries"],
    "{ polygon: [[0, 0], [0.5, 0.5], [1, 1]] }": [AT_ZONE + ".polygon", "one line"],
    "{ polygon: [[0, 0], [1, 1], [1, 0], [0, 1]] }": [AT_ZONE + ".polygon", "cross"],
    "{ polygon: nothing }": [AT_ZONE + ".polygon", "list"],
    "{}": [AT_ZONE, "polygon"],
    ZONE.replace("labels", "label"): [AT_ZONE + ".label", "labels"],
}
LINES = {
    "{ from: [0, 0], to: [0, 0] }": [AT_LINE, "same point"],
    "{ from: [0, 0] }": [AT_LINE, "to"],
}
CHILDREN = {
    "{ model: nobody }": [AT_CHILD + ".model", "nobody", "colours, squares, words"],
    "{ model: squares }": [AT_CHILD + ".model", "back to itself"],
    CHILD.replace("yard", "moon"): [AT_CHILD + ".when.zone", "moon", "yard"],
    CHILD.replace("label: red", "lable: red"): [AT_CHILD + ".when.lable", "label"],
    CHILD.replace("label: red", "min_score: 2"): [AT_CHILD + ".when.min_score", "0 to 1"],
}
EVENTS = {
    'mqtt: { broker: "tcp://edge:geheim@127.0.0.1" }': [AT_EVENTS + ".mqtt.broker"],
    'mqtt: { broker: "http://127.0.0.1" }': [AT_EVENTS + ".mqtt.broker", "tcp://127.0.0.1:1883"],
    'webhook: { url: "ftp://edge:geheim@127.0.0.1/" }': [AT_EVENTS + ".webhook.url", "https://"],
    'mqtt: { broker: "tcp://127.0.0.1", types: [everything] }': [AT_EVENTS + ".mqtt.types[0]", "track_started"],
}
WITH_MODELS = {
    ("ZONE", ZONE.replace("red", "unicorn")): [AT_ZONE + ".labels[0]", "unicorn", "red, blue"],
    ("LINE", LINE.replace(" }", ", labels: [unicorn] }")): [AT_LINE + ".labels[0]", "unicorn", "red, blue"],
    ("CHILD", CHILD.replace("red", "unicorn")): [AT_CHILD + ".when.label", "unicorn", "red, blue"],
    ("CHILD", CHILD.replace("colours", "words")): [":4: models.words.source", "takes no picture", "1x16"],
    ("CHILD", "{ model: colours, then: [ { model: words } ] }"): [":4: models.words.source", "takes no picture"],
}


def write_words(folder):
    """A network without pictures: 16 numbers to 16 shares."""
    folder.mkdir()
    graph = scene._Graph()
    numbers = graph.add("Parameter", "numbers", [], [1, 16], 'shape="1,16" element_type="f32"')
    graph.add("Result", "result", [graph.add("SoftMax", "prob", [numbers], [1, 16], 'axis="1"')], [])
    (folder / "net.xml").write_text(graph.xml("words"))
    (folder / "net.bin").write_bytes(graph.weights)


@unittest.skipUnless(scene.have_ffmpeg(), "ffmpeg is not there to make clips")
class BadCascadesTest(harness.EndToEndTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        scene.write_model(cls.folder / "scene")
        colours = scene.write_classifier(cls.folder / "colours")
        (colours / "model.yaml").write_text(
            "name: colours\ntask: classification\n"
            "input: { layout: nchw, width: 128, height: 128, color: rgb, resize: stretch }\n"
            "output: { decoder: classification }\nlabels: [red, green, blue]\n")
        write_words(cls.folder / "words")
        scene.write_video(cls.folder / "gate.mp4", seed=1, frames=20)

    def write(self, **changed):
        text = CONFIGURATION
        for key, value in {"ZONE": ZONE, "LINE": LINE, "CHILD": CHILD, "EVENTS": "", "WORDS": "colours", **changed}.items():
            text = text.replace(key, value)
        (self.folder / "edge.yaml").write_text(text)

    def refused(self, verb, words):
        outcome = harness.run(verb, "edge.yaml", cwd=self.folder)
        self.assertEqual(outcome.code, 2, outcome.out + outcome.err)
        for word in ["edge.yaml" + words[0], *words[1:]]:
            self.assertIn(word, outcome.err)
        self.assertLess(len(outcome.err.splitlines()), 6, outcome.err)
        self.assertNotIn("geheim", outcome.err)

    def test_what_is_right_runs(self):
        self.write()
        outcome = harness.run("run", "edge.yaml", "--pace", "fast", "--events", "-", "--json", cwd=self.folder)
        self.assertEqual(outcome.code, 0, outcome.err)
        children = [event for event in outcome.events() if event["model"] == "colours"]
        self.assertTrue(children)
        self.assertEqual({event["parent"]["label"] for event in children}, {"red"})

    def test_what_cannot_be_read_from_the_file(self):
        for place, table in {"ZONE": ZONES, "LINE": LINES, "CHILD": CHILDREN}.items():
            for text, words in table.items():
                with self.subTest(f"{place} {text}"):
                    self.write(**{place: text})
                    for verb in "check", "run":
                        self.refused(verb, words)

    def test_addresses_that_are_none(self):
        for text, words in EVENTS.items():
            with self.subTest(text):
                self.write(EVENTS=f"events: {{ {text} }}")
                for verb in "check", "run":
                    self.refused(verb, words)

    def test_what_the_models_tell(self):
        for (place, text), words in WITH_MODELS.items():
            with self.subTest(f"{place} {text}"):
                self.write(**{place: text}, WORDS="words" if "words" in text else "colours")
                self.refused("run", words)


if __name__ == "__main__":
    harness.main()
