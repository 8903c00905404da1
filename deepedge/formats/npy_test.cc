#include "deepedge/formats/npy.h"

#include <cstring>
#include <random>

#include "deepedge/formats/test_files.h"

namespace deepedge {
namespace {

using NpyTest = FilesTest;

std::string Npy(std::string_view header, std::string_view data) {
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size() & 0xFF);
  bytes += static_cast<char>(header.size() >> 8);
  return bytes + std::string(header) + std::string(data);
}

TEST_F(NpyTest, WritesAndReadsEveryType) {
  for (int i = 0; i <= static_cast<int>(ElementType::kF64); ++i) {
    const auto type = static_cast<ElementType>(i);
    Tensor tensor{.type = type, .shape = {2, 3}, .data = std::vector<std::byte>(6 * SizeOf(type))};
    for (size_t b = 0; b < tensor.data.size(); ++b) tensor.data[b] = static_cast<std::byte>(b);
    const Path path = folder() / "a.npy";
    ASSERT_TRUE(WriteNpy(path, tensor.View()).ok());
    const auto back = ReadNpy(path);
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(back.value().type, type);
    EXPECT_EQ(back.value().shape, tensor.shape);
    EXPECT_EQ(back.value().data, tensor.data);
  }
}

TEST_F(NpyTest, WritesScalarsVectorsAndEmptyTensors) {
  for (const Shape& shape : {Shape{}, Shape{5}, Shape{0, 3}, Shape{1, 1, 1, 1}}) {
    const Tensor tensor{.shape = shape, .data = std::vector<std::byte>(static_cast<size_t>(ElementCount(shape)) * 4)};
    const Path path = folder() / "a.npy";
    ASSERT_TRUE(WriteNpy(path, tensor.View()).ok());
    EXPECT_EQ(ReadFile(path).value().size() % 64, tensor.data.size() % 64);  // the data is aligned
    const auto back = ReadNpy(path);
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(back.value().shape, shape);
  }
}

TEST_F(NpyTest, ReadsWhatOtherWritersWrite) {
  const std::string_view headers[] = {
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n",
      "{'shape':(2,),'fortran_order':False,'descr':'<f4'}",
      "{'descr': '<u2', 'fortran_order': False, 'shape': (2, 2), }",
      "{'descr': '<i1', 'fortran_order': False, 'shape': (8,), }",
  };
  for (const std::string_view header : headers) {
    EXPECT_TRUE(ReadNpy(Write("a.npy", Npy(header, "12345678"))).ok()) << header;
  }
}

TEST_F(NpyTest, NamesWhatIsWrong) {
  struct Case {
    std::string bytes;
    std::string_view expected;
  };
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
  const Case cases[] = {
      {"", "not a NumPy file"},
      {"\x93NUMPY", "not a NumPy file"},
      {"{'descr': '<f4'}", "not a NumPy file"},
      {Npy(good, "12345678").replace(6, 1, "\x09"), "version 9"},
      {Npy(good, "").substr(0, 30), "cut off"},
      {Npy(good, "1234567"), "needs 8 bytes of data, the file has 7"},
      {Npy(good, "123456789"), "needs 8 bytes of data, the file has 9"},
      {Npy("{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", "12345678"), "element type '>f4'"},
      {Npy("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", "12345678"), "element type '|O'"},
      {Npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", "12345678"), "element type"},
      {Npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }", "12345678"), "Fortran order"},
      {Npy("{'descr': '<f4', 'fortran_order': 1, 'shape': (2,), }", "12345678"), "fortran_order"},
      {Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", "12345678"), "shape"},
      {Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2", "12345678"), "shape"},
      {Npy("{'descr': '<f4', 'fortran_order': False, 'shape': 2}", "12345678"), "shape"},
      {Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", ""), "shape"},
      {Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4000000000, 4000000000), }", ""), "shape"},
      {Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000,), }", "1234"), "needs 4000000000 bytes"},
      {Npy("{'descr': '<f4', 'shape': (2,), }", "12345678"), "lacks"},
      {Npy("", ""), "not a NumPy file"},
  };
  for (const Case& c : cases) {
    const auto tensor = ReadNpy(Write("a.npy", c.bytes));
    ASSERT_FALSE(tensor.ok()) << c.expected;
    EXPECT_EQ(tensor.error().code, ErrorCode::kBadInput);
    EXPECT_NE(tensor.error().message.find(c.expected), std::string::npos) << tensor.error().message;
    EXPECT_NE(tensor.error().message.find("a.npy: "), std::string::npos);
  }
  EXPECT_EQ(ReadNpy(folder() / "none.npy").status().error().code, ErrorCode::kNotFound);
}

TEST_F(NpyTest, SurvivesRandomDamage) {
  const std::string good = Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }", "12345678");
  std::mt19937 random(7);
  for (int i = 0; i < 500; ++i) {
    std::string bytes = good;
    for (int k = 0; k < 3; ++k) bytes[8 + random() % (bytes.size() - 8)] = static_cast<char>(random());
    const auto tensor = ReadNpy(Write("a.npy", bytes));
    if (tensor.ok()) {
      EXPECT_EQ(tensor.value().data.size(),
                static_cast<size_t>(ElementCount(tensor.value().shape)) * SizeOf(tensor.value().type));
    }
  }
}

}  // namespace
}  // namespace deepedge
