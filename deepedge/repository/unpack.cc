#include "deepedge/repository/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string>

#include "deepedge/base/unique_fd.h"
#include "deepedge/base/utf8.h"
#include "deepedge/repository/part_file.h"

namespace deepedge {
namespace {

namespace fs = std::filesystem;
using Reader = std::unique_ptr<archive, int (*)(archive*)>;

// Why a path may not be unpacked, or nothing.
std::string_view WhatIsWrong(const std::string& path, const UnpackLimits& limits) {
  if (path.empty()) return "has no name";
  if (path.size() > limits.max_path) return "has a path that is too long";
  if (!IsPlainText(path)) return "has a name that is not plain text";
  if (path.find('\\') != std::string::npos) return "has a '\\' in its path";
  if (path.front() == '/') return "is an absolute path";
  int depth = 0;
  for (const Path& part : Path(path)) {
    if (part == "..") return "leads out of the folder with '..'";
    if (++depth > limits.max_depth) return "lies in too many folders";
  }
  return {};
}

std::string_view KindOf(mode_t type) {
  switch (type) {
    case AE_IFLNK: return "is a symbolic link";
    case AE_IFCHR:
    case AE_IFBLK: return "is a device";
    case AE_IFIFO: return "is a pipe";
    case AE_IFSOCK: return "is a socket";
    default: return "is neither a file nor a folder";
  }
}

// "nets/m.onnx.gz" -> "m.onnx"
std::string NameOfSingleFile(const std::string& name) {
  const Path last = Path(name).filename();
  for (const char* ending : {".gz", ".xz", ".zst", ".bz2"}) {
    if (last.extension() == ending) return last.stem().string();
  }
  return last.string();
}

class Unpacker {
 public:
  Unpacker(const Path& file, const Path& folder, const UnpackLimits& limits, const std::string& name)
      : file_(file), folder_(folder), limits_(limits), name_(name), reader_(archive_read_new(), archive_read_free) {}

  Status Run() {
    std::error_code ec;
    archive_bytes_ = static_cast<int64_t>(fs::file_size(file_, ec));
    if (ec) return Error{ErrorCode::kBadInput, fmt::format("{}: {}", file_.string(), ec.message())};
    if (!reader_) return Error{ErrorCode::kExhausted, "no memory to unpack an archive"};
    archive_read_support_format_tar(reader_.get());
    archive_read_support_format_zip(reader_.get());
    archive_read_support_format_raw(reader_.get());  // what is none of these, decompressed
    archive_read_support_filter_gzip(reader_.get());
    archive_read_support_filter_xz(reader_.get());
    archive_read_support_filter_zstd(reader_.get());
    archive_read_support_filter_bzip2(reader_.get());
    if (archive_read_open_filename(reader_.get(), file_.c_str(), 1 << 16) != ARCHIVE_OK) return Broken();
    while (true) {
      archive_entry* entry = nullptr;
      const int result = archive_read_next_header(reader_.get(), &entry);
      if (result == ARCHIVE_EOF) break;
      if (result < ARCHIVE_WARN) return Broken();
      if (++entries_ > limits_.max_entries) {
        return Error{ErrorCode::kBadInput,
                     fmt::format("{}: holds more than {} files", file_.string(), limits_.max_entries)};
      }
      DE_TRY_STATUS(Take(entry));
    }
    if (entries_ == 0) return Error{ErrorCode::kBadInput, fmt::format("{}: an archive without files", file_.string())};
    return {};
  }

 private:
  Status Broken() const {
    const char* why = archive_error_string(reader_.get());
    return Error{ErrorCode::kBadInput,
                 fmt::format("{}: a broken archive: {}", file_.string(), why != nullptr ? why : "it cannot be read")};
  }
  Status Refuse(const std::string& path, std::string_view why) const {
    std::string shown = path.substr(0, 200);
    if (!IsPlainText(shown)) shown = "?";
    return Error{ErrorCode::kBadInput,
                 fmt::format("{}: entry '{}' {}; the archive is refused", file_.string(), shown, why)};
  }

