"""Cascades: what one model finds is looked at by others, whatever formats they are in, and events say who found what in
what. First on generated scenes, where every gate and every crop has an exact truth; then the paper's own example on a real
clip: a face detector in TensorFlow opens the gate to a recogniser in CNTK's format, with a Caffe and an ONNX model beside it.
"""
import datetime
import shutil
import subprocess
import unittest

import harness
import scene

RATE = 25
FRAMES = 100
# label as painted, column, row, first frame, end
SQUARES = [("red", 1, 1, 0, 100), ("blue", 5, 2, 0, 100), ("red", 6, 6, 25, 100), ("blue", 2, 6, 50, 75),
           ("dim", 4, 4, 0, 100)]
ZONE = "    zones: { corner: { polygon: [[0.6, 0.6], [1, 0.6], [1, 1], [0.6, 1]] } }\n"
SPREAD = 50  # what the classifier divides colours by
CLASSES = ["red", "green", "blue"]


def clock(hours):
    """The local time in so many hours."""
    return (datetime.datetime.now() + datetime.timedelta(hours=hours)).strftime("%H:%M")


# What each child's `when` and other keys are, on the scene above.
GATES = {
    "every_object": "answer_s: 1",
    "once": "when: { first: true }, answer_s: 0",
    "fifth": "when: { every: 5 }, answer_s: 0",
    "zone": "when: { zone: corner }",
    "old": "when: { min_age_s: 0.6 }",
    "blue": "when: { label: blue }",
    "sure": "when: { min_score: 0.9 }",
    "unsure": "when: { min_score: 0.5, max_score: 0.9 }",
    "large": "when: { min_size: 0.2 }",
    "small": "when: { max_size: 0.2, min_pixels: 20 }",
    "few_pixels": "when: { min_pixels: 40 }",
    "open_now": f'when: {{ schedule: {{ from: "{clock(-1)}", to: "{clock(1)}" }} }}',
    "closed_now": f'when: {{ schedule: {{ from: "{clock(2)}", to: "{clock(4)}" }} }}',
    "one_a_frame": "max_objects: 1, answer_s: 0",
    "never_sure": "unsure_below: 1, answer_s: 60",
}


def squares_at(frame):
    return [(label, column, row) for label, column, row, first, end in SQUARES if first <= frame < end]


def square_of(box):
    """The square that a box of the scene shows, by its column and row."""
    place = (round(box[0] * scene.CELLS), round(box[1] * scene.CELLS))
    return next(square for square in SQUARES if (square[1], square[2]) == place)


def write_card(folder, text):
    (folder / "model.yaml").write_text("licence: Apache-2.0\ninput: { layout: nchw, width: 128, height: 128, color: rgb, "
                                       f"std: {SPREAD}, resize: stretch }}\n{text}")


