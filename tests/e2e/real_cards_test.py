"""Cards that write themselves: detectors and classifiers of the test data, with no hand-written card, give the right
boxes and classes on the picture that their reference was computed from.

A detector is right when its objects are those that the hand-written card of the catalogue gives (F1 >= 0.9 at IoU 0.5,
names included where anything names them; objects without a partner count from a score of 0.45 on), or, where there is none, those of the reference's own list. A classifier is right when its first class is
the reference's. Nine of ten must be right; which are not is printed.
"""
import json
import re
import subprocess
import sys
import unittest
from pathlib import Path

import harness
import scene

sys.path[:0] = [str(harness.REPOSITORY / "tests"), str(harness.REPOSITORY / "tools")]
import model_table  # noqa: E402
import score_events  # noqa: E402

STREET = ("street_intersection_640x360", 346, None)
CROWD = ("crowd_faces_800x450", 76, None)
MASKS = ("masked_students_corridor_960x540", 80, None)
AISLE = ("retail_aisle_1920x1080", 120, (0, 0, 1080, 1080))
CAR = ("parking_person_bicycle_car_768x432", 389, (0, 30, 190, 150))
WALKER = ("pedestrians_plaza_626x360", 346, (340, 130, 150, 150))
FACE = ("single_face_headturn_1920x1080", 297, (700, 80, 350, 350))

# model: picture
DETECTORS = {
    "caffe/aizoo_mask": MASKS,
    "caffe/ultraface_rfb_320": CROWD,
    "darknet/yolo_fastest_1.1": STREET,
    "onnx/hyperlpr_plate_det": "models/onnx/hyperlpr_plate_det/test_img.jpg",
    "onnx/ultraface_rfb_320": CROWD,
    "onnx/yolox_nano": STREET,
    "openvino/face_detection_retail_0004_fp32": CROWD,
    "openvino/person_vehicle_bike_0078_fp16": STREET,
    "paddle/aizoo_mask": MASKS,
    "tf/aizoo_mask": MASKS,
    "tf/opencv_face_uint8": CROWD,
    "tf_savedmodel/aizoo_mask": MASKS,
    "tflite/ssd_mobilenet_v1_coco_quant": STREET,
}
# model: (picture, number of the right class, its name)
CLASSIFIERS = {
    "caffe/lenet_mnist": ("digit", 7, "7"),
    "caffe/mtcnn/det3.prototxt": (FACE, 1, "face"),
    "cntk/cifar10_v2_pscntk": (CAR, 1, "automobile"),
    "cntk/resnet20_cifar10_v1": (CAR, 1, "automobile"),
    "onnx/cntk_mnist_opset7": ("digit", 7, "7"),
    "onnx/shufflenet_v2_int8": (AISLE, 865, "toyshop"),
    "onnx/squeezenet_fp16": (AISLE, 865, "toyshop"),
    "openvino/emotions_0003_int8": (FACE, 4, "anger"),
    "tflite/vww_96/vww_96_float.tflite": (WALKER, 1, "person"),
    "tflite/vww_96/vww_96_int8.tflite": (WALKER, 1, "person"),
}
SHARE = 0.9


