"""Real networks on real clips: what `deepedge run` reports agrees with what other runtimes computed for the same frames.

Long cases run on the frames that the reference knows, cut out of the clip without loss; with DEEPEDGE_WHOLE_CLIPS=1
(scripts/test --all) on the whole clip. Each case is a ctest entry of its own: tests/CMakeLists.txt reads their names here.
"""
import json
import os
import subprocess
import sys
import unittest

import harness
import scene

REFERENCES = harness.REPOSITORY / "tests" / "reference"
SCORE = harness.REPOSITORY / "tests" / "score_events.py"

# What must agree. Scores near the threshold fall on either side of it by rounding, `agreement` leaves those out. The strict
# F1 does not, and cannot reach 1: the reference's runtime compared with itself after another, equally valid conversion of
# the colours reaches 0.947 to 0.974 (docs/accuracy.md).
AGREEMENT = 0.98
STRICT_F1 = 0.95

# name: (model, clip, reference, whether the whole clip takes long)
CASES = {
    "yolox_street": ("onnx/yolox_nano", "street_intersection_640x360", "yolox_nano", True),
    "yolox_traffic": ("onnx/yolox_nano", "traffic_topdown_3lanes_640x360", "yolox_nano", False),
    "ultraface": ("onnx/ultraface_rfb_320", "crowd_faces_800x450", "ultraface_rfb_320", False),
    "person_vehicle_bike": ("openvino/person_vehicle_bike_0078_fp16", "street_intersection_640x360",
                            "person_vehicle_bike_0078_fp16", True),
    "squeezenet": ("onnx/squeezenet_fp16", "retail_aisle_1920x1080", "squeezenet_fp16", False),
    "vww": ("tflite/vww_96/vww_96_float.tflite", "pedestrians_plaza_626x360", "vww_96", False),
    "movenet": ("tflite/movenet_lightning_int8", "single_face_headturn_1920x1080", "movenet_lightning_int8", True),
}


def whole_clips():
    return os.environ.get("DEEPEDGE_WHOLE_CLIPS", "0") not in ("", "0")


def clip_path(clip):
    return harness.testdata() / "videos" / f"{clip}.mp4"


def frames_of(reference, clip):
    return [f["frame"] for f in json.loads((REFERENCES / f"{reference}.{clip}.json").read_text())["frames"]]


