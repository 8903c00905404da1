"""Scenes with exact truth, and a network that sees them: the whole program can be tested without any download.

A scene is a video of grey frames with red and blue squares on a grid of 8 x 8 cells. The network averages each cell and
says what stands in it, as a detector of the YOLOX family would; it is written here as an OpenVINO IR file, weights and all.
"""
import json
import math
import random
import shutil
import struct
import subprocess
from pathlib import Path

CELLS = 8
LABELS = ["red", "blue"]
# A dim square is seen as a red one with a score of 0.78; the others score above 0.99.
COLOURS = {"red": (230, 30, 30), "blue": (30, 30, 230), "dim": (130, 10, 10)}
GREY = (90, 90, 90)


def have_ffmpeg():
    return shutil.which("ffmpeg") is not None


def truth_of_frame(seed, frame):
    """The squares of one frame: [(label, column, row), ...], the same for the same seed."""
    chance = random.Random(seed * 100003 + frame)
    cells = chance.sample(range(CELLS * CELLS), chance.randint(0, 6))
    return [(chance.choice(LABELS), cell % CELLS, cell // CELLS) for cell in sorted(cells)]


def box_of(column, row):
    return [column / CELLS, row / CELLS, (column + 1) / CELLS, (row + 1) / CELLS]


def paint(squares, size):
    """Packed RGB bytes of one frame."""
    cell = size // CELLS
    colours = {(column, row): COLOURS[label] for label, column, row in squares}
    rows = []
    for row in range(CELLS):
        line = b"".join(bytes(colours.get((column, row), GREY)) * cell for column in range(CELLS))
        rows.append(line * cell)
    return b"".join(rows)


def write_video(path, seed=1, frames=50, rate=25, size=256, codec=("-c:v", "mpeg4", "-q:v", "2")):
    """A video file of a scene, in any container and codec that ffmpeg can write."""
    write_frames(path, (truth_of_frame(seed, frame) for frame in range(frames)), rate, size, codec)


def write_frames(path, frames, rate=25, size=256, codec=("-c:v", "mpeg4", "-q:v", "2")):
    """A video file of the squares of each frame."""
    process = subprocess.Popen(
        ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size}x{size}", "-r", str(rate),
         "-i", "-", *codec, "-pix_fmt", "yuv420p", str(path)], stdin=subprocess.PIPE)
    for squares in frames:
        process.stdin.write(paint(squares, size))
    process.stdin.close()
    if process.wait() != 0:
        raise RuntimeError(f"ffmpeg could not write {path}")


class _Graph:
    """Just enough of the IR format for a small chain of layers."""

    def __init__(self):
        self.layers, self.edges, self.weights = [], [], b""

    @staticmethod
    def _port(index, shape, precision):
        dims = "".join(f"<dim>{d}</dim>" for d in shape)
        return f'<port id="{index}" precision="{precision}">{dims}</port>'

    def add(self, kind, name, inputs, shape, data="", precision="FP32", version="opset1"):
        number = len(self.layers)
        text = f'<layer id="{number}" name="{name}" type="{kind}" version="{version}">'
        if data:
            text += f"<data {data}/>"
        if inputs:
            text += "<input>" + "".join(self._port(i, s, p) for i, (_, _, s, p) in enumerate(inputs)) + "</input>"
        for port, (source, source_port, _, _) in enumerate(inputs):
            self.edges.append((source, source_port, number, port))
        if kind != "Result":
            text += "<output>" + self._port(len(inputs), shape, precision) + "</output>"
        self.layers.append(text + "</layer>")
        return (number, len(inputs), shape, precision)

    def constant(self, name, values, shape, integer=False):
        data = struct.pack(f"<{len(values)}{'q' if integer else 'f'}", *values)
        offset = len(self.weights)
        self.weights += data
        dims = ", ".join(map(str, shape))
        kind, precision = ("i64", "I64") if integer else ("f32", "FP32")
        return self.add("Const", name, [], shape, precision=precision,
                        data=f'element_type="{kind}" shape="{dims}" offset="{offset}" size="{len(data)}"')

    def zeros(self, name, shape):
        """A constant of zeros, however large."""
        size, offset = 4 * math.prod(shape), len(self.weights)
        self.weights += bytes(size)
        dims = ", ".join(map(str, shape))
        return self.add("Const", name, [], shape,
                        data=f'element_type="f32" shape="{dims}" offset="{offset}" size="{size}"')

    def xml(self, name):
        edges = "".join(f'<edge from-layer="{a}" from-port="{b}" to-layer="{c}" to-port="{d}"/>'
                        for a, b, c, d in self.edges)
        return f'<?xml version="1.0"?><net name="{name}" version="11"><layers>{"".join(self.layers)}</layers>' \
               f"<edges>{edges}</edges></net>"


