#!/usr/bin/env python3
"""Tests of check_layers.py."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import check_layers  # noqa: E402


def broken(path, *lines):
    return list(check_layers.check_text(path, "\n".join(lines)))


class Layers(unittest.TestCase):
    def test_a_folder_may_include_itself_and_folders_above_its_line(self):
        self.assertEqual(broken("deepedge/engine/engine.h", '#include "deepedge/engine/other.h"',
                                '#include "deepedge/model/tensor.h"', "#include <vector>", "#include <unistd.h>"), [])

    def test_a_lower_folder_may_not_include_a_higher_one(self):
        found = broken("deepedge/media/frame.cc", "// frame", '#include "deepedge/engine/engine.h"')
        self.assertEqual(len(found), 1)
        self.assertTrue(found[0].startswith("deepedge/media/frame.cc:2: media/ includes deepedge/engine/engine.h"))

    def test_components_may_not_see_one_another(self):
        self.assertIn("may not see one another",
                      broken("deepedge/pipeline/a.cc", '#include "deepedge/scheduler/policy.h"')[0])
        self.assertEqual(broken("deepedge/runtime/a.cc", '#include "deepedge/scheduler/policy.h"'), [])

    def test_an_unknown_folder_is_an_error(self):
        self.assertIn("in no layer", broken("deepedge/app/a.cc", '#include "deepedge/extra/x.h"')[0])
        self.assertIn("in no layer", broken("deepedge/extra/a.cc", '#include "deepedge/base/clock.h"')[0])

    def test_end_to_end_tests_may_include_everything(self):
        self.assertEqual(broken("tests/run_test.cc", '#include "deepedge/app/app.h"'), [])


class Libraries(unittest.TestCase):
    def test_a_library_stays_in_its_folder(self):
        self.assertEqual(broken("deepedge/ingest/ffmpeg/source.cc", "#include <libavformat/avformat.h>"), [])
        self.assertIn("deepedge/ingest/ffmpeg only",
                      broken("deepedge/ingest/source.cc", "#include <libavformat/avformat.h>")[0])
        self.assertEqual(broken("deepedge/engine/openvino/a.cc", "#include <openvino/openvino.hpp>"), [])
        self.assertTrue(broken("deepedge/engine/a.cc", "  # include <openvino/openvino.hpp>"))
        self.assertTrue(broken("deepedge/engine/openvino_more/a.cc", "#include <openvino/openvino.hpp>"))
        self.assertTrue(broken("deepedge/runtime/a.cc", "#include <CLI/CLI.hpp>"))
        self.assertTrue(broken("deepedge/runtime/a.cc", "#include <gst/gst.h>"))

    def test_json_is_allowed_anywhere(self):
        self.assertEqual(broken("deepedge/base/a.cc", "#include <nlohmann/json.hpp>"), [])

    def test_an_unknown_library_is_an_error(self):
        self.assertIn("no rule for this library", broken("deepedge/base/a.cc", "#include <boost/asio.hpp>")[0])

    def test_own_headers_are_named_from_the_root_and_quoted(self):
        self.assertIn("from the root", broken("deepedge/base/a.cc", '#include "clock.h"')[0])
        self.assertIn("with quotes", broken("deepedge/base/a.cc", "#include <deepedge/base/clock.h>")[0])

    def test_comments_do_not_count(self):
        self.assertEqual(broken("deepedge/base/a.cc", "// #include <openvino/openvino.hpp>", "/*",
                                "#include <openvino/openvino.hpp>", "*/"), [])


class Repository(unittest.TestCase):
    def test_all_files_are_read(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "deepedge/base/deep").mkdir(parents=True)
            (root / "tests").mkdir()
            (root / "deepedge/base/deep/a.h").write_text('#include "deepedge/app/app.h"\n')
            (root / "tests/b.cc").write_text("#include <yaml-cpp/yaml.h>\n")
            self.assertEqual(len(list(check_layers.check_repository(root))), 2)
            self.assertEqual(check_layers.main([folder]), 1)


if __name__ == "__main__":
    unittest.main()
