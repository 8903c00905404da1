#include "deepedge/repository/acquire.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "deepedge/base/url.h"
#include "deepedge/formats/onnx/onnx_external.h"
#include "deepedge/formats/sniff.h"
#include "deepedge/model/model_card_io.h"
#include "deepedge/model/note_files.h"
#include "deepedge/repository/durable.h"
#include "deepedge/repository/minisign.h"
#include "deepedge/repository/unpack.h"
#include "deepedge/repository/web_url.h"

namespace deepedge {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCardFile = "model.yaml";
constexpr int64_t kLargestCatalogue = int64_t{1} << 20;
constexpr std::string_view kLargeFilePointer = "version https://git-lfs.github.com/spec/";

Path FolderOf(const Path& file) {
  std::error_code ec;
  return fs::absolute(file, ec).parent_path();
}

// A Git LFS pointer: the hash and size of a file that lies elsewhere.
std::optional<DownloadRequest> ReadLargeFilePointer(const Path& file) {
  const auto text = ReadFilePrefix(file, 1024);
  if (!text.ok() || !text.value().starts_with(kLargeFilePointer)) return std::nullopt;
  DownloadRequest request;
  const auto value = [&](std::string_view key) -> std::string {
    const size_t at = text.value().find(key);
    if (at == std::string::npos) return {};
    const size_t begin = at + key.size();
    return text.value().substr(begin, text.value().find('\n', begin) - begin);
  };
  request.sha256 = value("\noid sha256:");
  const std::string size = value("\nsize ");
  if (request.sha256.size() != 64 || size.empty() || size.size() > 15 ||
      size.find_first_not_of("0123456789") != std::string::npos) {
    return std::nullopt;
  }
  request.size = std::stoll(size);
  return request;
}

Error IsLargeFilePointer(const std::string& what) {
  return {ErrorCode::kBadInput,
          fmt::format("{}: is a Git LFS pointer, not the model; get the file itself (git lfs pull)", what)};
}

// Names of the files, relative to it, that a network keeps weights in besides the two of CompanionOf. What is wrong
// with the network is told by whoever reads it.
std::set<std::string> WeightFilesOf(const Path& file) {
  std::set<std::string> names;
  const auto files = FindModelFiles(file);
  if (!files.ok() || files.value().format != ModelFormat::kOnnx) return names;
  const auto external = NamesOfOnnxExternalFiles(file);
  if (!external.ok()) return names;
  for (const Path& name : external.value()) {
    if (names.size() < 1000) names.insert(name.string());
  }
  return names;
}

// JSON is of many kinds: that which describes a model's input or labels.
bool IsJsonNote(const std::string& text) {
  constexpr std::array<std::string_view, 5> kMarks{"\"output_postproc\"", "\"id2label\"", "\"image_mean\"",
                                                   "\"image_processor_type\"", "\"feature_extractor_type\""};
  return std::any_of(kMarks.begin(), kMarks.end(),
                     [&](std::string_view mark) { return text.find(mark) != std::string::npos; });
}

// The files of a folder that say something about a model in it, and the lists of labels that they name.
std::vector<Path> NotesIn(const Path& folder) {
  std::vector<Path> notes;
  std::string settings;  // text that may name a list of labels
  const std::vector<Path> small = SmallFilesOf(folder);
  for (const Path& file : small) {
    const NoteKind kind = NoteKindOf(file.filename().string());
    if (kind == NoteKind::kNone || file.filename().string().starts_with('.')) continue;
    const auto text = ReadFile(file, kLargestNote);
    if (!text.ok() || (kind == NoteKind::kJson && !IsJsonNote(text.value()))) continue;
    if (kind == NoteKind::kTriton || kind == NoteKind::kDeepStream) settings += text.value() + "\n";
    notes.push_back(file);
  }
  for (const Path& file : small) {
    const std::string name = file.filename().string();
    if (file.extension() == ".txt" && NoteKindOf(name) == NoteKind::kNone && settings.find(name) != std::string::npos) {
      notes.push_back(file);
    }
  }
  return notes;
}

class Acquirer {
 public:
  Acquirer(const AcquireOptions& options, const ModelRepository& repository, const Staging& staging)
      : options_(options), staging_(staging), downloader_(FilledIn(options, repository)) {}

  static Downloader::Options FilledIn(const AcquireOptions& options, const ModelRepository& repository) {
    Downloader::Options download = options.download;
    download.folder = repository.DownloadFolder();
    download.allow_http = options.hosts.allow_http;
    return download;
  }