class CascadeCase(harness.EndToEndTest):
    def cascade(self, text, *arguments):
        """Runs a configuration; its events and its summary."""
        config, events = self.folder / "edge.yaml", self.folder / "events.ndjson"
        config.write_text(text + f"events: {{ file: {events} }}\n")
        events.unlink(missing_ok=True)
        outcome = harness.run("run", config, "--json", *arguments, timeout=300)
        self.assertEqual(outcome.code, 0, outcome.err)
        summary = outcome.summary()
        self.assert_counts_add_up(summary)
        for cascade in summary["cascades"]:
            self.assertEqual(cascade["asked"], cascade["answered"] + cascade["dropped"] + cascade["failed"], cascade)
        return [e for e in harness.lines(events.read_text()) if e["type"] == "result"], summary

    def check_parents(self, events, child, parent):
        """Each answer of the child has its parent: an object of the parent's result of the same frame."""
        objects = {e["frame"]: e for e in events if e["model"] == parent}
        answers = [e for e in events if e["model"] == child]
        for answer in answers:
            of = answer["parent"]
            self.assertEqual(of["model"], parent)
            above = objects[answer["frame"]]
            self.assertEqual((answer["pts_us"], answer["captured_us"]), (above["pts_us"], above["captured_us"]))
            self.assertGreaterEqual(answer["available_us"], above["available_us"])
            same = [o for o in above["objects"] if o["box"] == of["box"]]
            self.assertEqual([(o["label"], o["score"], o.get("track")) for o in same],
                             [(of["label"], of["score"], of.get("track"))])
        return answers

    def check_pauses(self, answers, seconds):
        """No track is asked about again while its answer holds."""
        last = {}
        for answer in sorted(answers, key=lambda e: e["pts_us"]):
            track = answer["parent"].get("track", 0)
            if track in last:
                self.assertGreaterEqual(answer["pts_us"] - last[track], seconds * 1e6, answer)
            last[track] = answer["pts_us"]

    def check_answers_beside_tracks(self, events, child, parent):
        """What the child has said stands beside the object from then on; how many objects have an answer."""
        said = {}
        for event in events:
            if event["model"] == child and event["classes"]:
                best = event["classes"][0]
                said[(event["parent"].get("track"), event["pts_us"])] = (best["label"], best["score"])
        beside, known = 0, set()
        for event in sorted((e for e in events if e["model"] == parent), key=lambda e: e["frame"]):
            for o in event["objects"]:
                answers = [a for a in o.get("answers", []) if a["model"] == child]
                self.assertLessEqual(len(answers), 1)
                if o.get("track") in known:
                    self.assertEqual(len(answers), 1, "what was known of a track is gone")
                for a in answers:
                    known.add(o["track"])
                    beside += 1
                    self.assertLess(a["pts_us"], event["pts_us"])
                    self.assertEqual((a["label"], a["score"]), said[(o["track"], a["pts_us"])])
        return beside


