// Tensors and cards for the tests of decoders.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "deepedge/pipeline/post/output_decoder.h"

namespace deepedge {

template <typename T>
Tensor MakeTensor(ElementType type, Shape shape, const std::vector<T>& values) {
  Tensor tensor{.type = type, .shape = std::move(shape)};
  tensor.data.resize(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(tensor.data.data(), values.data(), tensor.data.size());
  return tensor;
}

inline Tensor Floats(Shape shape, const std::vector<float>& values) {
  return MakeTensor(ElementType::kF32, std::move(shape), values);
}

// A tensor of zeros, to be filled by index.
inline Tensor Zeros(Shape shape) {
  const auto count = static_cast<size_t>(ElementCount(shape));
  return Floats(std::move(shape), std::vector<float>(count, 0.0F));
}

inline void Set(Tensor* tensor, size_t first, const std::vector<float>& values) {
  std::memcpy(tensor->data.data() + first * sizeof(float), values.data(), values.size() * sizeof(float));
}

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

inline std::vector<TensorSpec> Specs(const std::vector<NamedTensor>& tensors) {
  std::vector<TensorSpec> specs;
  for (const NamedTensor& t : tensors) specs.push_back({t.name, t.tensor.type, t.tensor.shape});
  return specs;
}

inline Result<InferenceResult> DecodeAll(const ModelCard& card, const std::vector<NamedTensor>& tensors,
                                         const Placement& placement) {
  DE_TRY(const auto decoder, MakeOutputDecoder(card, Specs(tensors)));
  std::vector<TensorView> views;
  for (const NamedTensor& t : tensors) views.push_back(t.tensor.View());
  return decoder->Decode(views, placement);
}

// The picture fills the input.
inline Placement Whole(const ModelCard& card) {
  return PlacePicture(ResizeRule::kStretch, 1000, 1000, card.input.width, card.input.height);
}

inline void ExpectBox(const Box& box, Box expected) {
  EXPECT_NEAR(box.x1, expected.x1, 1e-5);
  EXPECT_NEAR(box.y1, expected.y1, 1e-5);
  EXPECT_NEAR(box.x2, expected.x2, 1e-5);
  EXPECT_NEAR(box.y2, expected.y2, 1e-5);
}

inline ModelCard Card(OutputDecoderKind kind, int width, int height, std::vector<std::string> labels) {
  ModelCard card;
  card.name = "m";
  card.output.kind = kind;
  card.input.width = width;
  card.input.height = height;
  card.labels = std::move(labels);
  return card;
}

}  // namespace deepedge