  Status Take(archive_entry* entry) {
    const char* name = archive_entry_pathname(entry);
    std::string path = name != nullptr ? name : "";
    if (archive_format(reader_.get()) == ARCHIVE_FORMAT_RAW) {
      if (archive_filter_code(reader_.get(), 0) == ARCHIVE_FILTER_NONE) return Broken();
      path = NameOfSingleFile(name_);
    }
    if (const std::string_view wrong = WhatIsWrong(path, limits_); !wrong.empty()) return Refuse(path, wrong);
    if (archive_entry_hardlink(entry) != nullptr) return Refuse(path, "is a link");
    if (archive_entry_is_encrypted(entry) != 0) return Refuse(path, "is encrypted");
    const mode_t type = archive_entry_filetype(entry);
    const Path target = folder_ / Path(path).lexically_normal();
    std::error_code ec;
    if (type == AE_IFDIR) {
      fs::create_directories(target, ec);
      return ec ? Status(FileError(target, "cannot be created", ec.value())) : Status();
    }
    if (type != AE_IFREG) return Refuse(path, KindOf(type));
    fs::create_directories(target.parent_path(), ec);
    if (ec) return FileError(target, "cannot be created", ec.value());
    return Write(path, target);
  }

  Status Write(const std::string& path, const Path& target) {
    // Nothing here is a link, since we made all of it; O_EXCL refuses a second file of one name.
    const UniqueFd fd(open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!fd.valid()) {
      if (errno == EEXIST || errno == EISDIR) return Refuse(path, "is there twice");
      return FileError(target, "cannot be created", errno);
    }
    while (true) {
      const void* block = nullptr;
      size_t size = 0;
      la_int64_t offset = 0;
      const int result = archive_read_data_block(reader_.get(), &block, &size, &offset);
      if (result == ARCHIVE_EOF) return {};
      if (result < ARCHIVE_WARN) return Broken();
      DE_TRY_STATUS(Count(path, static_cast<int64_t>(size), offset));
      DE_TRY_STATUS(WriteBlock(fd.get(), target, static_cast<const char*>(block), size, offset));
    }
  }

  Status Count(const std::string& path, int64_t size, int64_t offset) {
    bytes_ += size;
    // A file with holes is as large as its last byte says.
    const int64_t all = std::max(bytes_, offset);
    if (all > limits_.max_bytes || offset < 0) {
      return Refuse(path, fmt::format("makes it more than {} bytes unpacked", limits_.max_bytes));
    }
    if (all > limits_.ratio_from_bytes && all / limits_.max_ratio > archive_bytes_) {
      return Refuse(path, fmt::format("makes it more than {} times the size of the archive", limits_.max_ratio));
    }
    return {};
  }

  static Status WriteBlock(int fd, const Path& target, const char* bytes, size_t size, int64_t offset) {
    while (size > 0) {
      const ssize_t written = pwrite(fd, bytes, size, offset);
      if (written < 0) {
        if (errno == EINTR) continue;
        return FileError(target, "cannot be written", errno);
      }
      bytes += written;
      size -= static_cast<size_t>(written);
      offset += written;
    }
    return {};
  }

  const Path& file_;
  const Path& folder_;
  const UnpackLimits& limits_;
  const std::string& name_;
  Reader reader_;
  int64_t archive_bytes_ = 0;
  int64_t bytes_ = 0;
  int entries_ = 0;
};

}  // namespace

Result<bool> IsArchive(const Path& file) {
  DE_TRY(const std::string head, ReadFilePrefix(file, 512));
  using namespace std::string_view_literals;  // NOLINT(google-build-using-namespace): for marks with zeros in them
  struct Mark {
    size_t offset;
    std::string_view bytes;
  };
  static constexpr std::array kMarks = {Mark{0, "\x1f\x8b"sv},         Mark{0, "\xfd\x37zXZ\0"sv},
                                        Mark{0, "\x28\xb5\x2f\xfd"sv}, Mark{0, "BZh"sv},
                                        Mark{0, "PK\x03\x04"sv},       Mark{257, "ustar"sv}};
  return std::any_of(kMarks.begin(), kMarks.end(), [&head](const Mark& mark) {
    return head.size() >= mark.offset + mark.bytes.size() &&
           head.compare(mark.offset, mark.bytes.size(), mark.bytes) == 0;
  });
}

Status Unpack(const Path& archive, const Path& folder, const UnpackLimits& limits, const std::string& name) {
  return Unpacker(archive, folder, limits, name).Run();
}

}  // namespace deepedge
