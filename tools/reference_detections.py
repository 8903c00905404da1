#!/usr/bin/env python3
"""Computes reference results by other runtimes than DeepEdge's, for the end-to-end tests: tests/reference/*.json.

  python3 -m venv venv && venv/bin/pip install numpy 'opencv-python-headless<5' onnxruntime ai-edge-litert openvino
  venv/bin/python tools/reference_detections.py --testdata FOLDER [--only NAME] [--frames 30]

FOLDER holds videos/ and models/. Pictures come from the ffmpeg program; preprocessing, decoding of outputs and
suppression are written here once more, from the descriptions of the models, and share no code with DeepEdge. The
results are compared with tests/score_events.py.

A file holds, for some frames spread over one clip (numbered in presentation order from 0):
  objects    label, score, box (x1, y1, x2, y2 as fractions) of every object at or over the threshold
  near       the same for scores up to 0.05 under the threshold: neither right nor wrong to report
  classes    the best five labels with their scores
  keypoints  [x, y, score] of each point
"""

import argparse
import json
import pathlib
import subprocess

import cv2
import numpy as np

NEAR = 0.05
REPOSITORY = pathlib.Path(__file__).resolve().parent.parent


def labels_of(name):
    return (REPOSITORY / "catalogue" / name).read_text().splitlines()


# ---- pictures -------------------------------------------------------------------------------------------------------


def probe(clip):
    out = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", "v:0", "-count_packets", "-show_entries",
         "stream=width,height,nb_read_packets", "-of", "csv=p=0", str(clip)],
        check=True, capture_output=True, text=True).stdout
    width, height, count = out.strip().split(",")[:3]
    return int(width), int(height), int(count)


def frames(clip, wanted):
    """(index, RGB picture) of the wanted frames, in presentation order, every frame of the file counted once."""
    width, height, _ = probe(clip)
    flags = "bilinear+accurate_rnd+full_chroma_int"
    process = subprocess.Popen(
        ["ffmpeg", "-v", "error", "-i", str(clip), "-map", "0:v:0", "-vsync", "passthrough", "-sws_flags", flags,
         "-pix_fmt", "rgb24", "-f", "rawvideo", "-"], stdout=subprocess.PIPE)
    size = width * height * 3
    index = 0
    while True:
        data = process.stdout.read(size)
        if len(data) < size:
            break
        if index in wanted:
            yield index, np.frombuffer(data, np.uint8).reshape(height, width, 3)
        index += 1
    process.wait()


def stretch(picture, width, height):
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)


def letterbox(picture, width, height, pad, centred):
    """The padded picture and the transform back: fraction of the input -> fraction of the picture."""
    h, w = picture.shape[:2]
    scale = min(width / w, height / h)
    new_w, new_h = round(w * scale), round(h * scale)
    x, y = ((width - new_w) // 2, (height - new_h) // 2) if centred else (0, 0)
    canvas = np.full((height, width, 3), pad, np.uint8)
    canvas[y : y + new_h, x : x + new_w] = stretch(picture, new_w, new_h)
    return canvas, lambda fx, fy: ((fx * width - x) / new_w, (fy * height - y) / new_h)


def nchw(picture):
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None])


# ---- results --------------------------------------------------------------------------------------------------------


def suppress(boxes, scores, classes, iou, per_label=True):
    """Greedy; boxes as fractions. Returns the kept indices, best first."""
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept = []
    for i in np.argsort(-np.asarray(scores), kind="stable"):
        for k in kept:
            if per_label and classes[i] != classes[k]:
                continue
            w = min(boxes[i, 2], boxes[k, 2]) - max(boxes[i, 0], boxes[k, 0])
            h = min(boxes[i, 3], boxes[k, 3]) - max(boxes[i, 1], boxes[k, 1])
            both = max(w, 0) * max(h, 0)
            if both > iou * (area[i] + area[k] - both):
                break
        else:
            kept.append(i)
    return kept


def objects(boxes, scores, classes, labels, threshold):
    """The parts `objects` and `near` of a frame."""
    result = {"objects": [], "near": []}
    for box, score, label in sorted(zip(boxes, scores, classes), key=lambda row: -row[1]):
        box = np.clip(box, 0, 1)
        if score < threshold - NEAR or box[2] <= box[0] or box[3] <= box[1]:
            continue
        part = "objects" if score >= threshold else "near"
        result[part].append({"label": labels[label], "score": round(float(score), 4),
                             "box": [round(float(v), 5) for v in box]})
    return result


def best_classes(scores, labels, count=5):
    order = np.argsort(-scores)[:count]
    return {"classes": [{"label": labels[i], "score": round(float(scores[i]), 4)} for i in order]}


# ---- models ---------------------------------------------------------------------------------------------------------


class Onnx:
    def __init__(self, path):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.name = self.session.get_inputs()[0].name
        self.outputs = [o.name for o in self.session.get_outputs()]
        self.runtime = f"onnxruntime {onnxruntime.__version__}"

    def __call__(self, tensor):
        return dict(zip(self.outputs, self.session.run(None, {self.name: tensor})))


