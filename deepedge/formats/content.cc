#include "deepedge/formats/content.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "deepedge/formats/little_endian.h"
#include "deepedge/formats/wire.h"

namespace deepedge {
namespace {

using std::string_view;

FileContent Model(ModelFormat format) { return {ContentKind::kModel, format, std::string(ToString(format)), 0}; }
FileContent Weights(ModelFormat format, std::string what) {
  return {ContentKind::kWeights, format, std::move(what), 0};
}
FileContent Unsupported(std::string what) { return {ContentKind::kUnsupported, {}, std::move(what), 0}; }
FileContent Other(std::string what) { return {ContentKind::kOther, {}, std::move(what), 0}; }

// ---- Formats with a magic number ----

struct Magic {
  size_t offset;
  string_view bytes;
  ContentKind kind;
  const char* what;
};

using namespace std::string_view_literals;
constexpr const char* kPickle = "a Python pickle, perhaps a PyTorch checkpoint (export it to ONNX)";
constexpr std::array kMagics = {
    Magic{4, "ORTM"sv, ContentKind::kUnsupported, "a model in ONNX Runtime's own format (use the .onnx it came from)"},
    Magic{0, "\x89HDF\r\n\x1A\n"sv, ContentKind::kUnsupported,
          "an HDF5 file, perhaps a Keras model (export a SavedModel)"},
    Magic{0, "7767517\n"sv, ContentKind::kUnsupported, "an ncnn model"},
    Magic{0, "ftrt"sv, ContentKind::kUnsupported, "a TensorRT engine (use the model it was built from)"},
    Magic{0, "GGUF"sv, ContentKind::kUnsupported, "a GGUF language model"},
    Magic{0, "\x80\x04\x95"sv, ContentKind::kUnsupported, kPickle},
    Magic{0, "\x80\x02"sv, ContentKind::kUnsupported, kPickle},
    Magic{0, "\xFF\xD8\xFF"sv, ContentKind::kOther, "a JPEG picture"},
    Magic{0, "\x89PNG\r\n\x1A\n"sv, ContentKind::kOther, "a PNG picture"},
    Magic{0, "GIF8"sv, ContentKind::kOther, "a GIF picture"},
    Magic{8, "WEBP"sv, ContentKind::kOther, "a WebP picture"},
    Magic{8, "AVI "sv, ContentKind::kOther, "an AVI video"},
    Magic{4, "ftyp"sv, ContentKind::kOther, "an MP4 video"},
    Magic{0, "\x1A\x45\xDF\xA3"sv, ContentKind::kOther, "a Matroska video"},
    Magic{0, "FLV\x01"sv, ContentKind::kOther, "an FLV video"},
    Magic{0, "PK\x03\x04"sv, ContentKind::kOther,
          "a zip archive (unpack it; a PyTorch checkpoint is one too: export it to ONNX)"},
    Magic{0, "\x1F\x8B"sv, ContentKind::kOther, "a gzip archive (unpack it)"},
    Magic{0,
          "\xFD"
          "7zXZ\0"sv,
          ContentKind::kOther, "an xz archive (unpack it)"},
    Magic{0, "BZh"sv, ContentKind::kOther, "a bzip2 archive (unpack it)"},
    Magic{0, "7z\xBC\xAF\x27\x1C"sv, ContentKind::kOther, "a 7z archive (unpack it)"},
    Magic{257, "ustar"sv, ContentKind::kOther, "a tar archive (unpack it)"},
    Magic{0,
          "\x7F"
          "ELF"sv,
          ContentKind::kOther, "an ELF program or library"},
    Magic{0, "\x93NUMPY"sv, ContentKind::kOther, "a NumPy array"},
    Magic{0, "%PDF"sv, ContentKind::kOther, "a PDF document"},
    Magic{0, "version https://git-lfs.github.com/spec/"sv, ContentKind::kOther,
          "a Git LFS pointer, not the file itself (fetch it with: git lfs pull)"},
};

// torch.save writes a zip archive whose first file is the pickle: "archive/data.pkl".
bool IsTorchCheckpoint(string_view head) {
  constexpr size_t kNameAt = 30;
  if (!head.starts_with("PK\x03\x04"sv) || head.size() < kNameAt) return false;
  const size_t length = static_cast<uint8_t>(head[26]) + 256U * static_cast<uint8_t>(head[27]);
  const string_view name = head.substr(kNameAt, length);
  return name.size() == length && name.ends_with("/data.pkl");
}

std::optional<FileContent> IdentifyByMagic(string_view head) {
  if (IsTorchCheckpoint(head)) {
    return FileContent{ContentKind::kUnsupported, {}, "a PyTorch checkpoint (export it to ONNX)", 0};
  }
  if (head.substr(0, 8).size() == 8 && head.substr(4, 4) == "TFL3") return Model(ModelFormat::kTflite);
  if (head.starts_with("B\0C\0N\0\0\0"sv)) return Model(ModelFormat::kCntkV1);
  if (head.starts_with("\x04\0\0\0\x01\0\0\0\x03\0\0\0V "sv)) return Model(ModelFormat::kTorch7);
  for (const Magic& magic : kMagics) {
    if (head.size() < magic.offset || head.substr(magic.offset, magic.bytes.size()) != magic.bytes) continue;
    return FileContent{magic.kind, {}, magic.what, 0};
  }
  return std::nullopt;
}

// ---- Text formats ----

// Whether nearly all bytes are those of ASCII or UTF-8 text.
bool LooksLikeText(string_view head) {
  size_t odd = 0;
  size_t continuations = 0;  // of the UTF-8 character at hand, still to come
  for (const char c : head) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte == 0) return false;
    const bool continuation = (byte & 0xC0) == 0x80;
    if (continuation != (continuations > 0)) ++odd;
    if (continuation) {
      continuations -= continuations > 0 ? 1 : 0;
    } else {
      continuations = byte < 0xC0 ? 0 : byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
    }
    if (byte < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f') ++odd;
  }
  return !head.empty() && odd * 50 < head.size();
}

string_view SkipBlank(string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
  return text;
}

// Whether `word`, blanks and `next` occur in this order at the start of some line.
bool HasLineStarting(string_view text, string_view word, char next) {
  for (size_t at = text.find(word); at != string_view::npos; at = text.find(word, at + 1)) {
    const size_t before = text.find_last_not_of(" \t", at == 0 ? string_view::npos : at - 1);
    const bool line_start = at == 0 || before == string_view::npos || text[before] == '\n';
    const string_view rest = SkipBlank(text.substr(at + word.size()));
    if (line_start && !rest.empty() && rest.front() == next) return true;
  }
  return false;
}

FileContent IdentifyXml(string_view text) {
  const size_t net = text.find("<net");
  if (net == string_view::npos || net + 4 >= text.size() || !std::isspace(static_cast<unsigned char>(text[net + 4]))) {
    return Other("an XML file");
  }
  const string_view element = text.substr(net, text.find('>', net) - net);
  const size_t at = element.find(" version=\"");
  if (at == string_view::npos) return Other("an XML file");
  int version = 0;
  for (const char c : element.substr(at + 10, 4)) {
    if (c < '0' || c > '9') break;
    version = version * 10 + (c - '0');
  }
  constexpr int kFirstReadable = 5;
  constexpr int kFirstOfEngine = 10;  // older versions have other layers; the engine refuses them
  if (version < kFirstReadable) {
    return Unsupported(
        fmt::format("an OpenVINO IR of version {} (only {} and newer are read)", version, kFirstReadable));
  }
  return Model(version < kFirstOfEngine ? ModelFormat::kOpenVinoIrOld : ModelFormat::kOpenVinoIr);
}

// The first line that is neither empty nor a comment.
string_view FirstLine(string_view text) {
  while (true) {
    text = SkipBlank(text);
    if (text.empty() || (text.front() != '#' && text.front() != ';')) break;
    text.remove_prefix(std::min(text.size(), text.find('\n')));
  }
  return text.substr(0, text.find_first_of("\r\n"));
}

FileContent IdentifyText(string_view head) {
  if (head.starts_with("\xEF\xBB\xBF")) head.remove_prefix(3);
  const string_view text = SkipBlank(head);
  if (text.starts_with("<?xml") || text.starts_with("<net")) return IdentifyXml(text);
  if (text.starts_with("<!DOCTYPE html") || text.starts_with("<html") || text.starts_with("<!doctype html")) {
    return Other("a web page (was the address of a download page used instead of the file's?)");
  }
  const string_view first = FirstLine(text);
  if (first.starts_with("[net]") || first.starts_with("[network]")) return Model(ModelFormat::kDarknet);
  if (text.starts_with("{")) {
    if (text.find("\"base_code\"") != string_view::npos) return Unsupported("a Paddle 3 program (PIR)");
    return Other("a JSON file");
  }
  if (HasLineStarting(text, "layer", '{') || HasLineStarting(text, "layers", '{') ||
      HasLineStarting(text, "input_dim", ':')) {
    return Model(ModelFormat::kCaffe);
  }
  if (HasLineStarting(text, "node", '{') && HasLineStarting(text, "op", ':')) {
    return {ContentKind::kTextGraph, ModelFormat::kTfFrozen, "a TensorFlow graph as text", 0};
  }
  return Other("a text file");
}

// ---- Protobuf formats ----

// The fields of a message: the first ones in full, of all of them which numbers occur.
struct Outline {
  std::vector<WireField> first;
  std::map<uint32_t, WireType> numbers;
  bool broken = false;
  int64_t missing_bytes = 0;