@unittest.skipUnless(scene.have_ffmpeg(), "ffmpeg is not there to make clips")
class SceneCascadeTest(CascadeCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        scene.write_model(cls.folder / "scene")
        scene.write_model(cls.folder / "slow", work=60)
        write_card(scene.write_classifier(cls.folder / "colour"),
                   f"name: colour\ntask: classification\noutput: {{ decoder: classification }}\nlabels: {CLASSES}\n")
        write_card(scene.write_vectors(cls.folder / "vector"),
                   "name: vector\ntask: embedding\noutput: { decoder: embedding, l2_normalize: true }\n")
        scene.write_frames(cls.folder / "yard.mkv", (squares_at(frame) for frame in range(FRAMES)), RATE,
                           codec=("-c:v", "ffv1"))

    def configuration(self, children, models, top=""):
        names = "".join(f"  {name}: {{ source: {source} }}\n" for name, source in models.items())
        return f"{top}models:\n  scene: {{ source: scene }}\n{names}" \
               f"streams:\n  yard:\n    source: yard.mkv\n{ZONE}    tasks:\n      - model: scene\n        then:\n{children}"

    def test_gates(self):
        children = "".join(f"          - {{ model: {name}, {keys} }}\n" for name, keys in GATES.items())
        events, summary = self.cascade(self.configuration(children, {name: "colour" for name in GATES}), "--pace", "fast")
        self.assertEqual(sum(e["model"] == "scene" for e in events), FRAMES)
        answers = {name: self.check_parents(events, name, "scene") for name in GATES}
        reported = {c["path"]: c["answered"] for c in summary["cascades"]}
        self.assertEqual({f"scene > {name}": len(found) for name, found in answers.items()}, reported)

        def asked(name):
            return {square_of(e["parent"]["box"]) for e in answers[name]}

        everything = set(SQUARES)
        for name, expected in {
                "every_object": everything, "once": everything, "fifth": everything, "small": everything,
                "open_now": everything, "old": everything, "never_sure": everything,
                "zone": {SQUARES[2]}, "blue": {SQUARES[1], SQUARES[3]}, "unsure": {SQUARES[4]},
                "sure": everything - {SQUARES[4]}, "large": set(), "few_pixels": set(), "closed_now": set()}.items():
            with self.subTest(gate=name):
                self.assertEqual(asked(name), expected)
        for name, found in answers.items():
            for answer in found:
                label, best = square_of(answer["parent"]["box"])[0], answer["classes"][0]
                self.assertEqual(best["label"], "blue" if label == "blue" else "red", "the crop shows something else")
        self.check_pauses(answers["every_object"], 1)
        self.assertGreaterEqual(len(answers["every_object"]), 5 + 2 * 3, "answers get old")
        self.assertEqual(len(answers["once"]), len(SQUARES))
        self.check_pauses(answers["fifth"], 5 / RATE)
        self.assertGreater(len(answers["fifth"]), 3 * len(SQUARES))
        self.assertGreater(len(answers["never_sure"]), 5 * len(SQUARES), "unsure answers do not hold")
        for answer in answers["old"]:
            self.assertGreaterEqual(answer["frame"] - square_of(answer["parent"]["box"])[3], 0.6 * RATE)
        frames = [e["frame"] for e in answers["one_a_frame"]]
        self.assertEqual(len(frames), len(set(frames)))
        self.assertGreater(self.check_answers_beside_tracks(events, "every_object", "scene"), 3 * FRAMES)

    def test_three_below_each_other_of_which_two_are_silent(self):
        children = ("          - model: first\n            report: false\n            when: { min_score: 0.9 }\n"
                    "            then:\n"
                    "              - model: second\n                report: false\n                when: { label: red }\n"
                    "                then:\n                  - { model: third, when: { label: red, min_score: 0.5 } }\n")
        models = {name: "colour" for name in ("first", "second", "third")}
        events, summary = self.cascade(self.configuration(children, models), "--pace", "fast")
        self.assertEqual([c["path"] for c in summary["cascades"]],
                         ["scene > first", "scene > first > second", "scene > first > second > third"])
        self.assertEqual({e["model"] for e in events}, {"scene", "third"})
        third = [e for e in events if e["model"] == "third"]
        self.assertEqual({square_of(e["parent"]["box"]) for e in third}, {SQUARES[0], SQUARES[2]})
        for event in third:
            chain, above = [], event.get("parent")
            while above:
                chain.append((above["model"], above["label"]))
                self.assertEqual(square_of(above["box"])[0], "red")
                last, above = above, above.get("parent")
            self.assertEqual(chain, [("second", "red"), ("first", "red"), ("scene", "red")])
            self.assertEqual(last["track"], event["parent"]["track"], "the track goes on down")
        last = max((e for e in events if e["model"] == "scene"), key=lambda e: e["frame"])
        beside = {square_of(o["box"]): [a["model"] for a in o.get("answers", [])] for o in last["objects"]}
        self.assertEqual(beside[SQUARES[0]], ["first", "second", "third"])
        self.assertEqual(beside[SQUARES[1]], ["first"], "it is blue: the second was not asked")
        self.assertEqual(beside[SQUARES[4]], [], "its score is too low for the first")

    def test_margin_of_crops(self):
        margins = {"exact": 0, "half": 0.5, "inner": -0.25}
        children = "".join(f"          - {{ model: {name}, when: {{ label: red, min_score: 0.9 }}, crop: {{ margin: {m} }} }}\n"
                           for name, m in margins.items())
        events, _ = self.cascade(self.configuration(children, {name: "colour" for name in margins}), "--pace", "fast")
        for name, margin in margins.items():
            share = min(1, 1 / (1 + 2 * margin)**2)  # of the crop that is red, the rest is grey
            red = [share * colour + (1 - share) * grey for colour, grey in zip(scene.COLOURS["red"], scene.GREY)]
            expected = 1 / (1 + 2 * 2.718281828**((red[1] - red[0]) / SPREAD))
            answers = self.check_parents(events, name, "scene")
            self.assertGreater(len(answers), 0)
            for answer in answers:
                self.assertAlmostEqual(answer["classes"][0]["score"], expected, delta=0.03, msg=name)

    def test_boxes_of_a_child_are_those_of_the_picture(self):
        children = "          - { model: again, crop: { margin: 1 }, max_objects: 16 }\n"
        events, _ = self.cascade(self.configuration(children, {"again": "scene"}), "--pace", "fast")
        answers = self.check_parents(events, "again", "scene")
        self.assertGreaterEqual(len(answers), len(SQUARES))
        for answer in answers:
            box = answer["parent"]["box"]
            slack = 0.6 / scene.CELLS  # the child's cells, on a crop of three of the scene's, are 3/8 of them
            self.assertGreater(len(answer["objects"]), 0)
            for o in answer["objects"]:
                self.assertEqual(o["label"], answer["parent"]["label"])
                self.assertTrue(all(box[i] - slack <= o["box"][i] for i in (0, 1)), (box, o))
                self.assertTrue(all(o["box"][i] <= box[i] + slack for i in (2, 3)), (box, o))

    def test_a_slow_child_holds_up_nobody_and_its_losses_are_counted(self):
        children = "          - { model: slow, answer_s: 0 }\n          - { model: colour, answer_s: 1 }\n"
        events, summary = self.cascade(self.configuration(children, {"slow": "slow", "colour": "colour"}))
        slow = next(c for c in summary["cascades"] if c["path"] == "scene > slow")
        self.assertGreater(slow["answered"], 0)
        self.assertEqual(slow["failed"], 0)
        self.assertGreater(summary["tasks"][0]["done"], FRAMES // 5)  # on a busy machine; bench/cascade.py measures
        self.check_parents(events, "slow", "scene")
        self.check_pauses(self.check_parents(events, "colour", "scene"), 1)

    def test_names_from_the_gallery(self):
        gallery = self.folder / "state" / "gallery.json"
        gallery.parent.mkdir()
        for name, colour in (("rosa", "0xe61e1e"), ("bruno", "0x1e1ee6")):
            picture = self.folder / f"{name}.png"
            subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", f"color={colour}:s=64x64", "-frames:v", "1",
                            picture], check=True)
            added = harness.run("gallery", "add", name, picture, "--model", self.folder / "vector", "--gallery", gallery)
            self.assertEqual(added.code, 0, added.err)
        children = "          - { model: vector, when: { min_score: 0.9 } }\n"
        events, _ = self.cascade(self.configuration(children, {"vector": "vector"}, top="state_dir: state\n"), "--pace", "fast")
        answers = self.check_parents(events, "vector", "scene")
        self.assertGreaterEqual(len(answers), 4)
        for answer in answers:
            self.assertEqual(answer["identity"], "rosa" if answer["parent"]["label"] == "red" else "bruno")
            self.assertGreater(answer["similarity"], 0.9)
        beside = [a["label"] for e in events if e["model"] == "scene" for o in e["objects"] for a in o.get("answers", [])]
        self.assertEqual(set(beside), {"rosa", "bruno"})

    def test_what_cannot_be_is_refused(self):
        for child, said in (("{ model: nobody }", "nobody"), ("{ model: colour, when: { zone: moon } }", "moon"),
                            ("{ model: colour, when: { label: green } }", "has no label 'green'; it has: red, blue"),
                            ("{ model: vector, then: [{ model: colour }] }", "vector"),
                            ("{ model: colour, when: { schedule: { from: \"25:00\" } } }", "25:00"),
                            ("{ model: colour, crop: { margin: -0.5 } }", "margin")):
            with self.subTest(child=child):
                config = self.folder / "bad.yaml"
                config.write_text(self.configuration(f"          - {child}\n", {"colour": "colour", "vector": "vector"}))
                outcome = harness.run("run", config, "--pace", "fast")
                self.assertNotEqual(outcome.code, 0)
                self.assertIn(said, outcome.err)


