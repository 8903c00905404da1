#!/usr/bin/env python3
"""Every model of a test data set in one table: format, reader, what was worked out, and how close its numbers are.

  tools/model_table.py [--testdata ../shared/testdata] [--program build/dev/bin/deepedge] [--write docs/model-table.md]

For each reference (reference/<model>/meta.json) the model runs on the stored input (`deepedge model infer`) and its
outputs are compared with the stored ones; `deepedge model describe --no-catalogue` says what is worked out about it
without a card. Models without a reference (networks whose weights are not trained, or are missing) follow. Exit code 1
when there is no reference, a model with weights does not load or an output is outside its tolerance.
"""

import argparse
import array
import ast
import json
import math
import pathlib
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests"))
import score_events  # noqa: E402

TYPES = {"f4": "f", "f8": "d", "i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "i8": "q", "u8": "Q"}


def read_npy(path):
    """(shape, flat list of numbers) of a C-ordered NumPy file."""
    data = pathlib.Path(path).read_bytes()
    if data[:6] != b"\x93NUMPY":
        raise ValueError(f"{path}: not a NumPy file")
    wide = data[6] >= 2
    length = struct.unpack_from("<I" if wide else "<H", data, 8)[0]
    begin = (12 if wide else 10) + length
    header = ast.literal_eval(data[begin - length:begin].decode("latin1"))
    if header["fortran_order"]:
        raise ValueError(f"{path}: in Fortran order")
    kind = header["descr"].lstrip("<>|=")
    if kind == "f2":
        return header["shape"], [v[0] for v in struct.iter_unpack("<e", data[begin:])]
    numbers = array.array("B" if kind == "b1" else TYPES[kind])
    numbers.frombytes(data[begin:])
    return header["shape"], numbers.tolist()


def write_npy(path, shape, numbers, dtype):
    """`numbers` as the NumPy type `dtype` names ("float32", "uint8", ...)."""
    kind = {"float32": "f4", "float64": "f8", "float16": "f2", "int64": "i8", "int32": "i4", "int8": "i1",
            "uint8": "u1"}[dtype]
    text = f"{{'descr': '{'|' if kind[1] == '1' else '<'}{kind}', 'fortran_order': False, 'shape': {tuple(shape)}, }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    if kind == "f2":
        data = struct.pack(f"<{len(numbers)}e", *numbers)
    else:
        data = array.array(TYPES[kind], (float(v) if kind[0] == "f" else int(v) for v in numbers)).tobytes()
    pathlib.Path(path).write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + data)


def cut(numbers, shape, slices):
    """The part of a tensor that `slices` ((start, stop, step) for each axis) name, flat."""
    strides = [math.prod(shape[axis + 1:]) for axis in range(len(shape))]
    places = [0]
    for (start, stop, step), stride in zip(slices, strides):
        places = [place + i * stride for place in places for i in range(start, stop, step)]
    return [numbers[place] for place in places]


def without_ones(shape):
    return [d for d in shape if d != 1]


def compare_numbers(actual, expected, tolerance, output):
    """(worst difference, relative L2, problem or None)."""
    if len(actual) != len(expected):
        return math.inf, math.inf, f"{len(actual)} numbers, not {len(expected)}"
    worst = max((abs(a - e) for a, e in zip(actual, expected)), default=0)
    norm = math.sqrt(sum(e * e for e in expected)) or 1e-12
    relative = math.sqrt(sum((a - e) ** 2 for a, e in zip(actual, expected))) / norm
    if math.isnan(worst) or math.isnan(relative):
        return math.inf, math.inf, "not a number"
    largest = max(abs(output["min"]), abs(output["max"]))
    problem = None
    if relative > tolerance.get("rel_l2", math.inf):
        problem = f"relative L2 {relative:.2g}"
    if worst > tolerance.get("max_abs", math.inf) or worst > tolerance.get("max_abs_rel", math.inf) * largest:
        problem = f"difference {worst:.2g}"
    if tolerance.get("same_argmax") and actual.index(max(actual)) != expected.index(max(expected)):
        problem = "another largest number"
    return worst, relative, problem