  // Gets one file from a server to `target`, whose name is the file's own. Gives its hash.
  Result<std::string> Download(const ModelSource& spec, std::string sha256, int64_t size, const Path& target) const {
    const Path temporary = staging_.scratch() / ".download";
    // A pointer has neither the hash nor the size of the file it stands for: whoever knows them gets the file at once
    // or, failing that, from where large files lie.
    auto fetched = downloader_.Fetch({.url = spec.url, .sha256 = sha256, .size = size}, options_.progress);
    if (!fetched.ok() &&
        (spec.large_url.empty() || (sha256.empty() && size < 0) || fetched.error().code != ErrorCode::kBadInput)) {
      return fetched.error();
    }
    if (fetched.ok()) {
      DE_TRY_STATUS(fetched.value().MoveTo(temporary));
      const auto pointer = ReadLargeFilePointer(temporary);
      if (!pointer) return Place(temporary, target);
      if (spec.large_url.empty()) return IsLargeFilePointer(PrintableUrl(spec.url));
      sha256 = pointer->sha256;
      size = pointer->size;
    }
    auto large = downloader_.Fetch({.url = spec.large_url, .sha256 = sha256, .size = size}, options_.progress);
    if (!large.ok()) {
      if (!fetched.ok()) return fetched.error();
      return Error{large.error().code == ErrorCode::kNotFound ? ErrorCode::kBadInput : large.error().code,
                   fmt::format("{}: is a Git LFS pointer, and the file it stands for: {}", PrintableUrl(spec.url),
                               large.error().message)};
    }
    DE_TRY_STATUS(large.value().MoveTo(temporary));
    return Place(temporary, target);
  }

  Result<std::string> CopyFile(const Path& from, const Path& to) const {
    DE_TRY_STATUS(CreateFolders(to.parent_path()));
    DE_TRY_STATUS(CopyContent(from, to));
    if (ReadLargeFilePointer(to)) return IsLargeFilePointer(from.string());
    return Sha256OfFile(to);
  }

  // Regular files below `folder`, links to such followed; hidden ones and the card are left out.
  Status CopyFolder(const Path& folder, bool move) const {
    constexpr int kMostFiles = 10'000;
    int count = 0;
    std::error_code ec;
    for (auto it = fs::recursive_directory_iterator(folder, ec); !ec && it != fs::recursive_directory_iterator();
         it.increment(ec)) {
      if (it->path().filename().string().starts_with('.')) {
        it.disable_recursion_pending();
        continue;
      }
      std::error_code type_error;
      const Path below = it->path().lexically_relative(folder);
      if (below == kCardFile || !it->is_regular_file(type_error)) continue;
      if (++count > kMostFiles) {
        return Error{ErrorCode::kBadInput, fmt::format("{}: holds more than {} files; name the model's own folder",
                                                       folder.string(), kMostFiles)};
      }
      const Path to = staging_.files() / below;
      if (!move) {
        DE_TRY_STATUS(CopyFile(it->path(), to).status());
        continue;
      }
      DE_TRY_STATUS(CreateFolders(to.parent_path()));
      DE_TRY_STATUS(RenameDurably(it->path(), to));
    }
    if (ec) return FileError(folder, "cannot be listed", ec.value());
    return {};
  }

  // The card beside the files that were named, with its labels in it.
  Status TakeCard(Path root) const {
    if (!root.has_filename()) root = root.parent_path();  // "a/b/"
    for (const Path& card : {root / kCardFile, root.parent_path() / kCardFile}) {
      std::error_code ec;
      const bool above = card.parent_path() != root;
      if (above && root.filename().string().find_first_not_of("0123456789") != std::string::npos) continue;
      if (!fs::exists(card, ec)) continue;
      DE_TRY(ModelCard parsed, LoadModelCard(card));
      parsed.version = 0;
      return WriteFileAtomically(staging_.files() / kCardFile, ToYaml(parsed));
    }
    return {};
  }

  // What others wrote about the model, from its folder and, of a version, the one above: see model/note_files.h. What
  // came along already stays.
  Status TakeNotes(const Path& root) const {
    std::error_code ec;
    const Path whole = fs::absolute(root, ec).lexically_normal();
    const Path clean = whole.has_filename() ? whole : whole.parent_path();
    std::vector<Path> folders{clean};
    if (IsVersionFolder(clean)) folders.push_back(clean.parent_path());
    for (const Path& folder : folders) {
      for (const Path& note : NotesIn(folder)) {
        const Path to = staging_.files() / note.filename();
        if (!fs::exists(to, ec)) DE_TRY_STATUS(CopyFile(note, to).status());
      }
    }
    return {};
  }

