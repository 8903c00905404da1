#include "deepedge/repository/model_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include "deepedge/base/url.h"
#include "deepedge/repository/web_url.h"

namespace deepedge {
namespace {

constexpr std::string_view kForms = "a path, https://…, owner/repo[@ref]:path or owner/repo@tag:release/file (GitHub)";

// owner/repo[@ref]:path
struct GitHubName {
  std::string owner;
  std::string repository;
  std::string ref;  // empty: the default branch
  std::string path;
};

bool IsGitHubWord(std::string_view word) {
  return !word.empty() && word != "." && word != ".." && word.size() <= 100 &&
         std::all_of(word.begin(), word.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; });
}

bool HasDotDot(std::string_view path) {
  for (const Path& part : Path(path)) {
    if (part == "..") return true;
  }
  return false;
}

std::optional<GitHubName> SplitGitHubName(std::string_view text) {
  const size_t slash = text.find('/');
  const size_t colon = text.find(':');
  if (slash == std::string_view::npos || colon == std::string_view::npos || colon < slash) return std::nullopt;
  const std::string_view owner = text.substr(0, slash);
  std::string_view repository = text.substr(slash + 1, colon - slash - 1);
  std::string_view ref;
  if (const size_t at = repository.find('@'); at != std::string_view::npos) {
    ref = repository.substr(at + 1);
    repository = repository.substr(0, at);
    if (ref.empty()) return std::nullopt;
  }
  if (!IsGitHubWord(owner) || !IsGitHubWord(repository) || owner.starts_with('.')) return std::nullopt;
  return GitHubName{std::string(owner), std::string(repository), std::string(ref), std::string(text.substr(colon + 1))};
}

// "release/x.onnx" names an asset; "release/a/x.onnx" is a file in a folder of that name.
std::optional<std::string> ReleaseAsset(const std::string& path) {
  constexpr std::string_view kPrefix = "release/";
  if (!path.starts_with(kPrefix) || path.find('/', kPrefix.size()) != std::string::npos) return std::nullopt;
  return path.substr(kPrefix.size());
}

std::string LastPart(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

void FillNames(ModelSource& spec, const std::string& path) {
  spec.file_name = LastPart(path);
  spec.model_name = ModelNameOf(path);
}

Result<ModelSource> FromGitHub(const GitHubName& name, const HostSettings& hosts) {
  const std::string repository = name.owner + "/" + name.repository;
  const std::string origin = fmt::format("{}{}{}:{}", repository, name.ref.empty() ? "" : "@", name.ref, name.path);
  if (name.path.empty() || name.path.ends_with('/') || name.path.starts_with('/') || HasDotDot(name.path) ||
      HasDotDot(name.ref)) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("'{}': expected the path of a file of that repository behind the ':'", origin)};
  }
  ModelSource spec{.kind = ModelSourceKind::kUrl, .origin = origin};
  if (const auto asset = ReleaseAsset(name.path)) {
    const std::string where = name.ref.empty() ? "latest/download" : fmt::format("download/{}", EncodePath(name.ref));
    spec.url = fmt::format("{}/{}/releases/{}/{}", hosts.github, repository, where, EncodePath(*asset));
    FillNames(spec, *asset);
    return spec;
  }
  const std::string ref = EncodePath(name.ref.empty() ? "HEAD" : name.ref);
  spec.url = fmt::format("{}/{}/{}/{}", hosts.github_raw, repository, ref, EncodePath(name.path));
  spec.large_url = fmt::format("{}/{}/raw/{}/{}", hosts.github, repository, ref, EncodePath(name.path));
  FillNames(spec, name.path);
  return spec;
}

std::vector<std::string> SplitPath(std::string_view path) {
  std::vector<std::string> parts;
  for (const Path& part : Path(path).relative_path()) parts.push_back(part.string());
  return parts;
}

std::string Join(const std::vector<std::string>& parts, size_t first) {
  std::string joined;
  for (size_t i = first; i < parts.size(); ++i) joined += (joined.empty() ? "" : "/") + parts[i];
  return joined;
}