class Litert:
    def __init__(self, path):
        import importlib.metadata

        from ai_edge_litert.interpreter import Interpreter

        self.interpreter = Interpreter(str(path), num_threads=1)
        self.interpreter.allocate_tensors()
        self.runtime = f"LiteRT (ai-edge-litert) {importlib.metadata.version('ai-edge-litert')}"

    def __call__(self, tensor):
        self.interpreter.set_tensor(self.interpreter.get_input_details()[0]["index"], tensor)
        self.interpreter.invoke()
        return [self.interpreter.get_tensor(o["index"]) for o in self.interpreter.get_output_details()]


class YoloxNano:
    model = "yolox_nano"
    file = "onnx/yolox_nano/yolox_nano.onnx"
    settings = {"threshold": 0.4, "nms_iou": 0.45}

    def __init__(self, path):
        self.net = Onnx(path)
        self.labels = labels_of("coco80.txt")
        grids, strides = [], []
        for stride in (8, 16, 32):
            n = 416 // stride
            y, x = np.mgrid[:n, :n]
            grids.append(np.stack([x, y], -1).reshape(-1, 2))
            strides.append(np.full((n * n, 1), stride))
        self.grid, self.stride = np.concatenate(grids), np.concatenate(strides)

    def __call__(self, picture):
        canvas, back = letterbox(picture, 416, 416, 114, centred=False)
        rows = self.net(nchw(canvas[:, :, ::-1]).astype(np.float32))["output"][0]
        centre = (rows[:, :2] + self.grid) * self.stride / 416
        half = np.exp(rows[:, 2:4]) * self.stride / 416 / 2
        scores = rows[:, 4:5] * rows[:, 5:]
        classes, best = scores.argmax(1), scores.max(1)
        keep = best >= self.settings["threshold"] - NEAR
        x1, y1 = back(*(centre - half)[keep].T)
        x2, y2 = back(*(centre + half)[keep].T)
        boxes, best, classes = np.clip(np.stack([x1, y1, x2, y2], 1), 0, 1), best[keep], classes[keep]
        kept = suppress(boxes, best, classes, self.settings["nms_iou"])
        return objects(boxes[kept], best[kept], classes[kept], self.labels, self.settings["threshold"])


class Ultraface:
    model = "ultraface_rfb_320"
    file = "onnx/ultraface_rfb_320/version-RFB-320.onnx"
    settings = {"threshold": 0.4, "nms_iou": 0.3}

    def __init__(self, path):
        self.net = Onnx(path)

    def __call__(self, picture):
        out = self.net(nchw((stretch(picture, 320, 240).astype(np.float32) - 127) / 128))
        scores = out["scores"][0, :, 1]
        keep = scores >= self.settings["threshold"] - NEAR
        boxes, scores = np.clip(out["boxes"][0][keep], 0, 1), scores[keep]
        classes = np.zeros(len(scores), int)
        kept = suppress(boxes, scores, classes, self.settings["nms_iou"])
        return objects(boxes[kept], scores[kept], classes[kept], ["face"], self.settings["threshold"])


class PersonVehicleBike:
    """The file is in OpenVINO's own format, which no other runtime reads: only what comes before and after the network
    is independent here."""

    model = "person_vehicle_bike_0078_fp16"
    file = "openvino/person_vehicle_bike_0078_fp16/person-vehicle-bike-detection-crossroad-0078.xml"
    settings = {"threshold": 0.4}

    def __init__(self, path):
        import openvino

        self.net = openvino.Core().compile_model(str(path), "CPU", {"INFERENCE_NUM_THREADS": 1,
                                                                  "INFERENCE_PRECISION_HINT": "f32"})
        self.runtime = f"OpenVINO {openvino.__version__.split('-')[0]}, Python"

    def __call__(self, picture):
        rows = self.net(nchw(stretch(picture, 1024, 1024)[:, :, ::-1]).astype(np.float32))[0].reshape(-1, 7)
        end = np.flatnonzero(rows[:, 0] < 0)
        rows = rows[: end[0]] if len(end) else rows
        return objects(rows[:, 3:], rows[:, 2], rows[:, 1].astype(int) - 1, ["person", "vehicle", "bike"],
                       self.settings["threshold"])