def _convolution(graph, name, source, weights, biases):
    outputs = len(biases)
    flat = [value for row in weights for value in row]
    kernel = graph.constant(name + "_weights", flat, [outputs, 3, 1, 1])
    shape = [1, outputs, CELLS, CELLS]
    product = graph.add("Convolution", name, [source, kernel], shape,
                        'strides="1, 1" dilations="1, 1" pads_begin="0, 0" pads_end="0, 0" auto_pad="explicit"')
    bias = graph.constant(name + "_bias", biases, [1, outputs, 1, 1])
    return graph.add("Add", name + "_add", [product, bias], shape, 'auto_broadcast="numpy"')


def _add_weights(graph, means, megabytes):
    """The means and the sum of their product with that many megabytes of zeros: as they were."""
    count = 3 * CELLS * CELLS
    columns = megabytes * (1 << 20) // 4 // count
    flat = graph.add("Reshape", "means_flat", [means, graph.constant("means_shape", [1, count], [2], integer=True)],
                     [1, count], 'special_zero="false"')
    product = graph.add("MatMul", "heavy", [flat, graph.zeros("heavy_weights", [count, columns])], [1, columns],
                        'transpose_a="false" transpose_b="false"')
    total = graph.add("ReduceSum", "heavy_sum", [product, graph.constant("heavy_axis", [1], [1], integer=True)], [1, 1],
                      'keep_dims="true"')
    return graph.add("Add", "heavy_add", [means, total], [1, 3, CELLS, CELLS], 'auto_broadcast="numpy"')


