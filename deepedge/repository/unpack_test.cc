#include "deepedge/repository/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace deepedge {
namespace {

using testing::HasSubstr;

struct Entry {
  std::string path;
  std::string content;
  mode_t type = AE_IFREG;
  std::string link;
  std::string hard_link;
};

enum class Kind { kTar, kTarGz, kTarXz, kTarZst, kTarBz2, kZip };

void WriteArchive(const Path& path, Kind kind, const std::vector<Entry>& entries) {
  const std::unique_ptr<archive, int (*)(archive*)> out(archive_write_new(), archive_write_free);
  switch (kind) {
    case Kind::kTar: break;
    case Kind::kTarGz: archive_write_add_filter_gzip(out.get()); break;
    case Kind::kTarXz: archive_write_add_filter_xz(out.get()); break;
    case Kind::kTarZst: archive_write_add_filter_zstd(out.get()); break;
    case Kind::kTarBz2: archive_write_add_filter_bzip2(out.get()); break;
    case Kind::kZip: break;
  }
  if (kind == Kind::kZip) {
    archive_write_set_format_zip(out.get());
  } else {
    archive_write_set_format_pax_restricted(out.get());
  }
  ASSERT_EQ(archive_write_open_filename(out.get(), path.c_str()), ARCHIVE_OK);
  for (const Entry& entry : entries) {
    const std::unique_ptr<archive_entry, void (*)(archive_entry*)> header(archive_entry_new(), archive_entry_free);
    archive_entry_set_pathname(header.get(), entry.path.c_str());
    archive_entry_set_filetype(header.get(), entry.type);
    archive_entry_set_perm(header.get(), 0777);
    archive_entry_set_size(header.get(), static_cast<la_int64_t>(entry.content.size()));
    if (!entry.link.empty()) archive_entry_set_symlink(header.get(), entry.link.c_str());
    if (!entry.hard_link.empty()) archive_entry_set_hardlink(header.get(), entry.hard_link.c_str());
    ASSERT_EQ(archive_write_header(out.get(), header.get()), ARCHIVE_OK) << archive_error_string(out.get());
    archive_write_data(out.get(), entry.content.data(), entry.content.size());
  }
  ASSERT_EQ(archive_write_close(out.get()), ARCHIVE_OK);
}

class UnpackTest : public testing::Test {
 protected:
  Status Try(Kind kind, const std::vector<Entry>& entries, const UnpackLimits& limits = {}) {
    const Path archive = root() / "a";
    WriteArchive(archive, kind, entries);
    std::filesystem::remove_all(Folder());
    std::filesystem::create_directory(Folder());
    return Unpack(archive, Folder(), limits, "a");
  }
  const Path& root() const { return folder_.path(); }
  Path Folder() const { return root() / "out"; }

