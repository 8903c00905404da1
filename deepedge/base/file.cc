#include "deepedge/base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

namespace deepedge {
namespace {

Result<std::ifstream> OpenForReading(const Path& path) {
  DE_TRY(const auto status, StatusOf(path));
  if (std::filesystem::is_directory(status)) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: is a folder, expected a file", path.string())};
  }
  // Opening a named pipe would wait for somebody to write into it.
  if (!std::filesystem::is_regular_file(status)) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: is not a regular file", path.string())};
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{ErrorCode::kBadInput, fmt::format("{}: {}", path.string(), std::strerror(errno))};
  return file;
}

}  // namespace

Result<std::filesystem::file_status> StatusOf(const Path& path, std::string_view missing) {
  std::error_code ec;
  const auto status = std::filesystem::status(path, ec);
  // `ec` is set for a missing file too.
  if (status.type() == std::filesystem::file_type::not_found) {
    return Error{ErrorCode::kNotFound, fmt::format("{}: {}", path.string(), missing)};
  }
  if (status.type() == std::filesystem::file_type::none) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: {}", path.string(), ec.message())};
  }
  return status;
}

Result<std::string> ReadFilePrefix(const Path& path, size_t count) {
  DE_TRY(std::ifstream file, OpenForReading(path));
  std::string content(count, '\0');
  file.read(content.data(), static_cast<std::streamsize>(count));
  if (file.bad()) return Error{ErrorCode::kBadInput, fmt::format("{}: cannot be read", path.string())};
  content.resize(static_cast<size_t>(file.gcount()));
  return content;
}

Result<std::string> ReadFile(const Path& path, int64_t max_bytes) {
  DE_TRY(std::ifstream file, OpenForReading(path));
  std::error_code ec;
  const auto size = std::filesystem::file_size(path, ec);
  if (ec) return Error{ErrorCode::kBadInput, fmt::format("{}: {}", path.string(), ec.message())};
  if (size > static_cast<uintmax_t>(max_bytes)) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("{}: {} bytes, more than the {} allowed here", path.string(), size, max_bytes)};
  }
  std::string content(size, '\0');
  file.read(content.data(), static_cast<std::streamsize>(size));
  if (static_cast<uintmax_t>(file.gcount()) != size) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: cannot be read", path.string())};
  }
  return content;
}

Status WriteFileAtomically(const Path& path, std::string_view content) {
  const Path temporary = path.string() + fmt::format(".tmp{}", getpid());
  const auto fail = [&](std::string_view what) -> Status {
    const int error = errno;
    std::error_code ec;
    std::filesystem::remove(temporary, ec);
    return Error{error == ENOSPC ? ErrorCode::kExhausted : ErrorCode::kBadInput,
                 fmt::format("{}: {}: {}", path.string(), what, std::strerror(error))};
  };
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return fail("cannot be created");
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      close(fd);
      return fail("cannot be written");
    }
    content.remove_prefix(static_cast<size_t>(written));
  }
  if (close(fd) != 0) return fail("cannot be written");
  if (rename(temporary.c_str(), path.c_str()) != 0) return fail("cannot be replaced");
  return {};
}

Result<std::string> Sha256OfFile(const Path& path) {
  DE_TRY(std::ifstream file, OpenForReading(path));
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  DE_CHECK(context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1);
  std::array<char, 1 << 16> buffer{};
  while (file) {
    file.read(buffer.data(), buffer.size());
    EVP_DigestUpdate(context.get(), buffer.data(), static_cast<size_t>(file.gcount()));
  }
  if (file.bad()) return Error{ErrorCode::kBadInput, fmt::format("{}: cannot be read", path.string())};
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_DigestFinal_ex(context.get(), digest.data(), &length);
  std::string hex;
  for (unsigned i = 0; i < length; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

Result<TemporaryFolder> TemporaryFolder::Create(std::string_view prefix) {
  std::error_code ec;
  const Path base = std::filesystem::temp_directory_path(ec);
  return CreateIn(ec ? Path("/tmp") : base, prefix);
}

Result<TemporaryFolder> TemporaryFolder::CreateIn(const Path& parent, std::string_view prefix) {
  std::string name = (parent / fmt::format("{}XXXXXX", prefix)).string();
  if (mkdtemp(name.data()) == nullptr) {
    return Error{ErrorCode::kExhausted, fmt::format("{}: cannot be created: {}", name, std::strerror(errno))};
  }
  return TemporaryFolder(Path(name));
}

TemporaryFolder::~TemporaryFolder() {
  if (path_.empty()) return;
  std::error_code ec;
  std::filesystem::remove_all(path_, ec);
}

}  // namespace deepedge