  Result<std::string> TakePath(const Path& path, bool only) const;
  Result<std::string> TakeUrl(const ModelSource& spec, const std::string& sha256, bool only) const;
  Status TakeArchive(const Path& archive, const std::string& called, const std::string& name) const;

 private:
  Result<std::string> Place(const Path& temporary, const Path& target) const {
    DE_TRY_STATUS(CreateFolders(target.parent_path()));
    DE_TRY_STATUS(RenameDurably(temporary, target));
    return Sha256OfFile(target);
  }

  const AcquireOptions& options_;
  const Staging& staging_;
  Downloader downloader_;
};

// The message names where we put it; the user knows it by another name.
Error Renamed(Error error, const std::string& ours, const std::string& called) {
  for (size_t at = 0; (at = error.message.find(ours, at)) != std::string::npos; at += called.size()) {
    error.message.replace(at, ours.size(), called);
  }
  return error;
}

// Models in `folder` and, where it is none itself, in the folders below it.
void FindModels(const Path& folder, int depth, std::vector<ModelFiles>* found, std::optional<Error>* why) {
  auto files = FindModelFiles(folder);
  if (files.ok()) {
    found->push_back(std::move(files).value());
    return;
  }
  // A format that is known but cannot be read says more than "nothing found".
  if (!*why || files.error().code == ErrorCode::kUnsupported) *why = files.error();
  if (depth == 0) return;
  std::error_code ec;
  for (auto it = fs::directory_iterator(folder, ec); !ec && it != fs::directory_iterator(); it.increment(ec)) {
    std::error_code type_error;
    if (it->is_directory(type_error) && !it->is_symlink(type_error) && found->size() < 100) {
      FindModels(it->path(), depth - 1, found, why);
    }
  }
}

Result<ModelFiles> FindOnlyModel(const Path& folder, const std::string& called, const std::string& file_name = "") {
  constexpr int kDepth = 5;
  std::vector<ModelFiles> found;
  std::optional<Error> why;
  FindModels(folder, kDepth, &found, &why);
  const auto relative = [&](const Path& path) { return path.lexically_relative(folder).string(); };
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    if (!file_name.empty()) why = Renamed(*std::move(why), (folder / file_name).string(), called);
    return Renamed(*std::move(why), folder.string(), called);
  }
  std::vector<std::string> names;
  for (size_t i = 0; i < found.size() && i < 10; ++i) names.push_back(relative(found[i].graph));
  return Error{ErrorCode::kBadInput, fmt::format("{}: holds {} models: {}; add the one that is meant by itself", called,
                                                 found.size(), fmt::join(names, ", "))};
}

// `name`: the file's own, for one that is a single compressed file.
Status Acquirer::TakeArchive(const Path& archive, const std::string& called, const std::string& name) const {
  const Path folder = staging_.scratch() / "unpacked";
  DE_TRY_STATUS(CreateFolders(folder));
  // Some models are archives by their first bytes, and of a format that says more of them.
  if (const auto known = FindModelFiles(archive); !known.ok() && known.error().code == ErrorCode::kUnsupported) {
    return Renamed(known.error(), archive.string(), called);
  }
  if (const Status unpacked = Unpack(archive, folder, {}, name); !unpacked.ok()) {
    return Renamed(unpacked.error(), archive.string(), called);
  }
  DE_TRY(const ModelFiles files, FindOnlyModel(folder, called));
  const Path root = FolderOfModel(files);
  DE_TRY_STATUS(TakeCard(root));
  DE_TRY_STATUS(TakeNotes(root));
  return CopyFolder(root, true);
}

