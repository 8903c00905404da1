#include "deepedge/formats/onnx/onnx_external.h"

#include <fmt/format.h>

#include <array>
#include <set>
#include <string>
#include <system_error>

#include "deepedge/formats/bounded_file.h"
#include "deepedge/formats/wire_pieces.h"

namespace deepedge {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxDepth = 200;  // of messages; a graph inside of a node takes three
constexpr size_t kMaxFiles = 10'000;

enum class Message { kModel, kTraining, kFunction, kGraph, kNode, kAttribute, kSparse, kTensor, kExternal };

// Which fields of a message lead to tensors.
struct Step {
  Message in;
  uint32_t field;
  Message to;
};
constexpr std::array kSteps = {
    Step{Message::kModel, 7, Message::kGraph},         Step{Message::kModel, 20, Message::kTraining},
    Step{Message::kModel, 25, Message::kFunction},     Step{Message::kTraining, 1, Message::kGraph},
    Step{Message::kTraining, 2, Message::kGraph},      Step{Message::kFunction, 7, Message::kNode},
    Step{Message::kFunction, 11, Message::kAttribute}, Step{Message::kGraph, 1, Message::kNode},
    Step{Message::kGraph, 5, Message::kTensor},        Step{Message::kGraph, 15, Message::kSparse},
    Step{Message::kNode, 5, Message::kAttribute},      Step{Message::kAttribute, 5, Message::kTensor},
    Step{Message::kAttribute, 6, Message::kGraph},     Step{Message::kAttribute, 10, Message::kTensor},
    Step{Message::kAttribute, 11, Message::kGraph},    Step{Message::kAttribute, 22, Message::kSparse},
    Step{Message::kAttribute, 23, Message::kSparse},   Step{Message::kSparse, 1, Message::kTensor},
    Step{Message::kSparse, 2, Message::kTensor},       Step{Message::kTensor, 13, Message::kExternal},
};

class Finder {
 public:
  Finder(BoundedFile& file, const Path& path) : file_(file), path_(path) {}

  Status Walk(Message message, int64_t begin, int64_t end, int depth) {
    if (message == Message::kExternal) return TakeEntry(begin, end);
    if (depth > kMaxDepth) {
      return Error{ErrorCode::kUnsupported, fmt::format("{}: graphs are nested too deeply", path_.string())};
    }
    WireScanner fields(file_, begin, end);
    while (const auto field = fields.Next()) {
      for (const Step& step : kSteps) {
        if (step.in != message || step.field != field->number || field->type != WireType::kLength) continue;
        if (field->end() > end) return Damaged();
        DE_TRY_STATUS(Walk(step.to, field->offset, field->end(), depth + 1));
      }
    }
    return fields.broken() ? Status(Damaged()) : Status();
  }
  const std::set<std::string>& names() const { return names_; }

 private:
  Error Damaged() const { return {ErrorCode::kBadInput, fmt::format("{}: the graph is damaged", path_.string())}; }

  // An entry of a tensor's list of keys and values, of which "location" is the file.
  Status TakeEntry(int64_t begin, int64_t end) {
    std::string key;
    std::string value;
    WireScanner fields(file_, begin, end);
    while (const auto field = fields.Next()) {
      if (field->number == 1) {
        DE_TRY(key, WireText(file_, path_, *field));
      }
      if (field->number == 2) {
        DE_TRY(value, WireText(file_, path_, *field));
      }
    }
    if (fields.broken()) return Damaged();
    if (key == "location") names_.insert(value);
    if (names_.size() <= kMaxFiles) return {};
    return Error{ErrorCode::kUnsupported,
                 fmt::format("{}: keeps weights in more than {} files", path_.string(), kMaxFiles)};
  }

  BoundedFile& file_;
  const Path& path_;
  std::set<std::string> names_;
};

// A second name of the file where that can be, else a copy: the engine follows no symbolic link out of the folder.
Status Place(const Path& source, const Path& target) {
  std::error_code ec;
  fs::create_directories(target.parent_path(), ec);
  fs::create_hard_link(source, target, ec);
  if (ec) fs::copy_file(source, target, ec);
  if (ec) return Error{ErrorCode::kExhausted, fmt::format("{}: cannot be created: {}", target.string(), ec.message())};
  return {};
}

Error Outside(const Path& model, const std::string& name) {
  return {ErrorCode::kBadInput,
          fmt::format("{}: keeps weights in '{:.100}', outside of its folder", model.string(), name)};
}

}  // namespace

Result<std::vector<Path>> NamesOfOnnxExternalFiles(const Path& model) {
  DE_TRY(BoundedFile file, BoundedFile::Open(model));
  Finder finder(file, model);
  DE_TRY_STATUS(finder.Walk(Message::kModel, 0, file.size(), 0));
  std::set<Path> files;  // one may have several names
  for (const std::string& name : finder.names()) {
    Path relative = Path(name).lexically_normal();
    if (relative.is_absolute() || relative.empty() || *relative.begin() == "..") return Outside(model, name);
    files.insert(std::move(relative));
  }
  return std::vector<Path>(files.begin(), files.end());
}

Result<std::vector<Path>> FindOnnxExternalFiles(const Path& model) {
  DE_TRY(std::vector<Path> files, NamesOfOnnxExternalFiles(model));
  for (const Path& relative : files) {
    std::error_code ec;
    const Path target = fs::absolute(model.parent_path() / relative, ec);
    if (!ec && !fs::is_regular_file(target, ec)) {
      return Error{ErrorCode::kNotFound,
                   fmt::format("{}: no such file; it holds weights of {}", target.string(), model.filename().string())};
    }
  }
  return files;
}

Status PlaceOnnxExternalFiles(const Path& model, const Path& folder) {
  DE_TRY(const std::vector<Path> files, FindOnnxExternalFiles(model));
  for (const Path& relative : files) {
    if (relative == "model.onnx") return Outside(model, relative.string());
    std::error_code ec;
    DE_TRY_STATUS(Place(fs::absolute(model.parent_path() / relative, ec), folder / relative));
  }
  return {};
}

}  // namespace deepedge
