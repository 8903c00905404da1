#include "deepedge/app/model_infer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "deepedge/app/json_line.h"
#include "deepedge/formats/npy.h"
#include "deepedge/formats/sniff.h"

namespace deepedge {
namespace {

// Which file feeds which input: by name, or the only input.
Result<std::map<size_t, Path>> AssignInputs(const std::vector<std::string>& options,
                                            const std::vector<TensorSpec>& inputs) {
  std::map<size_t, Path> files;
  for (const std::string& option : options) {
    // Tensor names may hold '=' and ':', file names too: the longest input name that fits decides.
    size_t index = inputs.size();
    size_t name_length = 0;
    for (size_t i = 0; i < inputs.size(); ++i) {
      const std::string& name = inputs[i].name;
      if (option.size() > name.size() && option.compare(0, name.size(), name) == 0 && option[name.size()] == '=' &&
          (index == inputs.size() || name.size() > name_length)) {
        index = i;
        name_length = name.size();
      }
    }
    Path file = option;
    if (index < inputs.size()) {
      file = option.substr(name_length + 1);
    } else if (inputs.size() == 1) {
      index = 0;
      std::error_code ec;
      if (const size_t equals = option.find('='); equals != std::string::npos && !std::filesystem::exists(file, ec)) {
        return Error{ErrorCode::kBadInput, fmt::format("--input {}: the model has no input '{}'; it has {}", option,
                                                       option.substr(0, equals), DescribeTensors(inputs))};
      }
    } else {
      return Error{ErrorCode::kBadInput, fmt::format("--input {}: which input? Write NAME=FILE; the model has {}",
                                                     option, DescribeTensors(inputs))};
    }
    if (!files.emplace(index, file).second) {
      return Error{ErrorCode::kBadInput, fmt::format("--input {}: '{}' was given already", option, inputs[index].name)};
    }
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!files.contains(i)) {
      return Error{ErrorCode::kBadInput,
                   fmt::format("no --input for '{}'; the model has {}", inputs[i].name, DescribeTensors(inputs))};
    }
  }
  return files;
}

struct InputArray {
  Path file;
  Tensor tensor;
};

Error DoesNotFit(const InputArray& array, const TensorSpec& spec, std::string_view what) {
  return {ErrorCode::kBadInput, fmt::format("{}: {}; input '{}' is {} {}, the file holds {} {}", array.file.string(),
                                            what, spec.name, ToString(spec.type), ToString(spec.shape),
                                            ToString(array.tensor.type), ToString(array.tensor.shape))};
}

Result<std::map<size_t, InputArray>> ReadInputs(const std::map<size_t, Path>& files,
                                                const std::vector<TensorSpec>& inputs) {
  std::map<size_t, InputArray> arrays;
  for (const auto& [index, file] : files) {
    DE_TRY(Tensor tensor, ReadNpy(file));
    InputArray array{file, std::move(tensor)};
    if (array.tensor.type != inputs[index].type) return DoesNotFit(array, inputs[index], "wrong type");
    arrays.emplace(index, std::move(array));
  }
  return arrays;
}

// The shapes of arrays that inputs of a fixed shape do not take as they are, but may when the graph is made for them.
Result<std::map<std::string, Shape>> OtherShapes(const std::map<size_t, InputArray>& arrays,
                                                 const std::vector<TensorSpec>& inputs) {
  std::map<std::string, Shape> other;
  for (const auto& [index, array] : arrays) {
    const TensorSpec& spec = inputs[index];
    if (FitShape(array.tensor.shape, spec.shape).ok()) continue;
    if (!IsStatic(spec.shape) || array.tensor.shape.size() != spec.shape.size()) {
      return DoesNotFit(array, spec, "wrong shape");
    }
    other.emplace(spec.name, array.tensor.shape);
  }
  return other;
}

// The model, made for the arrays' shapes where its own are others.
Result<std::unique_ptr<CompiledModel>> CompileFor(Engine& engine, const ModelFiles& files,
                                                  std::unique_ptr<CompiledModel> as_it_is,
                                                  const std::map<size_t, InputArray>& arrays) {
  DE_TRY(const auto shapes, OtherShapes(arrays, as_it_is->inputs()));
  if (shapes.empty()) return as_it_is;
  auto compiled = engine.Compile(files, {.input_shapes = shapes});
  if (compiled.ok()) return compiled;
  for (const auto& [index, array] : arrays) {
    const TensorSpec& spec = as_it_is->inputs()[index];
    if (!shapes.contains(spec.name)) continue;
    return DoesNotFit(array, spec,
                      fmt::format("wrong shape, and the graph cannot be given it ({})", compiled.error().message));
  }
  return compiled;
}

Status FillInput(CompiledModel& model, size_t index, const InputArray& array) {
  const TensorSpec& spec = model.inputs()[index];
  DE_TRY(const Shape shape, FitShape(array.tensor.shape, spec.shape));
  if (!IsStatic(spec.shape)) DE_TRY_STATUS(model.ResizeInput(0, index, shape));
  const MutableTensorView view = model.Input(0, index);
  if (view.data.size() != array.tensor.data.size()) return DoesNotFit(array, spec, "wrong size");
  std::memcpy(view.data.data(), array.tensor.data.data(), array.tensor.data.size());
  return {};
}

}  // namespace