  bool Has(uint32_t number, WireType type) const {
    const auto it = numbers.find(number);
    return it != numbers.end() && it->second == type;
  }
  const WireField* First(uint32_t number) const {
    for (const WireField& field : first) {
      if (field.number == number) return &field;
    }
    return nullptr;
  }
  bool OnlyNumbers(std::initializer_list<uint32_t> allowed) const {
    return std::all_of(numbers.begin(), numbers.end(), [&](const auto& entry) {
      return std::find(allowed.begin(), allowed.end(), entry.first) != allowed.end();
    });
  }
};

Outline OutlineOf(BoundedFile& file, int64_t begin, int64_t end, int max_fields) {
  constexpr size_t kKept = 64;
  Outline outline;
  WireScanner scanner(file, begin, end);
  for (int i = 0; i < max_fields; ++i) {
    const auto field = scanner.Next();
    if (!field) break;
    if (outline.first.size() < kKept) outline.first.push_back(*field);
    outline.numbers.emplace(field->number, field->type);
  }
  outline.broken = scanner.broken();
  outline.missing_bytes = scanner.missing_bytes();
  return outline;
}

Outline OutlineOf(BoundedFile& file, const WireField& message) {
  constexpr int kEnough = 16;
  if (message.type != WireType::kLength) return {};
  return OutlineOf(file, message.offset, message.offset + message.length, kEnough);
}

bool IsText(BoundedFile& file, const WireField* field) {
  return field != nullptr && field->length > 0 && PrintableText(file, *field, 1024).has_value();
}

// tensorflow.NodeDef: name and op are texts.
bool IsNodeDef(BoundedFile& file, const WireField& message) {
  const Outline node = OutlineOf(file, message);
  return node.OnlyNumbers({1, 2, 3, 4, 5, 6, 7}) && IsText(file, node.First(1)) && IsText(file, node.First(2));
}

// paddle BlockDesc: index and parent as numbers, then variables and operators.
bool IsPaddleBlock(BoundedFile& file, const WireField& message) {
  const Outline block = OutlineOf(file, message);
  return block.Has(1, WireType::kVarint) && block.Has(2, WireType::kVarint) && block.OnlyNumbers({1, 2, 3, 4, 5}) &&
         (block.Has(3, WireType::kLength) || block.Has(4, WireType::kLength));
}

// caffe.V1LayerParameter: tops are texts, the type is a number.
bool IsCaffeV1Layer(BoundedFile& file, const WireField& message) {
  const Outline layer = OutlineOf(file, message);
  return layer.Has(5, WireType::kVarint) && IsText(file, layer.First(4)) &&
         (IsText(file, layer.First(3)) || IsText(file, layer.First(2)));
}

// An entry of the root dictionary of a CNTK v2 model: its key is one of a few words.
bool IsCntkEntry(BoundedFile& file, const WireField& message) {
  static constexpr std::array kKeys = {
      "version"sv, "type"sv, "root"sv, "uid"sv, "inputs"sv, "primitive_functions"sv, "name"sv, "op"sv, "attributes"sv};
  const Outline entry = OutlineOf(file, message);
  const WireField* key = entry.First(1);
  if (key == nullptr || !entry.OnlyNumbers({1, 2})) return false;
  const auto text = PrintableText(file, *key, 64);
  return text && std::find(kKeys.begin(), kKeys.end(), *text) != kKeys.end();
}

// tensorflow.MetaGraphDef: a description and a graph, both messages.
bool IsMetaGraph(BoundedFile& file, const WireField& message) {
  const Outline meta = OutlineOf(file, message);
  return meta.OnlyNumbers({1, 2, 3, 4, 5, 6, 7}) && meta.Has(2, WireType::kLength);
}

std::optional<FileContent> IdentifyOutline(BoundedFile& file, const Outline& top) {
  const WireField* field1 = top.First(1);
  const WireField* field2 = top.First(2);
  if (field1 == nullptr) {
    // A network of Caffe need not have a name.
    const bool caffe = top.Has(100, WireType::kLength) || (field2 != nullptr && IsCaffeV1Layer(file, *field2));
    if (!caffe || !top.OnlyNumbers({2, 3, 4, 5, 6, 7, 8, 100})) return std::nullopt;
    return Weights(ModelFormat::kCaffe, "weights of a Caffe network");
  }
  if (field1->type == WireType::kVarint) {
    if (top.Has(7, WireType::kLength) && top.OnlyNumbers({1, 2, 3, 4, 5, 6, 7, 8, 9, 14, 20, 25, 26})) {
      return Model(ModelFormat::kOnnx);
    }
    if (field2 == nullptr || field2->type != WireType::kLength) return std::nullopt;
    if (top.OnlyNumbers({1, 2}) && IsCntkEntry(file, *field2)) return Model(ModelFormat::kCntkV2);
    if (top.OnlyNumbers({1, 2}) && IsMetaGraph(file, *field2)) return Model(ModelFormat::kTfSavedModel);
    if (top.numbers.rbegin()->first >= 200) return Unsupported("a Core ML model");
    return std::nullopt;
  }
  if (field1->type != WireType::kLength) return std::nullopt;
  if (top.OnlyNumbers({1, 2, 3, 4, 5}) && IsNodeDef(file, *field1)) return Model(ModelFormat::kTfFrozen);
  if (top.OnlyNumbers({1, 2, 3, 4, 5}) && IsPaddleBlock(file, *field1)) return Model(ModelFormat::kPaddle);
  if (top.Has(100, WireType::kLength) && top.OnlyNumbers({1, 2, 3, 4, 5, 6, 7, 8, 100}))
    return Weights(ModelFormat::kCaffe, "weights of a Caffe network");
  if (field2 != nullptr && IsCaffeV1Layer(file, *field2)) {
    return Weights(ModelFormat::kCaffe, "weights of a Caffe network");
  }
  return std::nullopt;
}

std::optional<FileContent> IdentifyProtobuf(BoundedFile& file) {
  constexpr int kMaxFields = 20'000;  // a frozen graph has one field for each operation
  const Outline top = OutlineOf(file, 0, file.size(), kMaxFields);
  if (top.first.empty() || (top.broken && top.missing_bytes == 0)) return std::nullopt;
  auto content = IdentifyOutline(file, top);
  if (content) content->missing_bytes = top.missing_bytes;
  return content;
}

// ---- Formats without a mark ----

// Darknet weights: version 0.1 or 0.2 (major, minor, revision), a count of pictures, then only float numbers.
bool IsDarknetWeights(string_view head, int64_t size, const std::string& name) {
  if (head.size() < 20) return false;
  const uint32_t major = Little32(head, 0);
  const uint32_t minor = Little32(head, 4);
  const uint32_t revision = Little32(head, 8);
  return name.ends_with(".weights") && major < 10 && minor < 10 && revision < 100 && size % 4 == 0;
}

// Paddle's combined weights: a version, no nesting levels, a version, then the description of the first tensor.
bool IsPaddleWeights(string_view head) {
  constexpr size_t kDescription = 20;
  if (head.size() < kDescription + 2) return false;
  const bool zeros = std::all_of(head.begin(), head.begin() + 16, [](char c) { return c == 0; });
  return zeros && Little32(head, 16) < 256 && head[kDescription] == 0x08 && head[kDescription + 1] < 32;
}

bool IsSafetensors(string_view head, int64_t size) {
  if (head.size() < 10 || head[8] != '{') return false;
  return Little32(head, 4) == 0 && Little32(head, 0) <= size && head.substr(8, 2) == "{\"";
}

}  // namespace

FileContent IdentifyContent(BoundedFile& file, const std::string& name) {
  if (file.size() == 0) return Other("empty");
  // Copied: the recognisers below read on through the same buffer.
  const std::string head(file.ReadAt(0, BoundedFile::kMaxRead));
  if (auto content = IdentifyByMagic(head)) return *content;
  if (IsDarknetWeights(head, file.size(), name)) return Weights(ModelFormat::kDarknet, "weights of a Darknet network");
  if (IsPaddleWeights(head)) return Weights(ModelFormat::kPaddle, "weights of a Paddle model without its program");
  if (IsSafetensors(head, file.size())) return Unsupported("a safetensors file: weights without a graph");
  if (auto content = IdentifyProtobuf(file)) return *content;
  if (LooksLikeText(head)) return IdentifyText(head);
  return {};
}

}  // namespace deepedge