 private:
  TemporaryFolder folder_ = std::move(TemporaryFolder::Create("de_unpack_test")).value();
};

TEST_F(UnpackTest, ReadsEveryKind) {
  const std::string content(100'000, 'x');
  for (const Kind kind : {Kind::kTar, Kind::kTarGz, Kind::kTarXz, Kind::kTarZst, Kind::kTarBz2, Kind::kZip}) {
    SCOPED_TRACE(static_cast<int>(kind));
    const Status done = Try(kind, {{"m/", "", AE_IFDIR}, {"m/net.onnx", content}, {"./m/1/w.bin", "abc"}});
    ASSERT_TRUE(done.ok()) << done.error().message;
    EXPECT_EQ(ReadFile(Folder() / "m" / "net.onnx").value(), content);
    EXPECT_EQ(ReadFile(Folder() / "m" / "1" / "w.bin").value(), "abc");
    EXPECT_TRUE(IsArchive(root() / "a").value());
    // Nothing becomes a program.
    const auto perms = std::filesystem::status(Folder() / "m" / "net.onnx").permissions();
    EXPECT_EQ(perms & std::filesystem::perms::owner_exec, std::filesystem::perms::none);
  }
  EXPECT_FALSE(IsArchive(Folder() / "m" / "net.onnx").value());
}

TEST_F(UnpackTest, RefusesTricks) {
  const std::pair<std::vector<Entry>, std::string> cases[] = {
      {{{"/etc/passwd", "x"}}, "absolute path"},
      {{{"../evil", "x"}}, "'..'"},
      {{{"a/../../evil", "x"}}, "'..'"},
      {{{"a", "", AE_IFLNK, "/etc"}, {"a/evil", "x"}}, "entry 'a' is a symbolic link"},
      {{{"b", "x"}, {"a", "", AE_IFREG, "", "b"}}, "entry 'a' is a link"},
      {{{"dev", "", AE_IFCHR}}, "is a device"},
      {{{"pipe", "", AE_IFIFO}}, "is a pipe"},
      {{{"a", "x"}, {"a", "y"}}, "twice"},
      {{{"a\\..\\b", "x"}}, "'\\'"},
      {{{"a\nb", "x"}}, "not plain text"},
      {{{std::string(500, 'a'), "x"}}, "too long"},
      {{{"1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", "x"}}, "too many folders"},
  };
  for (const auto& [entries, why] : cases) {
    SCOPED_TRACE(why);
    const Status refused = Try(Kind::kTar, entries);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(refused.error().message, HasSubstr(why));
    EXPECT_FALSE(std::filesystem::exists(root() / "evil"));
  }
}

TEST_F(UnpackTest, BoundsWhatComesOut) {
  const std::vector<Entry> dense{{"zeros", std::string(3 << 20, '\0')}};
  EXPECT_TRUE(Try(Kind::kTarGz, dense).ok());
  const Status ratio = Try(Kind::kTarGz, dense, {.ratio_from_bytes = 1 << 20});
  ASSERT_FALSE(ratio.ok());
  EXPECT_THAT(ratio.error().message, HasSubstr("200 times"));
  const Status bytes = Try(Kind::kZip, dense, {.max_bytes = 1 << 20});
  ASSERT_FALSE(bytes.ok());
  EXPECT_THAT(bytes.error().message, HasSubstr("1048576 bytes"));
  const Status count = Try(Kind::kTar, {{"a", ""}, {"b", ""}, {"c", ""}}, {.max_entries = 2});
  ASSERT_FALSE(count.ok());
  EXPECT_THAT(count.error().message, HasSubstr("more than 2 files"));
}

TEST_F(UnpackTest, SaysThatAnArchiveIsCutOff) {
  for (const Kind kind : {Kind::kTar, Kind::kTarGz, Kind::kTarZst, Kind::kZip}) {
    SCOPED_TRACE(static_cast<int>(kind));
    std::string noise;
    for (uint32_t i = 0, x = 1; i < 50'000; ++i) noise += static_cast<char>((x = x * 1664525 + 1013904223) >> 24);
    ASSERT_TRUE(Try(kind, {{"a", noise}}).ok());
    std::filesystem::resize_file(root() / "a", 30'000);
    std::filesystem::remove_all(Folder());
    std::filesystem::create_directory(Folder());
    const Status cut = Unpack(root() / "a", Folder(), {}, "a");
    ASSERT_FALSE(cut.ok());
    EXPECT_THAT(cut.error().message, HasSubstr("broken archive"));
  }
}

TEST_F(UnpackTest, OneCompressedFileIsThatFile) {
  const std::unique_ptr<archive, int (*)(archive*)> out(archive_write_new(), archive_write_free);
  archive_write_add_filter_gzip(out.get());
  archive_write_set_format_raw(out.get());
  ASSERT_EQ(archive_write_open_filename(out.get(), (root() / "a").c_str()), ARCHIVE_OK);
  const std::unique_ptr<archive_entry, void (*)(archive_entry*)> header(archive_entry_new(), archive_entry_free);
  archive_entry_set_filetype(header.get(), AE_IFREG);
  ASSERT_EQ(archive_write_header(out.get(), header.get()), ARCHIVE_OK);
  archive_write_data(out.get(), "weights", 7);
  ASSERT_EQ(archive_write_close(out.get()), ARCHIVE_OK);
  const Status unpacked = Unpack(root() / "a", Folder(), {}, "nets/m.onnx.gz");
  ASSERT_TRUE(unpacked.ok()) << unpacked.error().message;
  EXPECT_EQ(ReadFile(Folder() / "m.onnx").value(), "weights");
  const Status bad = Unpack(root() / "a", Folder(), {}, "...gz");
  ASSERT_FALSE(bad.ok());
}

TEST_F(UnpackTest, WhatIsNotCompressedIsNoSingleFile) {
  ASSERT_TRUE(WriteFileAtomically(root() / "a", "PK\x03\x04 and no zip archive").ok());
  const Status broken = Unpack(root() / "a", Folder(), {}, "a.zip");
  ASSERT_FALSE(broken.ok());
  EXPECT_THAT(broken.error().message, HasSubstr("broken archive"));
}

}  // namespace
}  // namespace deepedge