std::string OutputFileName(const std::string& tensor_name) {
  std::string file = tensor_name;
  std::replace_if(file.begin(), file.end(), [](char c) { return c == '/' || c == ':'; }, '_');
  return file + ".npy";
}

Result<Shape> FitShape(const Shape& given, const Shape& wanted) {
  const Error error{ErrorCode::kBadInput, fmt::format("{} does not fit {}", ToString(given), ToString(wanted))};
  if (IsStatic(wanted)) {
    const auto without_ones = [](Shape shape) {
      std::erase(shape, 1);
      return shape;
    };
    if (without_ones(given) != without_ones(wanted)) return error;
    return wanted;
  }
  if (given.size() != wanted.size()) return error;
  for (size_t i = 0; i < given.size(); ++i) {
    if (wanted[i] >= 0 && wanted[i] != given[i]) return error;
  }
  return given;
}

Status InferTensors(Engine& engine, const Path& model, const InferOptions& options) {
  DE_TRY(const ModelFiles files, FindModelFiles(model));
  DE_TRY(auto as_it_is, engine.Compile(files, {}));
  DE_TRY(const auto inputs, AssignInputs(options.inputs, as_it_is->inputs()));
  DE_TRY(const auto arrays, ReadInputs(inputs, as_it_is->inputs()));
  DE_TRY(const auto compiled, CompileFor(engine, files, std::move(as_it_is), arrays));
  for (const auto& [index, array] : arrays) DE_TRY_STATUS(FillInput(*compiled, index, array));
  DE_TRY_STATUS(compiled->Run(0));

  std::error_code ec;
  std::filesystem::create_directories(options.output, ec);
  if (ec) return Error{ErrorCode::kBadInput, fmt::format("{}: {}", options.output, ec.message())};
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (size_t i = 0; i < compiled->outputs().size(); ++i) {
    const std::string& name = compiled->outputs()[i].name;
    const TensorView tensor = compiled->Output(0, i);
    const Path file = Path(options.output) / OutputFileName(name);
    DE_TRY_STATUS(WriteNpy(file, tensor));
    if (options.json) {
      json.push_back(
          {{"name", name}, {"type", ToString(tensor.type)}, {"shape", tensor.shape}, {"file", file.string()}});
    } else {
      fmt::print("{}: {} {} -> {}\n", name, ToString(tensor.type), ToString(tensor.shape), file.string());
    }
  }
  if (options.json) fmt::print("{}\n", DumpLine(json));
  return {};
}

}  // namespace deepedge