def compare_columns(actual, expected, output):
    columns = output["tolerance"]["cols"]
    worst, relative, problem = 0, 0, None
    for c, limits in enumerate(columns):
        result = compare_numbers(actual[c::len(columns)], expected[c::len(columns)], limits, output)
        worst, relative, problem = max(worst, result[0]), max(relative, result[1]), problem or result[2]
    return worst, relative, problem


def compare_detections(actual, expected, rule):
    """Rows of (label, score, box): each over its limit needs a partner. (worst score difference, None, problem)."""
    worst, problem = 0.0, None
    for rows, others, limit in ((expected, actual, rule["min_score"]),
                                (actual, expected, rule["min_score"] + rule["score_tol"])):
        free = list(others)
        for label, score, box in sorted((r for r in rows if r[1] >= limit), key=lambda r: -r[1]):
            fits = [o for o in free if o[0] == label and score_events.iou(o[2], box) >= rule["min_iou"]
                    and abs(o[1] - score) <= rule["score_tol"]]
            if not fits:
                problem = f"no partner for label {label} of score {score:.2f}"
                continue
            best = max(fits, key=lambda o: score_events.iou(o[2], box))
            free.remove(best)
            worst = max(worst, abs(best[1] - score))
    return worst, None, problem


def table_rows(numbers, columns, rule):
    return [(int(numbers[i + rule["label_col"]]), numbers[i + rule["score_col"]],
             [numbers[i + c] for c in rule["box_cols"]]) for i in range(0, len(numbers) - columns + 1, columns)]


def file_name(tensor):
    return tensor.replace("/", "_").replace(":", "_") + ".npy"


class Case:
    """One reference: its files, and what became of it."""

    def __init__(self, folder, testdata):
        self.folder = folder
        self.name = str(folder.relative_to(testdata / "reference"))
        self.meta = json.loads((folder / "meta.json").read_text())
        files = self.meta["file"]
        self.file = testdata / (files if isinstance(files, str) else files[0])
        if self.file.suffix == ".pb" and isinstance(files, list):
            self.file = testdata / files[1]  # OpenCV's form: the text is the graph

    def inputs(self, folder):
        options = []
        for i, tensor in enumerate(self.meta["inputs"]):
            path = self.folder / tensor["file"]
            if tensor.get("stored_dtype", tensor["dtype"]) != tensor["dtype"]:
                # Stored narrower without loss; the model takes its own type.
                shape, numbers = read_npy(path)
                path = folder / f"in_{i}.npy"
                write_npy(path, shape, numbers, tensor["dtype"])
            options += ["--input", f"{tensor['name']}={path}"]
        return options

    def compare(self, output, folder):
        """(largest difference, relative L2, problem) of one output, or nothing where it is not compared alone."""
        rule = output.get("compare", {})
        kind = rule.get("kind", "numbers")
        if kind == "in_group":
            return None
        if kind == "detection_group":
            def group(prefix, base):
                boxes, classes, scores = (read_npy(base / (prefix + file_name(rule[k])))[1]
                                          for k in ("boxes", "classes", "scores"))
                return [(int(classes[i]), scores[i], [boxes[4 * i + c] for c in (1, 0, 3, 2)])
                        for i in range(len(scores))]
            return compare_detections(group("", folder), group("out_", self.folder), rule)
        path = folder / file_name(output["name"])
        if not path.exists():
            return math.inf, None, "is not among the outputs"
        shape, actual = read_npy(path)
        if without_ones(shape) != without_ones(output["shape"]):
            return math.inf, None, f"has shape {list(shape)}, not {output['shape']}"
        _, expected = read_npy(self.folder / output["file"])
        if "slice" in output:
            actual = cut(actual, output["shape"], output["slice"])
        if kind == "detections":
            columns = output["shape"][-1]
            return compare_detections(table_rows(actual, columns, rule), table_rows(expected, columns, rule), rule)
        if "cols" in output["tolerance"]:
            return compare_columns(actual, expected, output)
        return compare_numbers(actual, expected, output["tolerance"], output)

    def check(self, program, folder):
        """Runs the model; (worst difference, worst relative L2, problem)."""
        ran = subprocess.run([program, "model", "infer", self.file, *self.inputs(folder), "--output", folder / "out"],
                             capture_output=True, text=True, check=False)
        if ran.returncode != 0:
            return None, None, (ran.stderr.strip().splitlines() or ["failed"])[-1]
        worst, relative, problem = 0.0, 0.0, None
        groups = {}
        for output in self.meta["outputs"]:
            result = self.compare(output, folder / "out")
            if result is None:
                continue
            groups.setdefault(output.get("one_of", output["name"]), []).append((output["name"], result))
        for results in groups.values():
            # Of several forms of one result, one is enough.
            name, best = min(results, key=lambda r: (r[1][2] is not None, r[1][0]))
            worst, relative = max(worst, best[0]), max(relative, best[1] or 0)
            if best[2]:
                problem = f"{name}: {best[2]}"
        return worst, relative, problem