Result<std::string> Acquirer::TakePath(const Path& path, bool only) const {
  DE_TRY(const auto status, StatusOf(path, "no such file or folder"));
  if (fs::is_directory(status)) {
    DE_TRY(const ModelFiles files, FindOnlyModel(path, path.string()));
    const Path root = FolderOfModel(files);
    DE_TRY_STATUS(CopyFolder(root, false));
    std::error_code ec;
    DE_TRY_STATUS(TakeCard(fs::absolute(root, ec).lexically_normal()));
    DE_TRY_STATUS(TakeNotes(root));
    return Sha256OfFile(GraphFileOf(files));
  }
  DE_TRY(const bool is_archive, IsArchive(path));
  if (is_archive) {
    DE_TRY_STATUS(TakeArchive(path, path.string(), path.filename().string()));
    return Sha256OfFile(path);
  }
  if (!only) {
    DE_TRY(std::string found, CopyFile(path, staging_.files() / path.filename()));
    DE_TRY_STATUS(TakeNotes(FolderOf(path)));
    return found;
  }
  auto files = FindModelFiles(path);
  if (files.ok() && files.value().format == ModelFormat::kTfSavedModel) return TakePath(files.value().graph, only);
  std::error_code ec;
  if (files.ok() && fs::is_directory(files.value().weights, ec)) {
    // A file for each parameter, all in one folder.
    DE_TRY_STATUS(CopyFolder(files.value().weights, false));
    if (!fs::exists(staging_.files() / path.filename(), ec)) {
      DE_TRY_STATUS(CopyFile(path, staging_.files() / path.filename()).status());
    }
    DE_TRY_STATUS(TakeCard(FolderOf(path)));
    DE_TRY_STATUS(TakeNotes(FolderOf(path)));
    return Sha256OfFile(path);
  }
  DE_TRY(const std::string sha256, CopyFile(path, staging_.files() / path.filename()));
  for (const std::string& name : WeightFilesOf(path)) {
    if (!fs::is_regular_file(path.parent_path() / name, ec)) continue;
    DE_TRY_STATUS(CopyFile(path.parent_path() / name, staging_.files() / name).status());
  }
  // What belongs to it: the weights that were found, or a file of the name that such a file would have.
  const std::string companion = CompanionOf(path.filename().string());
  Path second = files.ok() ? files.value().weights : Path();
  if (second.empty() && !companion.empty()) second = path.parent_path() / companion;
  if (!second.empty() && fs::is_regular_file(second, ec)) {
    DE_TRY_STATUS(CopyFile(second, staging_.files() / second.filename()).status());
  }
  DE_TRY_STATUS(TakeCard(FolderOf(path)));
  DE_TRY_STATUS(TakeNotes(FolderOf(path)));
  return sha256;
}

Result<std::string> Acquirer::TakeUrl(const ModelSource& spec, const std::string& sha256, bool only) const {
  std::string name = spec.file_name;
  if (name.empty() || name.starts_with('.') || name.find('/') != std::string::npos || name.size() > 200) name = "model";
  const Path target = staging_.files() / name;
  DE_TRY(const std::string found, Download(spec, sha256, -1, target));
  DE_TRY(const bool is_archive, IsArchive(target));
  if (is_archive) {
    const Path archive = staging_.scratch() / "archive";
    DE_TRY_STATUS(RenameDurably(target, archive));
    DE_TRY_STATUS(TakeArchive(archive, PrintableUrl(spec.url), name));
    return found;
  }
  if (!only) return found;
  std::set<std::string> belonging = WeightFilesOf(target);
  if (const std::string companion = CompanionOf(name); !companion.empty()) belonging.insert(companion);
  for (const std::string& other : belonging) {
    ModelSource second = spec;
    second.url = SiblingUrl(spec.url, other);
    if (!spec.large_url.empty()) second.large_url = SiblingUrl(spec.large_url, other);
    // Where there is none, whoever reads the model says what is missing.
    const auto got = Download(second, "", -1, staging_.files() / other);
    if (!got.ok() && got.error().code != ErrorCode::kNotFound) return got.error();
  }
  return found;
}

}  // namespace

Result<Acquired> AcquireSources(const std::vector<std::string>& sources, const std::string& sha256,
                                const AcquireOptions& options, const ModelRepository& repository,
                                const Staging& staging) {
  const Acquirer acquirer(options, repository, staging);
  Acquired acquired;
  std::string what;
  std::string file_name;
  for (const std::string& source : sources) {
    DE_TRY(const ModelSource spec, ParseModelSource(source, options.hosts));
    const bool first = acquired.downloads.empty();
    const bool only = sources.size() == 1;
    const std::string expected = first ? sha256 : "";
    if (first) {
      what = PrintableUrl(spec.origin);
      file_name = spec.file_name;
    }
    DE_TRY(std::string found, spec.kind == ModelSourceKind::kPath ? acquirer.TakePath(spec.path, only)
                                                                  : acquirer.TakeUrl(spec, expected, only));
    if (!expected.empty() && found != expected) {
      return Error{ErrorCode::kBadInput,
                   fmt::format("{}: sha256 is {}, but {} was expected", PrintableUrl(spec.origin), found, expected)};
    }
    acquired.downloads.push_back(std::move(found));
  }
  DE_TRY(acquired.files, FindOnlyModel(staging.files(), what, file_name));
  return acquired;
}

