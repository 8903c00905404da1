"""Real networks on real clips: what `deepedge run` reports agrees with what other runtimes computed for the same frames."""
import subprocess
import sys
import unittest

import harness

REFERENCES = harness.REPOSITORY / "tests" / "reference"
SCORE = harness.REPOSITORY / "tests" / "score_events.py"

# (model, clip, reference)
CASES = [
    ("onnx/yolox_nano", "street_intersection_640x360", "yolox_nano"),
    ("onnx/yolox_nano", "traffic_topdown_3lanes_640x360", "yolox_nano"),
    ("onnx/ultraface_rfb_320", "crowd_faces_800x450", "ultraface_rfb_320"),
    ("openvino/person_vehicle_bike_0078_fp16", "street_intersection_640x360", "person_vehicle_bike_0078_fp16"),
    ("tf/aizoo_mask", "masked_students_corridor_960x540", "aizoo_mask"),
    ("tf_savedmodel/aizoo_mask", "masked_students_corridor_960x540", "aizoo_mask"),
    ("paddle/aizoo_mask", "masked_students_corridor_960x540", "aizoo_mask"),
    ("onnx/squeezenet_fp16", "retail_aisle_1920x1080", "squeezenet_fp16"),
    ("tflite/vww_96/vww_96_float.tflite", "pedestrians_plaza_626x360", "vww_96"),
    ("tflite/movenet_lightning_int8", "single_face_headturn_1920x1080", "movenet_lightning_int8"),
]


@unittest.skipUnless(harness.testdata(), "no test data")
class RealModelsTest(harness.EndToEndTest):
    def events_of(self, model, clip):
        out = self.folder / "events.ndjson"
        data = harness.testdata()
        outcome = harness.run("run", "--source", data / "videos" / f"{clip}.mp4", "--model", data / "models" / model,
                              "--pace", "fast", "--events", out, "--json", timeout=500)
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assert_counts_add_up(outcome.summary())
        return out

    def test_agreement_with_other_runtimes(self):
        for model, clip, reference in CASES:
            with self.subTest(model=model, clip=clip):
                out = self.events_of(model, clip)
                scored = subprocess.run([sys.executable, SCORE, out, REFERENCES / f"{reference}.{clip}.json", "--min", "0.98"],
                                        stdout=subprocess.PIPE, text=True)
                print(f"{model} on {clip}: {scored.stdout.strip()}", flush=True)
                self.assertEqual(scored.returncode, 0, scored.stdout)

    def test_the_same_network_from_three_frameworks_gives_the_same_boxes(self):
        boxes = []
        for model in ("tf/aizoo_mask", "tf_savedmodel/aizoo_mask", "paddle/aizoo_mask"):
            out = self.events_of(model, "masked_students_corridor_960x540")
            events = [e for e in harness.lines(out.read_text()) if e["type"] == "result"]
            boxes.append({e["frame"]: [(o["label"], o["box"]) for o in e["objects"]] for e in events})
        for other in boxes[1:]:
            self.assertEqual(boxes[0].keys(), other.keys())
            for frame, objects in boxes[0].items():
                self.assertEqual(len(objects), len(other[frame]), frame)
                for (label, box), (other_label, other_box) in zip(objects, other[frame]):
                    self.assertEqual(label, other_label)
                    for a, b in zip(box, other_box):
                        self.assertAlmostEqual(a, b, delta=0.002)


if __name__ == "__main__":
    harness.main()
