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

Status FillInput(CompiledModel& model, size_t index, const Path& file) {
  const TensorSpec& spec = model.inputs()[index];
  DE_TRY(const Tensor tensor, ReadNpy(file));
  const auto fail = [&](std::string_view what) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("{}: {}; input '{}' is {} {}, the file holds {} {}", file.string(), what, spec.name,
                             ToString(spec.type), ToString(spec.shape), ToString(tensor.type), ToString(tensor.shape))};
  };
  if (tensor.type != spec.type) return fail("wrong type");
  const auto shape = FitShape(tensor.shape, spec.shape);
  if (!shape.ok()) return fail("wrong shape");
  if (!IsStatic(spec.shape)) DE_TRY_STATUS(model.ResizeInput(0, index, shape.value()));
  const MutableTensorView view = model.Input(0, index);
  if (view.data.size() != tensor.data.size()) return fail("wrong size");
  std::memcpy(view.data.data(), tensor.data.data(), tensor.data.size());
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
  DE_TRY(const auto compiled, engine.Compile(files, {}));
  DE_TRY(const auto inputs, AssignInputs(options.inputs, compiled->inputs()));
  for (const auto& [index, file] : inputs) DE_TRY_STATUS(FillInput(*compiled, index, file));
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
