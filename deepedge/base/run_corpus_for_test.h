// Gives a fuzz target the files of its corpus, one after the other, in builds without libFuzzer. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "deepedge/base/file.h"

namespace deepedge {

inline void RunCorpus(const Path& folder, int (*target)(const uint8_t* data, size_t size)) {
  std::vector<Path> files;
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ec)) files.push_back(entry.path());
  if (files.empty()) GTEST_SKIP() << "nothing in " << folder;
  std::sort(files.begin(), files.end());
  for (const Path& file : files) {
    SCOPED_TRACE(file.string());
    const auto content = ReadFile(file);
    ASSERT_TRUE(content.ok()) << content.error().message;
    EXPECT_EQ(target(reinterpret_cast<const uint8_t*>(content.value().data()), content.value().size()), 0);
  }
}

}  // namespace deepedge