@unittest.skipUnless(harness.testdata() and scene.have_ffmpeg(), "no test data")
class RealCardsTest(harness.EndToEndTest):
    def picture(self, what):
        if isinstance(what, str):
            return self.digit() if what == "digit" else harness.testdata() / what
        clip, frame, crop = what
        out = self.folder / f"{clip}_{frame}_{'_'.join(map(str, crop or ()))}.png"
        cut = f",crop={crop[2]}:{crop[3]}:{crop[0]}:{crop[1]}" if crop else ""
        if not out.exists():
            subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", harness.testdata() / "videos" / f"{clip}.mp4", "-vf",
                            f"select=eq(n\\,{frame}){cut}", "-frames:v", "1", out], check=True)
        return out

    def digit(self):
        """The drawn seven of a reference, as a picture."""
        _, values = model_table.read_npy(harness.testdata() / "reference/onnx/cntk_mnist_opset7/in_Input3.npy")
        grey, out = self.folder / "seven.pgm", self.folder / "seven.png"
        grey.write_bytes(b"P5 28 28 255\n" + bytes(int(v) for v in values))
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", grey, out], check=True)
        return out

    def with_written_card(self, path):
        """A folder with links to the model's files and the card that was worked out for it."""
        described = harness.run("model", "describe", path, "--no-catalogue", "--json")
        self.assertEqual(described.code, 0, described.err)
        report = harness.lines(described.out)[0]
        graph = Path(report["model"])
        folder = self.folder / "written" / report["name"]
        number = 0
        while folder.exists():
            number += 1
            folder = self.folder / "written" / f"{report['name']}_{number}"
        folder.mkdir(parents=True)
        beside = graph.iterdir() if graph.is_dir() else graph.parent.iterdir()
        for file in beside:
            alone = graph.is_dir() or file.stem == graph.stem or len(list(graph.parent.iterdir())) < 4 or \
                file.name.startswith("__")
            if alone and file.suffix not in (".jpg", ".txt"):
                (folder / file.name).symlink_to(file)
        (folder / "model.yaml").write_text(report["card"])
        return folder if graph.is_dir() else folder / graph.name

    def seen(self, model, picture):
        outcome = harness.run("model", "run", model, picture, "--json")
        self.assertEqual(outcome.code, 0, outcome.err)
        return harness.lines(outcome.out)[0]

    def listed(self, name):
        """The objects of a reference that is a list of detections."""
        folder = harness.testdata() / "reference" / name
        meta = json.loads((folder / "meta.json").read_text())
        output = meta["outputs"][0]
        _, numbers = model_table.read_npy(folder / output["file"])
        rows = model_table.table_rows(numbers, output["shape"][-1], output["compare"])
        return [{"label": "face", "score": score, "box": box} for label, score, box in rows if score >= 0.4]

    def judge_detector(self, name, picture):
        path = harness.testdata() / "models" / name
        found = self.seen(self.with_written_card(path), picture)["objects"]
        by_hand = harness.run("model", "describe", path, "--json")
        if harness.lines(by_hand.out)[0]["origin"] == "catalogue":
            expected = self.seen(path, picture)["objects"]
        else:
            expected = self.listed(name)
        if any(o["label"].startswith("class ") for o in found):
            # Nothing names its classes: they count by number.
            labels = re.findall(r"^  - (.*)$", harness.lines(by_hand.out)[0]["card"].partition("labels:")[2], re.M)
            expected = [{**o, "label": f"class {labels.index(o['label'])}"} for o in expected]
        pairs = score_events.match(found, expected, 0.5)
        # A score on the other side of the threshold by rounding is no error of a card.
        clear = sum(o["score"] >= 0.45 for i, o in enumerate(found) if i not in {a for a, _ in pairs})
        missed = sum(o["score"] >= 0.45 for i, o in enumerate(expected) if i not in {b for _, b in pairs})
        f1 = 2 * len(pairs) / max(1, 2 * len(pairs) + clear + missed)
        return bool(pairs) and f1 >= 0.9, f"F1 {f1:.2f}, {len(found)} objects, {len(expected)} expected"

    def judge_classifier(self, name, picture, number, label):
        result = self.seen(self.with_written_card(harness.testdata() / "models" / name), picture)
        said = result.get("classes") or result.get("objects")  # MTCNN's third network gives the face its box
        if not said:
            return False, f"no classes: {json.dumps(result)[:80]}"
        first = said[0]["label"]
        return first in (label, f"class {number}"), f"says {first}, expected {label}"

    def test_nine_of_ten_are_right_without_a_card(self):
        wrong = []
        for name, picture in DETECTORS.items():
            right, what = self.judge_detector(name, self.picture(picture))
            print(f"{'right' if right else 'WRONG'}  {name}: {what}", flush=True)
            wrong += [] if right else [name]
        for name, (picture, number, label) in CLASSIFIERS.items():
            right, what = self.judge_classifier(name, self.picture(picture), number, label)
            print(f"{'right' if right else 'WRONG'}  {name}: {what}", flush=True)
            wrong += [] if right else [name]
        total = len(DETECTORS) + len(CLASSIFIERS)
        print(f"{total - len(wrong)} of {total} right")
        self.assertLessEqual(len(wrong), (1 - SHARE) * total + 1e-9, f"wrong: {wrong}")


if __name__ == "__main__":
    harness.main()