def describe(program, path):
    """What is worked out without a card: format, reader, task, decoder, how sure."""
    ran = subprocess.run([program, "model", "describe", path, "--no-catalogue", "--json"], capture_output=True,
                         text=True, check=False)
    if ran.returncode != 0:
        return None
    return json.loads(ran.stdout.splitlines()[-1])


def confidence(described):
    return next((f["confidence"] for f in described["findings"] if f["field"] == "output.decoder"), 0.0)


def small(number):
    return "–" if number is None else "0" if number == 0 else f"{number:.1e}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--testdata", type=pathlib.Path, default=pathlib.Path("../shared/testdata"))
    parser.add_argument("--program", default="build/dev/bin/deepedge")
    parser.add_argument("--write", type=pathlib.Path, help="file for the table; default: standard output")
    options = parser.parse_args()
    testdata = options.testdata.resolve()

    lines = ["| model | format | reader | task found | decoder | sure | largest difference | relative L2 | |",
             "|---|---|---|---|---|---|---|---|---|"]
    bad = 0
    for meta in sorted((testdata / "reference").rglob("meta.json")):
        case = Case(meta.parent, testdata)
        described = describe(options.program, case.file)
        with tempfile.TemporaryDirectory() as folder:
            worst, relative, problem = case.check(options.program, pathlib.Path(folder))
        bad += problem is not None or described is None
        what = described or {"format": "?", "reader": "?", "task": "?", "decoder": "?", "findings": []}
        lines.append(f"| {case.name} | {what['format']} | {what['reader']} | {what['task']} | {what['decoder']} | "
                     f"{confidence(what):.2f} | {small(worst)} | {small(relative)} | {problem or 'within'} |")
        print(lines[-1], file=sys.stderr, flush=True)
    bad += len(lines) == 2
    referred = {str(meta.parent.relative_to(testdata / "reference")).split("/")[1]
                for meta in (testdata / "reference").rglob("meta.json")}
    for folder in sorted(p for p in (testdata / "models").glob("*/*") if p.is_dir() and p.name not in referred):
        described = describe(options.program, folder)
        name = folder.relative_to(testdata / "models")
        if described is None:
            lines.append(f"| {name} | | | | | | – | – | no weights |")
        else:
            lines.append(f"| {name} | {described['format']} | {described['reader']} | {described['task']} | "
                         f"{described['decoder']} | {confidence(described):.2f} | – | – | loads; weights not trained |")
    text = "\n".join(lines) + "\n"
    if options.write:
        before = options.write.read_text() if options.write.exists() else "<!-- table -->\n<!-- end -->\n"
        head, _, rest = before.partition("<!-- table -->\n")
        _, _, tail = rest.partition("<!-- end -->")
        options.write.write_text(f"{head}<!-- table -->\n{text}<!-- end -->{tail}")
    else:
        print(text, end="")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