@unittest.skipUnless(harness.testdata(), "no test data")
class RealModelsTest(harness.EndToEndTest):
    def cut(self, clip, numbers):
        """A clip of these frames only, pixel for pixel."""
        out = self.folder / "frames" / f"{clip}.mkv"
        out.parent.mkdir(exist_ok=True)
        chosen = "+".join(f"eq(n\\,{number})" for number in numbers)
        subprocess.run(["ffmpeg", "-nostdin", "-y", "-v", "error", "-i", clip_path(clip), "-vf", f"select={chosen}",
                        "-fps_mode", "passthrough", "-an", "-c:v", "ffv1", out], check=True)
        return out

    def run_exactly(self, model, source):
        out = self.folder / "events.ndjson"
        outcome = harness.run("run", "--source", source, "--model", harness.testdata() / "models" / model, "--pace", "fast",
                              "--events", out, "--json", timeout=500)
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assert_counts_add_up(outcome.summary())
        return out

    def score(self, events, reference, clip, *options):
        scored = subprocess.run([sys.executable, SCORE, events, REFERENCES / f"{reference}.{clip}.json", "--json", *options],
                                stdout=subprocess.PIPE, text=True)
        return json.loads(scored.stdout)

    def check(self, figures, what):
        f1 = f", strict F1 {figures['f1']:.4f} of {figures['objects']} objects" if "f1" in figures else ""
        print(f"{what}: {figures['frames']} frames, agreement {figures['agreement']:.4f}{f1}", flush=True)
        self.assertGreaterEqual(figures["agreement"], AGREEMENT, figures)
        self.assertGreater(figures.get("objects", figures.get("points", 1)), 0, figures)
        if "f1" in figures:
            self.assertGreaterEqual(figures["f1"], STRICT_F1, figures)

    def check_case(self, model, clip, reference, is_long=False):
        """Returns the events, numbered as the frames of the whole clip."""
        numbers = frames_of(reference, clip)
        if is_long and scene.have_ffmpeg() and not whole_clips():
            print(f"{model} on the {len(numbers)} frames of the reference only; scripts/test --all takes the whole clip")
            out = self.run_exactly(model, self.cut(clip, numbers))
            events = harness.lines(out.read_text())
            for event in events:
                if event["type"] == "result":
                    event["frame"] = numbers[event["frame"]]
            out.write_text("".join(json.dumps(event) + "\n" for event in events))
        else:
            out = self.run_exactly(model, clip_path(clip))
        figures = self.score(out, reference, clip)
        self.assertEqual(figures["frames"], len(numbers), "every frame of the reference was seen")
        self.check(figures, f"{model} on {clip}")
        return [event for event in harness.lines(out.read_text()) if event["type"] == "result"]

    def test_aizoo_mask_from_three_frameworks(self):
        """They agree with the reference, and with one another."""
        boxes = []
        for model in ("tf/aizoo_mask", "tf_savedmodel/aizoo_mask", "paddle/aizoo_mask"):
            events = self.check_case(model, "masked_students_corridor_960x540", "aizoo_mask", is_long=True)
            boxes.append({e["frame"]: [(o["label"], o["box"]) for o in e["objects"]] for e in events})
        for other in boxes[1:]:
            self.assertEqual(boxes[0].keys(), other.keys())
            for frame, objects in boxes[0].items():
                self.assertEqual(len(objects), len(other[frame]), frame)
                for (label, box), (other_label, other_box) in zip(objects, other[frame]):
                    self.assertEqual(label, other_label)
                    for a, b in zip(box, other_box):
                        self.assertAlmostEqual(a, b, delta=0.002)

    def test_three_streams_and_two_networks_for_five_seconds(self):
        """At the clips' own speed: which frames are computed depends on the machine, what is seen in them does not."""
        clips = ("street_intersection_640x360", "traffic_topdown_3lanes_640x360", "crowd_faces_800x450")
        models = ("onnx/yolox_nano", "onnx/ultraface_rfb_320")
        out = self.folder / "out.ndjson"
        sources = [argument for clip in clips for argument in ("--source", clip_path(clip))]
        networks = [argument for model in models for argument in ("--model", harness.testdata() / "models" / model)]
        outcome = harness.run("run", *sources, *networks, "--duration", "5s", "--events", out, "--json")
        self.assertEqual(outcome.code, 0, outcome.err)
        summary = outcome.summary()
        self.assert_counts_add_up(summary)
        self.assertEqual(len(summary["tasks"]), 6)
        for task in summary["tasks"]:
            self.assertGreater(task["done"], 0, task)
            self.assertEqual(task["failed"], 0, task)
        common = 0
        for reference, clip in (("yolox_nano", clips[0]), ("yolox_nano", clips[1]), ("ultraface_rfb_320", clips[2])):
            figures = self.score(out, reference, clip, "--stream", clip, "--model", reference)
            common += figures["frames"]
            if figures["frames"] > 0:
                # Too few frames for the strict F1.
                print(f"{reference} on {clip}: {figures['frames']} frames, agreement {figures['agreement']:.4f}")
                self.assertGreaterEqual(figures["agreement"], AGREEMENT, figures)
        self.assertGreater(common, 0, "no frame that a reference knows was computed")


def _add(name, case):
    setattr(RealModelsTest, f"test_{name}", lambda self: self.check_case(*case))


for _name, _case in CASES.items():
    _add(_name, _case)

if __name__ == "__main__":
    harness.main()
