#include "deepedge/profiler/meter/box.h"

#include <gtest/gtest.h>

#include <functional>

#include "deepedge/profiler/meter/fake_tree_for_test.h"

namespace deepedge {
namespace {

BoxIdentity Box() {
  return {.cpu_model = "AMD EPYC",
          .microcode = "0x1000065",
          .cores = 2,
          .isa = "avx2 avx512 vnni bf16",
          .kernel = "6.1.0",
          .engine = "OpenVINO 2026.4.1-1",
          .memory_bytes = int64_t{24105} << 20};
}

TEST(Box, ReadsCpuinfoOfTheFirstCpu) {
  const BoxIdentity box = ParseCpuinfo(
      "processor\t: 0\nmodel name\t: AMD; EPYC\x01\nmicrocode\t: 0x10\nflags\t\t: fpu avx2 avx512f avx512bw "
      "avx512_vnni\n\n"
      "processor\t: 1\nmodel name\t: another\n");
  EXPECT_EQ(box.cpu_model, "AMD  EPYC");  // what could end the line, or a part of it, becomes a blank
  EXPECT_EQ(box.microcode, "0x10");
  EXPECT_EQ(box.isa, "avx2 avx512 vnni");
}

TEST(Box, InstructionsThatMatter) {
  struct Case {
    const char* flags;
    const char* isa;
  };
  const Case cases[] = {{"fpu sse2", "none"},
                        {"avx avx2", "avx2"},
                        {"avx2 avx_vnni", "avx2 vnni"},
                        {"avx2 avx512f", "avx2"},  // without byte operations networks gain nothing
                        {"avx512bw avx512_bf16 amx_tile amx_int8", "avx512 bf16 amx"},
                        {"asimd bf16", "bf16"}};
  for (const Case& c : cases) {
    EXPECT_EQ(ParseCpuinfo(std::string("flags: ") + c.flags + "\n").isa, c.isa) << c.flags;
  }
  EXPECT_EQ(ParseCpuinfo("").isa, "unknown");
}

TEST(Box, TheEnginesVersionIsWithoutTheCpu) {
  EXPECT_EQ(EngineVersion("OpenVINO 2026.4.1-22982 on AMD EPYC (FP32 BF16)"), "OpenVINO 2026.4.1-22982");
  EXPECT_EQ(EngineVersion("OpenVINO 2026.4.1, CPU device not usable: x"), "OpenVINO 2026.4.1");
  EXPECT_EQ(EngineVersion("fake"), "fake");
  EXPECT_EQ(EngineVersion(""), "unknown");
}

TEST(Box, IsReadFromATree) {
  const FakeTree tree;
  tree.Write("proc/cpuinfo", "model name : X\nmicrocode : 0x1\nflags : avx2\n");
  tree.Write("proc/sys/kernel/osrelease", "6.1.0\n");
  tree.WriteStatus("0-2");
  tree.WriteMemory();
  const auto box = ReadBox(tree.root(), "fake 1 on X");
  EXPECT_EQ(box.value(), (BoxIdentity{.cpu_model = "X",
                                      .microcode = "0x1",
                                      .cores = 3,
                                      .isa = "avx2",
                                      .kernel = "6.1.0",
                                      .engine = "fake 1",
                                      .memory_bytes = int64_t{8000000} * 1024}));
}

TEST(Box, WhatIsMissingIsUnknownAndNothingAtAllAnError) {
  const FakeTree tree;
  const auto none = ReadBox(tree.root(), "fake 1");
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(none.error().message.find("proc/cpuinfo"), std::string::npos);
  tree.Write("sys/devices/system/cpu/online", "0-1\n");
  const auto box = ReadBox(tree.root(), "fake 1");
  EXPECT_EQ(box.value().cores, 2);
  EXPECT_EQ(box.value().cpu_model, "unknown");
}

TEST(Box, TheFingerprintIsStable) {
  // As stores have it: changing it makes every profile another box's.
  EXPECT_EQ(Fingerprint(Box()), "amd-epyc-2c-40f013ac9e22cd1a");
}

TEST(Box, TheFingerprintDiffersWithAllThatTimesDependOn) {
  const std::function<void(BoxIdentity&)> changes[] = {[](BoxIdentity& b) { b.cpu_model = "AMD EPYC 2"; },
                                                       [](BoxIdentity& b) { b.microcode = "0x1"; },
                                                       [](BoxIdentity& b) { b.cores = 4; },
                                                       [](BoxIdentity& b) { b.isa = "avx2"; },
                                                       [](BoxIdentity& b) { b.kernel = "6.2.0"; },
                                                       [](BoxIdentity& b) { b.engine = "OpenVINO 2026.3"; }};
  for (const auto& change : changes) {
    BoxIdentity other = Box();
    change(other);
    EXPECT_NE(Fingerprint(other), Fingerprint(Box())) << BoxText(other);
    EXPECT_EQ(Differences(Box(), other).size(), 1u) << BoxText(other);
  }
  BoxIdentity more_memory = Box();
  more_memory.memory_bytes += 5 << 20;
  EXPECT_EQ(Fingerprint(more_memory), Fingerprint(Box()));
  EXPECT_TRUE(Differences(more_memory, Box()).empty());
}

TEST(Box, DifferencesInWords) {
  BoxIdentity old = Box();
  old.engine = "OpenVINO 2026.3.0";
  old.isa = "avx2 amx";
  old.cores = 4;
  old.memory_bytes /= 2;
  EXPECT_EQ(Differences(Box(), old), (std::vector<std::string>{
                                         "cores 2, profile made with 4",
                                         "CPU has avx512 vnni bf16 and no amx, profile made the other way round",
                                         "engine OpenVINO 2026.4.1-1, profile made with OpenVINO 2026.3.0",
                                         "memory 24105 MiB, profile made with 12052 MiB",
                                     }));
}

TEST(Box, ItsTextIsReadBack) {
  EXPECT_EQ(BoxFromText(BoxText(Box())).value(), Box());
  EXPECT_EQ(BoxFromText("cpu X; new thing 7; cores 3").value().cores, 3);
  for (const char* text :
       {"", "something else", "cpu X; cores -1", "cpu X; cores 99999999999", "cpu X; memory x MiB"}) {
    EXPECT_FALSE(BoxFromText(text).ok()) << text;
  }
}

}  // namespace
}  // namespace deepedge
