// A function of CNTK v2 with its input, weights and the numbers that it must give. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "deepedge/formats/cntk/cntk_v2_reader.h"
#include "deepedge/formats/cntk/layers.h"
#include "deepedge/formats/cntk/write_v2_for_test.h"
#include "deepedge/formats/run_model_for_test.h"

namespace deepedge::cntk {

using Numbers = std::vector<float>;

struct Weight {
  Dims dims;
  Numbers values;
};

struct OpCase {
  const char* name;
  uint64_t op;
  Dims dims;  // of the input
  Numbers input;
  std::vector<Weight> weights;
  Entries attributes;
  Dims result_dims;
  Numbers result;
  bool input_first = true;  // else the weights stand before the input
};

inline void CheckOpCase(const OpCase& c) {
  ModelV2 model;
  model.Input("x", c.dims);
  std::vector<std::string> inputs;
  for (size_t i = 0; i < c.weights.size(); ++i) {
    inputs.push_back("w" + std::to_string(i));
    model.Parameter(inputs.back(), c.weights[i].dims, c.weights[i].values);
  }
  inputs.insert(c.input_first ? inputs.begin() : inputs.end(), "x");
  model.Function("f", c.op, inputs, c.attributes);
  KeepSeed("cntk_v2", model.Bytes());
  const auto read = ReadCntkV2(Path("m.model"), model.Bytes());
  ASSERT_TRUE(read.ok()) << read.error().message;
  const RunResult result = RunForTest(read.value(), {c.input})[0];
  ov::Shape shape{1};
  for (auto it = c.result_dims.rbegin(); it != c.result_dims.rend(); ++it) shape.push_back(static_cast<size_t>(*it));
  EXPECT_EQ(result.shape, shape);
  ASSERT_EQ(result.values.size(), c.result.size());
  for (size_t i = 0; i < c.result.size(); ++i)
    EXPECT_NEAR(result.values[i], c.result[i], 1e-5 + 2e-5 * std::abs(c.result[i])) << i;
}

inline std::string NameOf(const ::testing::TestParamInfo<OpCase>& info) { return info.param.name; }

}  // namespace deepedge::cntk
