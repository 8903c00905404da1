#!/usr/bin/env python3
"""Checks who includes whom: `check_layers.py [REPOSITORY]`. Prints file:line and the broken rule; exit code 1 if any.

The tables below are the rule. A folder under deepedge/ may include its own headers and those of folders on lines above
its own; folders on one line may not include one another. A third-party header is included in its own places only, so
that a library can be replaced in one folder. Only what the tables name may be included at all.
"""

import pathlib
import re
import sys

LAYERS = (
    ("base",),
    ("config",),
    ("media",),
    ("model",),
    ("formats",),
    ("plan",),  # plain data, below the engine: the fake engine answers from a Profile
    ("engine",),
    ("ingest", "profiler", "sampler", "allocator", "scheduler", "pipeline", "events",
     "repository"),
    ("runtime",),
    ("sim", "api", "bench"),
    ("app",),
)
TESTS = "tests"  # end-to-end tests beside deepedge/: may include everything

# (what the header's name begins with, places that may include it; a place covers the folders below it). The first that
# fits counts.
ANYWHERE = ("deepedge", TESTS)
LIBRARIES = (
    ("nlohmann/", ANYWHERE),
    ("fmt/", ANYWHERE),
    ("gtest/", ANYWHERE),
    ("gmock/", ANYWHERE),
    ("benchmark/", ANYWHERE),
    ("spdlog/", ("deepedge/base",)),
    ("openssl/", ("deepedge/base",)),
    ("yaml-cpp/", ("deepedge/config", "deepedge/model")),
    ("libyuv", ("deepedge/media",)),
    ("libswscale/", ("deepedge/ingest/ffmpeg",)),
    ("libav", ("deepedge/ingest/ffmpeg",)),
    # The readers of foreign formats build the engine's graph: docs/adr/0005.
    ("openvino/", ("deepedge/engine/openvino", "deepedge/formats")),
    ("pugixml", ("deepedge/formats",)),
    ("curl/", ("deepedge/repository", "deepedge/events/webhook")),
    ("sqlite3", ("deepedge/events/outbox", "deepedge/profiler/store")),
    ("Eigen/", ("deepedge/profiler",)),
    ("hwloc", ("deepedge/profiler/meter",)),
    ("mosquitto", ("deepedge/events/mqtt",)),
    ("turbojpeg", ("deepedge/media",)),
    ("archive", ("deepedge/repository",)),
    ("sodium", ("deepedge/repository",)),
    ("CLI/", ("deepedge/app",)),
    ("gst/", (TESTS,)),
    ("glib", (TESTS,)),
    # The kernel's interface counts as the system's.
    ("sys/", ANYWHERE),
    ("linux/", ANYWHERE),
    ("netinet/", ANYWHERE),
    ("arpa/", ANYWHERE),
    ("net/", ANYWHERE),
)

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')
SUFFIXES = {".h", ".cc", ".cpp", ".hpp", ".inc"}


def layer_of(folder):
    return next((n for n, folders in enumerate(LAYERS) if folder in folders), None)


def order_text():
    return " < ".join("{" + " ".join(folders) + "}" if len(folders) > 1 else folders[0] for folders in LAYERS)


def is_under(path, place):
    return path == place or path.startswith(place + "/")


def check_own_header(path, quote, header):
    """A header that begins with deepedge/; `path` is the including file, relative to the repository."""
    if quote == "<":
        return f'write #include "{header}" with quotes: it is one of ours'
    if not is_under(path, "deepedge"):
        return None
    own, other = path.split("/")[1], header.split("/")[1]
    if own == other:
        return None
    if layer_of(other) is None:
        return f"deepedge/{other} is in no layer; add it to LAYERS in tools/check_layers.py"
    if layer_of(own) is None:
        return f"deepedge/{own} is in no layer; add it to LAYERS in tools/check_layers.py"
    if layer_of(other) == layer_of(own):
        return f"{own}/ includes {header}: {own} and {other} are on one line of the order and may not see one another"
    if layer_of(other) > layer_of(own):
        return f"{own}/ includes {header}: {other} stands above {own}; the order is {order_text()}"
    return None


def check_include(path, quote, header):
    """The broken rule in words, or None."""
    if header.startswith("deepedge/"):
        return check_own_header(path, quote, header)
    for prefix, places in LIBRARIES:
        if header.startswith(prefix):
            if any(is_under(path, place) for place in places):
                return None
            return f"{header} may be included in {', '.join(places)} only"
    if "/" not in header and quote == "<":
        return None  # the standard library and POSIX
    if quote == '"':
        return f'{header}: include our headers from the root, as "deepedge/..."'
    return f"{header}: no rule for this library; add it to LIBRARIES in tools/check_layers.py"


def check_text(path, text):
    """Yields "path:line: rule" for each broken rule in a file's text."""
    in_comment = False
    for number, line in enumerate(text.splitlines(), start=1):
        if in_comment:
            in_comment = "*/" not in line
            continue
        if line.lstrip().startswith("/*") and "*/" not in line:
            in_comment = True
            continue
        match = INCLUDE.match(line)
        broken = check_include(path, match[1], match[2]) if match else None
        if broken:
            yield f"{path}:{number}: {broken}"


def check_repository(root):
    for place in ("deepedge", TESTS):
        for file in sorted((root / place).rglob("*")):
            if file.suffix in SUFFIXES and file.is_file():
                yield from check_text(file.relative_to(root).as_posix(), file.read_text(encoding="utf-8"))


def main(arguments):
    root = pathlib.Path(arguments[0] if arguments else pathlib.Path(__file__).resolve().parent.parent)
    if not (root / "deepedge").is_dir():
        print(f"{root}: no folder deepedge/ in it", file=sys.stderr)
        return 2
    broken = list(check_repository(root))
    for line in broken:
        print(line)
    if broken:
        print(f"{len(broken)} includes break the layers", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