// Pages of github.com: /owner/repo/blob/ref/path and /raw/; nothing for what is a file already.
Result<std::optional<ModelSource>> FromGitHubPage(const WebUrl& url, const std::string& text,
                                                  const HostSettings& hosts) {
  const std::vector<std::string> parts = SplitPath(url.path);
  const std::string kind = parts.size() > 2 ? parts[2] : "";
  if ((kind == "blob" || kind == "raw") && parts.size() > 4) {
    // "refs/heads/main" is one ref of three parts.
    const bool full = parts[3] == "refs" && parts.size() > 6;
    ModelSource spec{.kind = ModelSourceKind::kUrl, .origin = PrintableUrl(text.substr(0, text.find_first_of("?#")))};
    const std::string rest = Join(parts, 3);
    spec.url = fmt::format("{}/{}/{}/{}", hosts.github_raw, parts[0], parts[1], rest);
    spec.large_url = fmt::format("{}/{}/{}/raw/{}", hosts.github, parts[0], parts[1], rest);
    FillNames(spec, DecodePath(Join(parts, full ? 6 : 4)));
    return std::optional(std::move(spec));
  }
  if (kind == "releases" && parts.size() > 5 && (parts[3] == "download" || parts[4] == "download")) {
    ModelSource spec{.kind = ModelSourceKind::kUrl, .origin = PrintableUrl(text)};
    spec.url = fmt::format("{}/{}", hosts.github, Join(parts, 0));
    FillNames(spec, DecodePath(parts.back()));
    return std::optional(std::move(spec));
  }
  if (kind == "archive" || kind == "zipball" || kind == "tarball") return std::optional<ModelSource>();
  return Error{ErrorCode::kBadInput,
               fmt::format("{}: a page of GitHub, not a file; open the model's file there and give that address, or "
                           "write owner/repo[@ref]:path",
                           PrintableUrl(text))};
}

Result<ModelSource> FromUrl(const std::string& text, const HostSettings& hosts) {
  DE_TRY_STATUS(CheckMayConnect(text, hosts.allow_http));
  DE_TRY(const WebUrl url, ParseWebUrl(text));
  if (url.host == "github.com" || url.host == "www.github.com") {
    DE_TRY(std::optional<ModelSource> page, FromGitHubPage(url, text, hosts));
    if (page) return *std::move(page);
  }
  ModelSource spec{.kind = ModelSourceKind::kUrl, .url = text, .origin = WithoutUser(text)};
  if (url.host == "raw.githubusercontent.com") {
    spec.url = hosts.github_raw + url.path;
    const std::vector<std::string> parts = SplitPath(url.path);
    if (parts.size() > 3)
      spec.large_url = fmt::format("{}/{}/{}/raw/{}", hosts.github, parts[0], parts[1], Join(parts, 2));
  }
  FillNames(spec, DecodePath(url.path));
  if (spec.file_name.empty()) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: names no file", PrintableUrl(text))};
  }
  return spec;
}

constexpr std::array<std::string_view, 12> kArchiveEndings{".tar.gz", ".tar.xz", ".tar.zst", ".tar.bz2", ".tgz", ".txz",
                                                           ".tar",    ".zip",    ".tbz2",    ".tbz",     ".gz",  ".xz"};

std::string WithoutEnding(const std::string& name) {
  for (const std::string_view ending : kArchiveEndings) {
    if (name.size() > ending.size() && name.ends_with(ending)) return name.substr(0, name.size() - ending.size());
  }
  const size_t dot = name.rfind('.');
  if (dot == std::string::npos || dot == 0) return name;
  // "yolo_fastest_1.1" ends in a version.
  if (name.find_first_not_of("0123456789", dot + 1) == std::string::npos) return name;
  return name.substr(0, dot);
}

// Names that say nothing about the model they belong to.
bool SaysNothing(const std::string& name) {
  constexpr std::array<std::string_view, 10> kGeneral{
      "model",     "__model__", "saved_model", "net",     "network",
      "inference", "deploy",    "download",    "weights", "frozen_inference_graph"};
  return name.empty() || name.find_first_not_of("0123456789") == std::string::npos ||
         std::find(kGeneral.begin(), kGeneral.end(), name) != kGeneral.end();
}

std::string Allowed(const std::string& name) {
  std::string allowed;
  for (const char c : name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
    allowed += plain ? c : '_';
  }
  const size_t first = allowed.find_first_not_of("-_.");
  allowed = first == std::string::npos ? "" : allowed.substr(first, 64);
  return allowed;
}

}  // namespace

