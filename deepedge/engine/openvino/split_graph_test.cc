#include "deepedge/engine/openvino/split_graph.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {
TEST(SplitGraph, Placeholder) {}
}  // namespace
}  // namespace deepedge
