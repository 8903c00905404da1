// Between OpenVINO's types and ours, and from its exceptions to our errors.
#pragma once

#include <exception>
#include <openvino/core/partial_shape.hpp>
#include <openvino/core/type/element_type.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "deepedge/base/file.h"
#include "deepedge/model/tensor.h"

namespace deepedge {

// kUnsupported for types that we have no name for (bf16, 4-bit integers, strings).
Result<ElementType> FromOv(const ov::element::Type& type);
ov::element::Type ToOv(ElementType type);
// A shape without a fixed rank becomes empty; dimensions that are not fixed become -1.
Shape FromOv(const ov::PartialShape& shape);
Shape FromOv(const ov::Shape& shape);

// The first line of an engine's message that tells a user something: its own source locations and checks are left out.
std::string ReadableMessage(std::string_view what);

// "file: message". `otherwise` is the code unless the message says that an operation, version or type is not supported.
Error EngineError(const Path& file, ErrorCode otherwise, std::string_view what);

// Runs `f`, which returns a Result or Status, and turns what OpenVINO throws into an error about `file`.
template <typename F>
auto CatchOv(const Path& file, ErrorCode otherwise, F&& f) -> decltype(f()) {
  try {
    return std::forward<F>(f)();
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kExhausted, file.string() + ": not enough memory"};
  } catch (const std::exception& e) {
    return EngineError(file, otherwise, e.what());
  } catch (...) {
    return EngineError(file, otherwise, "the engine failed without saying why");
  }
}

}  // namespace deepedge