def write_model(folder, work=0, weights_mb=0):
    """The network and its card; it takes other sizes too, in cells of 16 pixels. `work` adds that many layers that cost time and change nothing, `weights_mb` that many
    megabytes of weights that change nothing: over 32 the engine keeps one copy of them for all lanes."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    size = 16 * CELLS
    graph = _Graph()
    picture = graph.add("Parameter", "picture", [], [1, 3, size, size],
                        f'shape="1,3,{size},{size}" element_type="f32"')
    for i in range(work):
        identity = [1.0 if (o == c and k == 4) else 0.0 for o in range(3) for c in range(3) for k in range(9)]
        kernel = graph.constant(f"work{i}_weights", identity, [3, 3, 3, 3])
        picture = graph.add("Convolution", f"work{i}", [picture, kernel], [1, 3, size, size],
                            'strides="1, 1" dilations="1, 1" pads_begin="1, 1" pads_end="1, 1" auto_pad="explicit"')
    means = graph.add("AvgPool", "means", [picture], [1, 3, CELLS, CELLS],
                      'kernel="16, 16" strides="16, 16" pads_begin="0, 0" pads_end="0, 0" exclude-pad="true" '
                      'auto_pad="explicit" rounding_type="floor"')
    if weights_mb > 0:
        means = _add_weights(graph, means, weights_mb)
    place = _convolution(graph, "place", means, [[0, 0, 0]] * 4, [0.5, 0.5, 0.0, 0.0])
    score = _convolution(graph, "score", means,
                         [[1 / 16, -2 / 16, 1 / 16], [1 / 16, 0, -1 / 16], [-1 / 16, 0, 1 / 16]], [-100 / 16, 0, 0])
    score = graph.add("Sigmoid", "sigmoid", [score], [1, 3, CELLS, CELLS])
    both = graph.add("Concat", "both", [place, score], [1, 7, CELLS, CELLS], 'axis="1"')
    cells = CELLS * CELLS
    flat = graph.add("Reshape", "flat", [both, graph.constant("flat_shape", [1, 7, -1], [3], integer=True)],
                     [1, 7, cells], 'special_zero="false"')
    rows = graph.add("Transpose", "rows", [flat, graph.constant("order", [0, 2, 1], [3], integer=True)], [1, cells, 7])
    graph.add("Result", "result", [rows], [])
    (folder / "scene.xml").write_text(graph.xml("scene"))
    (folder / "scene.bin").write_bytes(graph.weights)
    (folder / "model.yaml").write_text(
        "name: scene\n"
        "task: detection\n"
        "licence: Apache-2.0\n"
        f"input: {{ layout: nchw, width: {size}, height: {size}, color: rgb, resize: stretch }}\n"
        "output: { decoder: yolox, strides: [16], nms_iou: 0.45 }\n"
        f"labels: {json.dumps(LABELS)}\n")
    return folder


def write_classifier(folder, classes=3):
    """A network without a card, 1x3x128x128 to 1x`classes` shares; of three: of red, green and blue."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    graph = _Graph()
    picture = graph.add("Parameter", "picture", [], [1, 3, 128, 128], 'shape="1,3,128,128" element_type="f32"')
    means = graph.add("AvgPool", "means", [picture], [1, 3, 1, 1],
                      'kernel="128, 128" strides="128, 128" pads_begin="0, 0" pads_end="0, 0" exclude-pad="true" '
                      'auto_pad="explicit" rounding_type="floor"')
    flat = graph.add("Reshape", "flat", [means, graph.constant("flat_shape", [1, 3], [2], integer=True)], [1, 3],
                     'special_zero="false"')
    if classes != 3:
        table = graph.constant("table", [i % 3 / 100 for i in range(3 * classes)], [3, classes])
        flat = graph.add("MatMul", "mix", [flat, table], [1, classes], 'transpose_a="false" transpose_b="false"')
    shares = graph.add("SoftMax", "prob", [flat], [1, classes], 'axis="1"')
    graph.add("Result", "result", [shares], [])
    (folder / "net.xml").write_text(graph.xml("net"))
    (folder / "net.bin").write_bytes(graph.weights)
    return folder


def write_vectors(folder):
    """A network without a card, 1x3x128x128 to 192 numbers that say what colour the picture has: nothing in the graph
    tells whether they are classes or a vector, but as classes all are about as likely for any picture."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    graph = _Graph()
    picture = graph.add("Parameter", "picture", [], [1, 3, 128, 128], 'shape="1,3,128,128" element_type="f32"')
    means = graph.add("AvgPool", "means", [picture], [1, 3, 1, 1],
                      'kernel="128, 128" strides="128, 128" pads_begin="0, 0" pads_end="0, 0" exclude-pad="true" '
                      'auto_pad="explicit" rounding_type="floor"')
    flat = graph.add("Reshape", "flat", [means, graph.constant("flat_shape", [1, 3], [2], integer=True)], [1, 3],
                     'special_zero="false"')
    chance = random.Random(192)
    columns = []
    for _ in range(192):
        column = [chance.uniform(-1, 1) for _ in range(3)]
        columns.append([(value - sum(column) / 3) / 1000 for value in column])  # grey gives nothing
    table = graph.constant("table", [column[row] for row in range(3) for column in columns], [3, 192])
    vector = graph.add("MatMul", "mix", [flat, table], [1, 192], 'transpose_a="false" transpose_b="false"')
    graph.add("Result", "result", [vector], [])
    (folder / "net.xml").write_text(graph.xml("net"))
    (folder / "net.bin").write_bytes(graph.weights)
    return folder
