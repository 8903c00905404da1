// ModelSource: what the user means when naming where a model comes from. Pure: nothing is opened or asked.
//
//   models/net.onnx, /mnt/stick/nets, net.tar.gz       a file, a folder or an archive on this machine
//   https://host/path/net.onnx                         a file or an archive on a server
//   https://github.com/owner/repo/blob/ref/net.onnx    GitHub's page of a file: the file itself is taken
//   owner/repo[@ref]:path/net.onnx                     a file in a GitHub repository; ref: branch, tag or commit
//   owner/repo[@tag]:release/net.onnx                  a file attached to a release; without a tag, the latest
//
// A path on this machine that looks like one of the last two is written with ./ in front.
#pragma once

#include <string>
#include <string_view>

#include "deepedge/base/file.h"
#include "deepedge/base/result.h"

namespace deepedge {

// Where GitHub is. A mirror that has the same paths takes its place by setting.
struct HostSettings {
  std::string github_raw = "https://raw.githubusercontent.com";
  std::string github = "https://github.com";  // releases, and files in Git LFS
  bool allow_http = false;                    // also from other machines than this one
};

// The settings with $DEEPEDGE_GITHUB_RAW and $DEEPEDGE_GITHUB in place of their defaults.
HostSettings HostSettingsFromEnvironment();

enum class ModelSourceKind { kPath, kUrl };

struct ModelSource {
  ModelSourceKind kind = ModelSourceKind::kPath;
  Path path;               // of kPath
  std::string url;         // of kUrl: what is asked for; may hold a password
  std::string large_url;   // where the content lies if `url` gives a Git LFS pointer; empty: nowhere else
  std::string file_name;   // the last part, for what is stored
  std::string model_name;  // what one would call the model: a name that the repository allows
  std::string origin;      // what the user named, without passwords: can be given to ParseModelSource again
};

// Errors: kBadInput, naming the forms that are allowed.
Result<ModelSource> ParseModelSource(const std::string& text, const HostSettings& hosts);

// A name for the model in a file: its name without the ending, or that of the folder where the file's says nothing
// ("model.onnx", "saved_model.pb", "1/net.onnx"); other characters than the repository allows become '_'.
std::string ModelNameOf(std::string_view path);

// A name of a model in the repository: letters, digits, '_', '-' and '.', at most 64, beginning with a letter or digit
// and not a number alone (that is a version). Errors: kBadInput.
Status CheckModelName(std::string_view name);

// A relative path that stays below its folder and is not hidden: "net.onnx", "variables/variables.index".
bool IsBelow(const std::string& path);

// The file that belongs to this one where a model is two files: "x.xml" and "x.bin", "x.prototxt" and "x.caffemodel",
// and so on, in both directions. Empty: none.
std::string CompanionOf(const std::string& file_name);

// `url` with its last part replaced.
std::string SiblingUrl(const std::string& url, const std::string& file_name);

}  // namespace deepedge
