// Helpers of the tests in this folder: caffemodels written byte by byte, and networks that are read and run.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <openvino/openvino.hpp>
#include <string>
#include <vector>

#include "deepedge/formats/caffe/caffe_reader.h"
#include "deepedge/formats/test_files.h"

namespace deepedge {

struct TestBlob {
  std::vector<int64_t> shape;
  std::vector<float> values;
};

// A blob with as many numbers as its shape says, each another one between -1 and 1.
inline TestBlob SomeBlob(const std::vector<int64_t>& shape, uint32_t seed = 1) {
  size_t count = 1;
  for (const int64_t dimension : shape) count *= static_cast<size_t>(dimension);
  TestBlob blob{.shape = shape};
  for (size_t i = 0; i < count; ++i) {
    seed = seed * 1664525 + 1013904223;
    blob.values.push_back(static_cast<float>(seed >> 8) / static_cast<float>(1 << 23) - 1.0F);
  }
  return blob;
}

template <typename T>
std::string RawBytes(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

// The shape as a message, the numbers packed.
inline std::string BlobBytes(const TestBlob& blob) {
  std::string dims;
  for (const int64_t dimension : blob.shape) dims += Varint(static_cast<uint64_t>(dimension));
  return BytesField(7, BytesField(1, dims)) + BytesField(5, RawBytes(blob.values));
}

// With the four old dimensions in place of a shape, and every number a field of its own.
inline std::string OldBlobBytes(const TestBlob& blob) {
  std::string bytes;
  std::vector<int64_t> four = blob.shape;
  while (four.size() < 4) four.insert(four.begin(), 1);
  for (uint32_t i = 0; i < 4; ++i) bytes += NumberField(i + 1, static_cast<uint64_t>(four[i]));
  for (const float value : blob.values) bytes += Varint(5 << 3 | 5) + RawBytes(std::vector<float>{value});
  return bytes;
}

using TestWeights = std::map<std::string, std::vector<TestBlob>>;

inline std::string CaffeModel(const TestWeights& layers) {
  std::string bytes = BytesField(1, "test");
  for (const auto& [name, blobs] : layers) {
    std::string layer = BytesField(1, name) + BytesField(2, "Some");
    for (const TestBlob& blob : blobs) layer += BytesField(7, BlobBytes(blob));
    bytes += BytesField(100, layer);
  }
  return bytes;
}

inline std::string OldCaffeModel(const TestWeights& layers) {
  std::string bytes = BytesField(1, "test");
  for (const auto& [name, blobs] : layers) {
    std::string layer = BytesField(3, name) + BytesField(4, name) + NumberField(5, 4);
    for (const TestBlob& blob : blobs) layer += BytesField(6, OldBlobBytes(blob));
    bytes += BytesField(2, layer);
  }
  return bytes;
}

// The numbers that come out, and the name and shape of what they stand in.
struct TestOutput {
  std::string name;
  ov::Shape shape;
  std::vector<float> values;
};

inline std::vector<TestOutput> RunModel(const std::shared_ptr<ov::Model>& model,
                                        const std::vector<std::vector<float>>& inputs) {
  static ov::Core core;
  auto request =
      core.compile_model(model, "CPU", ov::hint::inference_precision(ov::element::f32)).create_infer_request();
  for (size_t i = 0; i < inputs.size(); ++i) {
    ov::Shape shape;
    for (const ov::Dimension& d : model->input(i).get_partial_shape()) {
      shape.push_back(d.is_static() ? static_cast<size_t>(d.get_length()) : 1);
    }
    ov::Tensor tensor(ov::element::f32, shape);
    EXPECT_EQ(tensor.get_size(), inputs[i].size());
    std::memcpy(tensor.data(), inputs[i].data(), inputs[i].size() * sizeof(float));
    request.set_input_tensor(i, tensor);
  }
  request.infer();
  std::vector<TestOutput> outputs;
  for (size_t i = 0; i < model->outputs().size(); ++i) {
    const ov::Tensor tensor = request.get_output_tensor(i);
    outputs.push_back({model->output(i).get_any_name(),
                       tensor.get_shape(),
                       {tensor.data<float>(), tensor.data<float>() + tensor.get_size()}});
  }
  return outputs;
}

inline std::string InputText(const std::string& name, const std::string& shape) {
  return "layer { name: '" + name + "' type: 'Input' top: '" + name + "' input_param { shape { dim: [" + shape +
         "] } } }\n";
}

class CaffeTest : public FilesTest {
 protected:
  Result<std::shared_ptr<ov::Model>> ReadBytes(const std::string& prototxt, const std::string& caffemodel) {
    KeepSeed("caffe", prototxt, caffemodel);
    // Many thousand files are tried: written as they are, not safely.
    const Path graph = folder() / "net.prototxt";
    const Path weights = folder() / "net.caffemodel";
    std::ofstream(graph, std::ios::binary) << prototxt;
    std::ofstream(weights, std::ios::binary) << caffemodel;
    return ReadCaffe({.format = ModelFormat::kCaffe, .graph = graph, .weights = weights});
  }
  Result<std::shared_ptr<ov::Model>> Read(const std::string& prototxt, const TestWeights& weights) {
    return ReadBytes(prototxt, CaffeModel(weights.empty() ? TestWeights{{"unused", {}}} : weights));
  }
  std::vector<TestOutput> Run(const std::string& prototxt, const TestWeights& weights,
                              const std::vector<std::vector<float>>& inputs) {
    const auto model = Read(prototxt, weights);
    EXPECT_TRUE(model.ok()) << model.error().message;
    return model.ok() ? RunModel(model.value(), inputs) : std::vector<TestOutput>();
  }
  // One layer behind an input of `shape` ("1,2,3,3"): its first output.
  TestOutput RunLayer(const std::string& shape, const std::string& layer, const std::vector<TestBlob>& blobs,
                      const std::vector<float>& input) {
    auto outputs = Run(InputText("data", shape) + "layer { name: 'x' bottom: 'data' top: 'x' " + layer + " }",
                       {{"x", blobs}}, {input});
    return outputs.empty() ? TestOutput() : outputs.front();
  }
  void ExpectError(const Result<std::shared_ptr<ov::Model>>& model, ErrorCode code, std::string_view part) {
    ASSERT_FALSE(model.ok()) << "reads, expected: " << part;
    EXPECT_EQ(model.error().code, code) << model.error().message;
    EXPECT_NE(model.error().message.find(part), std::string::npos) << model.error().message;
    EXPECT_NE(model.error().message.find("net."), std::string::npos) << model.error().message;
  }
};

inline void ExpectNear(const std::vector<float>& actual, const std::vector<float>& expected, float tolerance = 1e-5F) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], tolerance * std::max(1.0F, std::abs(expected[i]))) << "at " << i;
  }
}

}  // namespace deepedge