class AizooMask:
    """Read from the Caffe form of the same network and weights."""

    model = "aizoo_mask"
    file = "caffe/aizoo_mask/face_mask_detection.caffemodel"
    settings = {"threshold": 0.4, "nms_iou": 0.4, "nms_per_label": False}

    def __init__(self, path):
        self.net = cv2.dnn.readNetFromCaffe(str(path.with_suffix(".prototxt")), str(path))
        self.runtime = f"OpenCV {cv2.__version__} dnn"
        anchors = []
        for n, sizes in zip((33, 17, 9, 5, 3), ((0.04, 0.056), (0.08, 0.11), (0.16, 0.22), (0.32, 0.45), (0.64, 0.72))):
            shapes = [(s, s) for s in sizes] + [(sizes[0] * r**0.5, sizes[0] / r**0.5) for r in (0.62, 0.42)]
            for y in range(n):
                for x in range(n):
                    anchors += [((x + 0.5) / n, (y + 0.5) / n, w, h) for w, h in shapes]
        self.anchors = np.array(anchors)

    def __call__(self, picture):
        self.net.setInput(nchw(stretch(picture, 260, 260)).astype(np.float32) / 255)
        offsets, scores = (t.reshape(5972, -1) for t in self.net.forward(
            ["loc_branch_concat", "cls_branch_concat"]))
        a = self.anchors
        centre = a[:, :2] + offsets[:, :2] * 0.1 * a[:, 2:]
        half = a[:, 2:] * np.exp(offsets[:, 2:] * 0.2) / 2
        classes, best = scores.argmax(1), scores.max(1)
        keep = best >= self.settings["threshold"] - NEAR
        boxes = np.clip(np.concatenate([centre - half, centre + half], 1)[keep], 0, 1)
        best, classes = best[keep], classes[keep]
        kept = suppress(boxes, best, classes, self.settings["nms_iou"], per_label=False)
        return objects(boxes[kept], best[kept], classes[kept], ["mask", "no_mask"], self.settings["threshold"])


class SqueezeNet:
    model = "squeezenet_fp16"
    file = "onnx/squeezenet_fp16/SqueezeNet_fp16.onnx"
    settings = {}

    def __init__(self, path):
        self.net = Onnx(path)
        self.labels = labels_of("imagenet1000.txt")

    def __call__(self, picture):
        bgr = stretch(picture, 224, 224)[:, :, ::-1].astype(np.float32) - np.array([104, 117, 123], np.float32)
        return best_classes(self.net(nchw(bgr).astype(np.float16))["softmaxout_1"].reshape(-1), self.labels)


class Vww:
    model = "vww_96"
    file = "tflite/vww_96/vww_96_float.tflite"
    settings = {}

    def __init__(self, path):
        self.net = Litert(path)

    def __call__(self, picture):
        scores = self.net(stretch(picture, 96, 96)[None].astype(np.float32) / 255)[0].reshape(-1)
        return best_classes(scores, ["no_person", "person"])


class Movenet:
    model = "movenet_lightning_int8"
    file = "tflite/movenet_lightning_int8/movenet_single_pose_lightning_ptq.tflite"
    settings = {}

    def __init__(self, path):
        self.net = Litert(path)

    def __call__(self, picture):
        canvas, back = letterbox(picture, 192, 192, 0, centred=True)
        rows = self.net(canvas[None])[0].reshape(17, 3)
        x, y = (np.clip(v, 0, 1) for v in back(rows[:, 1], rows[:, 0]))
        return {"keypoints": [[round(float(v), 5) for v in row] for row in np.stack([x, y, rows[:, 2]], 1)]}


PAIRS = (
    (YoloxNano, "street_intersection_640x360.mp4"),
    (YoloxNano, "traffic_topdown_3lanes_640x360.mp4"),
    (Ultraface, "crowd_faces_800x450.mp4"),
    (PersonVehicleBike, "street_intersection_640x360.mp4"),
    (AizooMask, "masked_students_corridor_960x540.mp4"),
    (SqueezeNet, "retail_aisle_1920x1080.mp4"),
    (Vww, "pedestrians_plaza_626x360.mp4"),
    (Movenet, "single_face_headturn_1920x1080.mp4"),
)


def write(path, head, rows):
    """One frame a line, so that differences can be read."""
    lines = ",\n".join("  " + json.dumps({"frame": index, **row}, separators=(",", ":")) for index, row in rows)
    fields = "".join(f' {json.dumps(key)}: {json.dumps(value)},\n' for key, value in head.items())
    path.write_text("{\n" + fields + ' "frames": [\n' + lines + "\n ]\n}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--testdata", type=pathlib.Path, required=True, help="folder with videos/ and models/")
    parser.add_argument("--only", default="", help="models or clips whose name holds this")
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--output", type=pathlib.Path, default=REPOSITORY / "tests" / "reference")
    arguments = parser.parse_args()
    for make, clip in PAIRS:
        if arguments.only not in make.model and arguments.only not in clip:
            continue
        model_file = arguments.testdata / "models" / make.file
        net = make(model_file)
        path = arguments.testdata / "videos" / clip
        count = probe(path)[2]
        wanted = {round(i) for i in np.linspace(0, count - 1, arguments.frames)}
        rows = [(index, net(picture)) for index, picture in frames(path, wanted)]
        head = {"model": make.model, "model_file": make.file, "clip": clip,
                "runtime": getattr(net, "runtime", None) or net.net.runtime, **make.settings}
        name = f"{make.model}.{clip.split('.')[0]}.json"
        write(arguments.output / name, head, rows)
        found = sum(len(row.get("objects", [])) for _, row in rows)
        near = sum(len(row.get("near", [])) for _, row in rows)
        print(f"{name}: {len(rows)} frames, {found} objects, {near} near the threshold")


if __name__ == "__main__":
    main()
