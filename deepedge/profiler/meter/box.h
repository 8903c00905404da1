// BoxIdentity: which box a profile is true for. Times depend on the CPU, its microcode, the kernel, the cores that this
// process may use and the engine's version: with another of these a profile is not used. The fingerprint of all of them
// is Profile::box and the name of a box in the store; the text is the store's description, which is read back to tell
// in words what is different.
//
//   DE_TRY(const BoxIdentity box, ReadBox("/", engine.Description()));
//   store->SeenBox(Fingerprint(box), BoxText(box))...
//   for (const std::string& line : Differences(box, BoxFromText(record.description).value())) ...
//       "engine OpenVINO 2026.4.1, profile made with OpenVINO 2026.3.0"
//
// The memory's size is told, and is not part of the fingerprint: it differs by some MB between starts and changes no
// time. Threads: functions are thread-safe; ReadBox reads files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/base/result.h"

namespace deepedge {

// What is unknown is "unknown", or 0. Texts hold one line without ';'.
struct BoxIdentity {
  std::string cpu_model;
  std::string microcode;
  int cores = 0;       // CPUs that this process may use
  std::string isa;     // of what networks profit from: "avx2 avx512 vnni bf16 amx", in this order
  std::string kernel;  // release
  std::string engine;  // name and version
  int64_t memory_bytes = 0;

  friend bool operator==(const BoxIdentity&, const BoxIdentity&) = default;
};

// /proc/cpuinfo: CPU model, microcode and isa of the first CPU; pure.
BoxIdentity ParseCpuinfo(std::string_view text);
// "OpenVINO 2026.4.1-x" of "OpenVINO 2026.4.1-x on AMD EPYC (FP32 INT8)": the engine without the CPU; pure.
std::string EngineVersion(std::string_view engine_description);

// Errors: kUnavailable where neither the CPU nor the number of cores can be read.
Result<BoxIdentity> ReadBox(const Path& root, std::string_view engine_description);

// Short and stable: "amd-epyc-2c-0123456789abcdef".
std::string Fingerprint(const BoxIdentity& box);

// "cpu AMD EPYC; microcode 0x1000065; cores 2; isa avx2 avx512; kernel 6.1.0; engine OpenVINO 2026.4.1; memory 24105
// MiB"
std::string BoxText(const BoxIdentity& box);
// Errors: kBadInput where it is not what BoxText wrote; parts that are not known are passed over.
Result<BoxIdentity> BoxFromText(std::string_view text);

// What is not as it was when the profile was made; memory from a tenth on. Empty: nothing.
std::vector<std::string> Differences(const BoxIdentity& now, const BoxIdentity& profile);

}  // namespace deepedge