HostSettings HostSettingsFromEnvironment() {
  HostSettings hosts;
  const auto take = [](const char* name, std::string* base) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') return;
    *base = value;
    while (base->ends_with('/')) base->pop_back();
  };
  take("DEEPEDGE_GITHUB_RAW", &hosts.github_raw);
  take("DEEPEDGE_GITHUB", &hosts.github);
  return hosts;
}

Result<ModelSource> ParseModelSource(const std::string& text, const HostSettings& hosts) {
  if (text.empty()) return Error{ErrorCode::kBadInput, fmt::format("no source given; expected {}", kForms)};
  constexpr size_t kLongest = 8192;
  if (text.size() > kLongest) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("the source is {} characters long; at most {} are", text.size(), kLongest)};
  }
  if (text.find('\0') != std::string::npos) {
    return Error{ErrorCode::kBadInput, "the source has a zero byte in it"};
  }
  if (!SplitUrl(text).scheme.empty()) return FromUrl(text, hosts);
  if (!text.starts_with('/') && !text.starts_with('.')) {
    if (const auto name = SplitGitHubName(text)) return FromGitHub(*name, hosts);
  }
  ModelSource spec{.kind = ModelSourceKind::kPath, .path = Path(text), .origin = text};
  Path named(text);
  if (!named.has_filename()) named = named.parent_path();
  FillNames(spec, named.string());
  return spec;
}

std::string ModelNameOf(std::string_view path) {
  Path rest(path);
  bool last = true;
  while (!rest.empty()) {
    if (!rest.has_filename()) {
      if (rest == rest.parent_path()) break;
      rest = rest.parent_path();
      continue;
    }
    const std::string part = rest.filename().string();
    const std::string stem = last ? WithoutEnding(part) : part;
    const std::string name = Allowed(stem);
    if (!SaysNothing(stem) && !SaysNothing(name)) return name;
    last = false;
    rest = rest.parent_path();
  }
  const std::string only = Allowed(WithoutEnding(Path(path).filename().string()));
  return CheckModelName(only).ok() ? only : "model";
}

Status CheckModelName(std::string_view name) {
  const bool fits =
      !name.empty() && name.size() <= 64 && std::isalnum(static_cast<unsigned char>(name.front())) != 0 &&
      std::all_of(name.begin(), name.end(),
                  [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; }) &&
      name.find_first_not_of("0123456789") != std::string_view::npos;
  if (fits) return {};
  return Error{ErrorCode::kBadInput,
               fmt::format("'{}' is no name for a model: letters, digits, '_', '-' and '.', at most 64, beginning with "
                           "a letter or digit, and not a number alone",
                           name)};
}

bool IsBelow(const std::string& path) {
  if (path.empty() || path.size() > 200 || path.front() == '/' || path.find('\\') != std::string::npos) return false;
  const Path parts(path);
  return std::all_of(parts.begin(), parts.end(),
                     [](const Path& part) { return !part.empty() && !part.string().starts_with('.'); });
}

std::string CompanionOf(const std::string& file_name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kPairs{{
      {".xml", ".bin"},
      {".pdmodel", ".pdiparams"},
      {".prototxt", ".caffemodel"},
      {".cfg", ".weights"},
      {".param", ".bin"},
  }};
  if (file_name == "__model__") return "__params__";
  if (file_name == "__params__") return "__model__";
  for (const auto& [graph, weights] : kPairs) {
    const auto other = [&](std::string_view have, std::string_view wanted) {
      return file_name.substr(0, file_name.size() - have.size()).append(wanted);
    };
    if (file_name.ends_with(graph)) return other(graph, weights);
    if (file_name.ends_with(weights)) return other(weights, graph);
  }
  return {};
}

std::string SiblingUrl(const std::string& url, const std::string& file_name) {
  const size_t end = url.find_first_of("?#");
  const std::string query = end == std::string::npos ? "" : url.substr(end);
  const std::string path = url.substr(0, end);
  return path.substr(0, path.rfind('/') + 1) + EncodePath(file_name) + query;
}

}  // namespace deepedge