REAL = """
models:
  face: {{ source: {models}/tf/opencv_face_uint8/opencv_face_detector_uint8.pb }}
  recogniser: {{ source: recogniser }}
  mask: {{ source: {models}/caffe/aizoo_mask }}
  body: {{ source: {models}/onnx/osnet_x0_25 }}
streams:
  crowd:
    source: {clip}
    tasks:
      - model: face
        then:
          - {{ model: recogniser, when: {{ label: face, min_score: 0.6 }}, crop: {{ margin: 0.2 }}, answer_s: 1 }}
          - {{ model: mask, crop: {{ margin: 0.5, shape: tight }}, answer_s: 1 }}
          - {{ model: body, crop: {{ margin: 1 }}, when: {{ first: true }} }}
"""
SECONDS = 8  # of the clip


@unittest.skipUnless(harness.testdata() and scene.have_ffmpeg(), "no test data")
class RealCascadeTest(CascadeCase):
    def test_four_formats_on_one_clip(self):
        models = harness.testdata() / "models"
        (self.folder / "recogniser").mkdir()
        shutil.copy(models / "cntk" / "resnet20_cifar10_v1" / "ResNet20_CIFAR10_DataAug.dnn", self.folder / "recogniser")
        clip = self.folder / "crowd.mkv"
        subprocess.run(["ffmpeg", "-nostdin", "-y", "-v", "error", "-t", str(SECONDS), "-i",
                        harness.testdata() / "videos" / "crowd_faces_800x450.mp4", "-an", "-c:v", "ffv1", clip], check=True)
        events, summary = self.cascade(REAL.format(models=models, clip=clip), "--pace", "fast")
        faces = [e for e in events if e["model"] == "face"]
        self.assertEqual(len(faces), summary["tasks"][0]["captured"])
        answers = {child: self.check_parents(events, child, "face") for child in ("recogniser", "mask", "body")}
        for cascade in summary["cascades"]:
            self.assertEqual((cascade["dropped"], cascade["failed"]), (0, 0), cascade)
            self.assertEqual(cascade["answered"], len(answers[cascade["path"].split(" > ")[1]]))
        print({child: len(found) for child, found in answers.items()}, "answers about",
              sum(len(e["objects"]) for e in faces), "faces in", len(faces), "frames")
        self.check_recogniser(events, answers["recogniser"])
        self.check_masks(answers["mask"])
        tracks = [e["parent"]["track"] for e in answers["body"]]
        self.assertEqual(len(tracks), len(set(tracks)), "asked about a track again")
        self.assertEqual({len(e["embedding"]) for e in answers["body"]}, {512})

    def check_recogniser(self, events, answers):
        self.assertGreater(len(answers), 5)
        self.check_pauses(answers, 1)
        for answer in answers:
            self.assertGreaterEqual(answer["parent"]["score"], 0.6)
            self.assertEqual(answer["variant"], "fp32@32x32")
            self.assertGreater(len(answer["classes"]), 0)
        self.assertGreater(self.check_answers_beside_tracks(events, "recogniser", "face"), 20)

    def check_masks(self, answers):
        """The Caffe network finds faces by itself: in nearly every crop the one that the crop was made for, unmasked."""
        self.check_pauses(answers, 1)
        hits = 0
        for answer in answers:
            left, top, right, bottom = answer["parent"]["box"]
            for o in answer["objects"]:
                x, y = (o["box"][0] + o["box"][2]) / 2, (o["box"][1] + o["box"][3]) / 2
                if left <= x <= right and top <= y <= bottom and o["label"] == "no_mask":
                    hits += 1
                    break
        print(f"{hits} of {len(answers)} faces found by the child too")
        self.assertGreaterEqual(hits, 0.8 * len(answers))


if __name__ == "__main__":
    harness.main()
