#include "deepedge/formats/sniff.h"

#include <random>

#include "deepedge/formats/test_files.h"

namespace deepedge {
namespace {

// Small files that have what each format is told by.
std::string Onnx() {
  const std::string node = BytesField(1, "x") + BytesField(2, "y") + BytesField(4, "Relu");
  return NumberField(1, 8) + BytesField(2, "pytorch") + BytesField(7, BytesField(1, node) + BytesField(2, "g")) +
         BytesField(8, NumberField(2, 13));
}
std::string NodeDef(std::string_view name, std::string_view op) { return BytesField(1, name) + BytesField(2, op); }
std::string FrozenGraph() {
  return BytesField(1, NodeDef("data", "Placeholder")) + BytesField(1, NodeDef("out", "Relu")) +
         BytesField(4, NumberField(1, 22));
}
std::string SavedModel() {
  const std::string meta = BytesField(1, BytesField(4, "serve")) + BytesField(2, FrozenGraph());
  return NumberField(1, 1) + BytesField(2, meta);
}
std::string PaddleProgram() {
  const std::string block = NumberField(1, 0) + NumberField(2, UINT64_MAX) + BytesField(3, BytesField(1, "x"));
  return BytesField(1, block) + BytesField(4, NumberField(1, 0));
}
std::string PaddleWeights() {
  std::string bytes(16, '\0');
  return bytes + std::string("\x04\0\0\0", 4) + NumberField(1, 5) + NumberField(2, 8) + std::string(32, 'w');
}
std::string Tflite() { return std::string("\x1C\0\0\0TFL3", 8) + std::string(40, '\0'); }
std::string Ir(int version) {
  return "<?xml version=\"1.0\" ?>\n<net name=\"n\" version=\"" + std::to_string(version) + "\">\n</net>\n";
}
std::string Caffe() {
  return BytesField(1, "LeNet") + BytesField(100, BytesField(1, "conv") + BytesField(2, "Convolution"));
}
std::string CaffeV1() {
  return BytesField(1, "old") +
         BytesField(2, BytesField(2, "a") + BytesField(3, "b") + BytesField(4, "conv") + NumberField(5, 4));
}
std::string CntkV2() {
  return NumberField(1, 2) + BytesField(2, BytesField(1, "version") + BytesField(2, NumberField(1, 2))) +
         BytesField(2, BytesField(1, "uid") + BytesField(2, ""));
}

class SniffTest : public FilesTest {
 protected:
  static ModelFiles Find(const Path& path) {
    auto files = FindModelFiles(path);
    EXPECT_TRUE(files.ok()) << files.status().error().message;
    return files.ok() ? files.value() : ModelFiles{};
  }
  static void ExpectError(const Path& path, ErrorCode code, std::string_view text) {
    const auto files = FindModelFiles(path);
    ASSERT_FALSE(files.ok()) << path;
    EXPECT_EQ(files.error().code, code) << files.error().message;
    EXPECT_NE(files.error().message.find(text), std::string::npos) << files.error().message;
    EXPECT_NE(files.error().message.find(path.string()), std::string::npos) << files.error().message;
  }
};

TEST_F(SniffTest, KnowsFormatsByContentNotByName) {
  EXPECT_EQ(Find(Write("a.bin", Onnx())).format, ModelFormat::kOnnx);
  EXPECT_EQ(Find(Write("b", FrozenGraph())).format, ModelFormat::kTfFrozen);
  EXPECT_EQ(Find(Write("c.dat", Tflite())).format, ModelFormat::kTflite);
}

TEST_F(SniffTest, FindsSecondFiles) {
  const Path weights = Write("ir/net.bin", "w");
  ModelFiles files = Find(Write("ir/net.xml", Ir(11)));
  EXPECT_EQ(files.format, ModelFormat::kOpenVinoIr);
  EXPECT_EQ(files.weights, weights);
  const Path params = Write("p/__params__", PaddleWeights());
  files = Find(Write("p/__model__", PaddleProgram()));
  EXPECT_EQ(files.format, ModelFormat::kPaddle);
  EXPECT_EQ(files.weights, params);
  const Path infer = Write("q/inference.pdiparams", PaddleWeights());
  EXPECT_EQ(Find(Write("q/inference.pdmodel", PaddleProgram())).weights, infer);
  const Path odd = Write("r/weights", PaddleWeights());
  EXPECT_EQ(Find(Write("r/model", PaddleProgram())).weights, odd);
}

TEST_F(SniffTest, FindsEitherHalfOfANetworkByTheOther) {
  const std::string net = "name: \"a\"\nlayer {\n  name: \"x\"\n}\n";
  struct Case {
    std::string graph;
    std::string graph_content;
    std::string weights;
    std::string weights_content;
    ModelFormat format;
  };
  const std::string darknet("\0\0\0\0\2\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0abcd", 24);
  const Case cases[] = {
      {"caffe/a.prototxt", net, "caffe/b.caffemodel", Caffe(), ModelFormat::kCaffe},
      {"noname/a.prototxt", net, "noname/a.caffemodel", BytesField(100, BytesField(1, "conv")), ModelFormat::kCaffe},
      {"v1/old.prototxt", "input: \"data\"\ninput_dim: 1\nlayers { }", "v1/w", CaffeV1(), ModelFormat::kCaffe},
      {"darknet/a.cfg", "# comment\n[net]\nbatch=1\n", "darknet/a.weights", darknet, ModelFormat::kDarknet},
  };
  for (const Case& c : cases) {
    const Path graph = Write(c.graph, c.graph_content);
    const Path weights = Write(c.weights, c.weights_content);
    for (const Path& named : {graph, weights, graph.parent_path()}) {
      const ModelFiles files = Find(named);
      EXPECT_EQ(files.format, c.format) << named;
      EXPECT_EQ(files.graph, graph) << named;
      EXPECT_EQ(files.weights, weights) << named;
    }
  }
  // Several networks in one folder go by their stems.
  for (const char* name : {"det1", "det2"}) {
    Write(Path("many") / (std::string(name) + ".prototxt"), net);
    Write(Path("many") / (std::string(name) + ".caffemodel"), Caffe());
  }
  EXPECT_EQ(Find(folder() / "many/det2.prototxt").weights, folder() / "many/det2.caffemodel");
  EXPECT_EQ(Find(folder() / "many/det1.caffemodel").graph, folder() / "many/det1.prototxt");
  ExpectError(folder() / "many", ErrorCode::kBadInput, "holds 2 models");
  ExpectError(Write("many/det3.prototxt", net), ErrorCode::kBadInput, "could be one of 2 files");
  ExpectError(Write("bare/a.prototxt", net), ErrorCode::kBadInput, "without its weights (.caffemodel)");
}

TEST_F(SniffTest, KnowsFormatsOfOneFile) {
  EXPECT_EQ(Find(Write("a.model", CntkV2())).format, ModelFormat::kCntkV2);
  EXPECT_EQ(Find(Write("a.dnn", std::string("B\0C\0N\0\0\0B\0V\0", 12))).format, ModelFormat::kCntkV1);
  EXPECT_EQ(Find(Write("a.t7", std::string("\4\0\0\0\1\0\0\0\3\0\0\0V 1\r\0\0\0nn.Sequential", 32))).format,
            ModelFormat::kTorch7);
}

TEST_F(SniffTest, MissesSecondFiles) {
  ExpectError(Write("ir/net.xml", Ir(10)), ErrorCode::kBadInput, "net.bin is missing");
  ExpectError(Write("p/__model__", PaddleProgram()), ErrorCode::kBadInput, "without its weights");
  Write("q/conv1_w", PaddleWeights());
  Write("q/conv1_b", PaddleWeights());
  const auto separate = FindModelFiles(Write("q/__model__", PaddleProgram()));
  ASSERT_TRUE(separate.ok()) << separate.error().message;
  EXPECT_EQ(separate.value().weights, folder() / "q");
}

TEST_F(SniffTest, LooksIntoFolders) {
  const Path saved = Write("saved/saved_model.pb", SavedModel());
  Write("saved/fingerprint.pb", "x");
  EXPECT_EQ(Find(folder() / "saved").graph, folder() / "saved");
  EXPECT_EQ(Find(folder() / "saved").format, ModelFormat::kTfSavedModel);
  EXPECT_EQ(Find(saved).graph, folder() / "saved");

  Write("repo/1/saved_model.pb", SavedModel());
  Write("repo/labels.txt", "person\n");
  EXPECT_EQ(Find(folder() / "repo").graph, folder() / "repo/1");

  const Path onnx = Write("one/net.onnx", Onnx());
  Write("one/README.md", "words");
  Write("one/test.jpg", "\xFF\xD8\xFF\xE0");
  EXPECT_EQ(Find(folder() / "one").graph, onnx);

  Write("ir/net.xml", Ir(10));
  Write("ir/net.bin", "w");
  EXPECT_EQ(Find(folder() / "ir").format, ModelFormat::kOpenVinoIr);

  Write("paddle/__model__", PaddleProgram());
  Write("paddle/__params__", PaddleWeights());
  EXPECT_EQ(Find(folder() / "paddle").weights, folder() / "paddle/__params__");

  Write("text_beside/graph.pb", FrozenGraph());
  Write("text_beside/graph.pbtxt", "node {\n  name: \"data\"\n  op: \"Placeholder\"\n}\n");
  EXPECT_EQ(Find(folder() / "text_beside").graph, folder() / "text_beside/graph.pb");
  EXPECT_EQ(Find(folder() / "text_beside").weights, Path());
  EXPECT_EQ(Find(folder() / "text_beside/graph.pbtxt").graph, folder() / "text_beside/graph.pbtxt");
  EXPECT_EQ(Find(folder() / "text_beside/graph.pbtxt").weights, folder() / "text_beside/graph.pb");
}

TEST_F(SniffTest, RefusesFoldersThatDoNotHoldOneModel) {
  Write("two/a.onnx", Onnx());
  Write("two/b.tflite", Tflite());
  ExpectError(folder() / "two", ErrorCode::kBadInput, "holds 2 models: a.onnx, b.tflite");
  Write("versions/1/a.onnx", Onnx());
  Write("versions/2/a.onnx", Onnx());
  ExpectError(folder() / "versions", ErrorCode::kBadInput, "holds 2 versions: 1, 2");
  Write("none/readme.txt", "words");
  ExpectError(folder() / "none", ErrorCode::kBadInput, "holds no model");
  Write("deep/1/2/a.onnx", Onnx());
  ExpectError(folder() / "deep", ErrorCode::kBadInput, "holds no model");
  for (int i = 0; i < 1001; ++i) Write("many/" + std::to_string(i), "");
  ExpectError(folder() / "many", ErrorCode::kBadInput, "more than 1000 files");
  ExpectError(folder() / "absent", ErrorCode::kNotFound, "no such file or folder");
}

TEST_F(SniffTest, NamesWhatIsNotReadYet) {
  struct Case {
    std::string name;
    std::string content;
    std::string_view expected;
  };
  const Case cases[] = {
      {"a.xml", Ir(4), "an OpenVINO IR of version 4"},
      {"a.pbtxt", "node {\r\n  name: \"d\"\r\n  op: \"Placeholder\"\r\n}", "a TensorFlow graph as text"},
      {"a.h5", "\x89HDF\r\n\x1A\n", "HDF5"},
      {"a.pth", std::string("\x80\x02}q\0X", 6), "pickle"},
      {"a.safetensors", std::string("\x08\0\0\0\0\0\0\0{\"a\": 1}", 16), "safetensors"},
      {"a.ort", std::string("\x1C\0\0\0ORTM", 8), "ONNX Runtime"},
  };
  for (const Case& c : cases) ExpectError(Write(c.name, c.content), ErrorCode::kUnsupported, c.expected);
}

TEST_F(SniffTest, NamesWhatIsNoModel) {
  struct Case {
    std::string name;
    std::string content;
    std::string_view expected;
  };
  const Case cases[] = {
      {"a.onnx", "", "empty, not a model"},
      {"b.onnx", "version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "a Git LFS pointer"},
      {"c.onnx", "<!DOCTYPE html><html>", "a web page"},
      {"d", "\xFF\xD8\xFF\xE0", "a JPEG picture, not a model"},
      {"e", "\x89PNG\r\n\x1A\n", "a PNG picture"},
      {"f",
       std::string("\0\0\0\x20"
                   "ftypisom",
                   12),
       "an MP4 video"},
      {"g", "PK\x03\x04", "a zip archive"},
      {"h",
       "\x7F"
       "ELF\x02",
       "an ELF program"},
      {"i.txt", "hello world\n", "a text file"},
      {"j.json", "{\"a\": 1}", "a JSON file"},
      {"k.xml", "<?xml version=\"1.0\"?><note/>", "an XML file"},
      {"l.npy", "\x93NUMPY\x01", "a NumPy array"},
      {"m.pdiparams", PaddleWeights(), "weights of a Paddle model without its program"},
      {"n.bin", std::string("\x99\x98\x97\0\1\2\3\4", 8), "not a model of a known format"},
      {"saved.pb", SavedModel(), "must be named saved_model.pb"},
      {"cut.onnx", Onnx().substr(0, 14), "ONNX that is cut off: at least"},
      {"cut.pb", FrozenGraph().substr(0, FrozenGraph().size() - 2), "cut off: at least 2 bytes are missing"},
  };
  for (const Case& c : cases) ExpectError(Write(c.name, c.content), ErrorCode::kBadInput, c.expected);
  ExpectError("/dev/null", ErrorCode::kBadInput, "not a regular file");
}

TEST_F(SniffTest, SurvivesAnyBytes) {
  std::mt19937 random(1);
  const std::string seeds[] = {Onnx(),  FrozenGraph(), SavedModel(), PaddleProgram(), PaddleWeights(),
                               Caffe(), CaffeV1(),     CntkV2(),     Ir(10),          Tflite()};
  int accepted = 0;
  for (int i = 0; i < 800; ++i) {
    std::string bytes;
    if (i % 2 == 0) {
      bytes.resize(random() % 200);
      for (char& c : bytes) c = static_cast<char>(random());
    } else {
      bytes = seeds[random() % std::size(seeds)];
      bytes.resize(random() % (bytes.size() + 1));
      if (!bytes.empty()) bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    const auto files = FindModelFiles(Write("file", bytes));
    if (files.ok()) {
      ++accepted;
    } else {
      EXPECT_NE(files.error().message.find("file: "), std::string::npos);
    }
  }
  EXPECT_LT(accepted, 400);  // what is whole enough to be a model may pass
}

TEST_F(SniffTest, ACheckpointIsToldFromOtherZipArchives) {
  const auto zip = [](const std::string& name) {
    return std::string("PK\x03\x04", 4) + std::string(22, '\0') + static_cast<char>(name.size()) +
           std::string(3, '\0') + name;
  };
  ExpectError(Write("net.pt", zip("archive/data.pkl")), ErrorCode::kUnsupported, "a PyTorch checkpoint");
  ExpectError(Write("net.zip", zip("archive/other")), ErrorCode::kBadInput, "a zip archive");
}

}  // namespace
}  // namespace deepedge