Result<Acquired> AcquireFromCatalogue(const CatalogueModel& model, const std::string& where,
                                      const AcquireOptions& options, const ModelRepository& repository,
                                      const Staging& staging) {
  const Acquirer acquirer(options, repository, staging);
  Acquired acquired;
  for (const CatalogueModelFile& file : model.files) {
    std::string failures;
    ErrorCode code = ErrorCode::kNotFound;
    bool done = false;
    for (const std::string& url : file.urls) {
      const Path target = staging.files() / file.name;
      const auto get = [&]() -> Result<std::string> {
        DE_TRY(const ModelSource spec, ResolveCatalogueUrl(url, where, options.hosts));
        if (spec.kind == ModelSourceKind::kUrl) return acquirer.Download(spec, file.sha256, file.size, target);
        DE_TRY(std::string found, acquirer.CopyFile(spec.path, target));
        if (found == file.sha256) return found;
        std::error_code ec;
        fs::remove(target, ec);
        return Error{ErrorCode::kBadInput, fmt::format("{}: sha256 is {}, but the catalogue says {}",
                                                       spec.path.string(), found, file.sha256)};
      };
      auto got = get();
      if (got.ok()) {
        done = true;
        break;
      }
      code = got.error().code;
      failures += (failures.empty() ? "" : "; ") + got.error().message;
      if (code == ErrorCode::kExhausted) break;  // another server would not help
    }
    if (!done) return Error{code, fmt::format("model '{}', file {}: {}", model.name, file.name, failures)};
    acquired.downloads.push_back(file.sha256);
  }
  DE_TRY(acquired.files, FindOnlyModel(staging.files(), fmt::format("model '{}'", model.name)));
  return acquired;
}

Result<CatalogueFileContent> LoadCatalogue(const std::string& where, const std::string& key,
                                           const AcquireOptions& options, const ModelRepository& repository) {
  if (where.empty()) return BuiltInCatalogue();
  DE_TRY(const ModelSource spec, ParseModelSource(where, options.hosts));
  std::string text;
  std::string signature;
  if (spec.kind == ModelSourceKind::kPath) {
    DE_TRY(text, ReadFile(spec.path, kLargestCatalogue));
    if (!key.empty()) {
      DE_TRY(signature, ReadFile(Path(spec.path.string() + ".minisig"), 1 << 16));
    }
  } else {
    DE_TRY(const WebUrl url, ParseWebUrl(spec.url));
    if (key.empty() && url.scheme != "https" && !url.IsLoopback()) {
      return Error{
          ErrorCode::kBadInput,
          fmt::format("{}: a catalogue by http needs a key that it is signed with (--key)", PrintableUrl(spec.url))};
    }
    DE_TRY(const Staging staging, repository.NewStaging());
    AcquireOptions small = options;
    small.download.max_bytes = kLargestCatalogue;
    const Acquirer acquirer(small, repository, staging);
    const auto got = acquirer.Download(spec, "", -1, staging.files() / "catalogue");
    if (!got.ok()) return Renamed(got.error(), " (--max-size)", " for a catalogue");
    DE_TRY(text, ReadFile(staging.files() / "catalogue", kLargestCatalogue));
    if (!key.empty()) {
      ModelSource beside = spec;
      beside.large_url.clear();
      const size_t end = std::min(spec.url.find_first_of("?#"), spec.url.size());
      beside.url.insert(end, ".minisig");
      DE_TRY_STATUS(acquirer.Download(beside, "", -1, staging.files() / "signature").status());
      DE_TRY(signature, ReadFile(staging.files() / "signature", 1 << 16));
    }
  }
  if (!key.empty()) {
    std::string public_key = key;
    std::error_code ec;
    if (fs::is_regular_file(key, ec)) {
      DE_TRY(public_key, ReadFile(key, 1 << 16));
    }
    DE_TRY_STATUS(VerifyMinisign(text, signature, public_key, PrintableUrl(where)).status());
  }
  if (spec.kind == ModelSourceKind::kUrl) return ParseCatalogue(text, where);
  std::error_code ec;
  const Path whole = fs::absolute(spec.path, ec);
  return ParseCatalogue(text, (ec ? spec.path : whole.lexically_normal()).string());
}

}  // namespace deepedge
