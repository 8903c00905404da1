#include "deepedge/repository/model_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deepedge/repository/web_url.h"

namespace deepedge {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ModelSource, TellsWhatToAskFor) {
  struct Case {
    std::string text;
    std::string url;
    std::string name;
  };
  const std::string raw = "https://raw.githubusercontent.com";
  const Case cases[] = {
      {"https://a.org/nets/yolox_nano.onnx", "https://a.org/nets/yolox_nano.onnx", "yolox_nano"},
      {"https://a.org/nets/x.tar.gz?token=1", "https://a.org/nets/x.tar.gz?token=1", "x"},
      {"http://127.0.0.1:81/a.onnx", "http://127.0.0.1:81/a.onnx", "a"},
      {"http://localhost/a.onnx", "http://localhost/a.onnx", "a"},
      {"http://[::1]:8080/a.onnx", "http://[::1]:8080/a.onnx", "a"},
      {"o/r:m/net_a.onnx", raw + "/o/r/HEAD/m/net_a.onnx", "net_a"},
      {"o/r@v1.2:m/net_a.onnx", raw + "/o/r/v1.2/m/net_a.onnx", "net_a"},
      {"o/r@feature/x:a b.onnx", raw + "/o/r/feature/x/a%20b.onnx", "a_b"},
      {"o/r@v1:release/net.zip", "https://github.com/o/r/releases/download/v1/net.zip", "net"},
      {"o/r:release/x8.onnx", "https://github.com/o/r/releases/latest/download/x8.onnx", "x8"},
      {"o/r:release/sub/x8.onnx", raw + "/o/r/HEAD/release/sub/x8.onnx", "x8"},
      {"https://github.com/o/r/blob/main/m/yolo.onnx", raw + "/o/r/main/m/yolo.onnx", "yolo"},
      {"https://github.com/o/r/blob/main/m/yolo.onnx?raw=true", raw + "/o/r/main/m/yolo.onnx", "yolo"},
      {"https://github.com/o/r/raw/refs/heads/main/yolo.onnx", raw + "/o/r/refs/heads/main/yolo.onnx", "yolo"},
      {"https://raw.githubusercontent.com/o/r/main/yolo/1/model.onnx", raw + "/o/r/main/yolo/1/model.onnx", "yolo"},
      {"https://github.com/o/r/releases/download/v1/n%20n.onnx",
       "https://github.com/o/r/releases/download/v1/n%20n.onnx", "n_n"},
      {"https://github.com/o/r/archive/refs/tags/v1.tar.gz", "https://github.com/o/r/archive/refs/tags/v1.tar.gz",
       "v1"},
  };
  for (const Case& expected : cases) {
    SCOPED_TRACE(expected.text);
    const auto spec = ParseModelSource(expected.text, {});
    ASSERT_TRUE(spec.ok()) << spec.error().message;
    EXPECT_EQ(spec.value().kind, ModelSourceKind::kUrl);
    EXPECT_EQ(spec.value().url, expected.url);
    EXPECT_EQ(spec.value().model_name, expected.name);
  }
}

TEST(ModelSource, KeepsPathsApart) {
  for (const std::string text :
       {"net.onnx", "a/b/net.onnx", "./o/r:x", "../o/r:x", "/o/r:x", "a b/c:d", "o/r@:x", "c:x"}) {
    SCOPED_TRACE(text);
    const auto spec = ParseModelSource(text, {});
    ASSERT_TRUE(spec.ok());
    EXPECT_EQ(spec.value().kind, ModelSourceKind::kPath);
    EXPECT_EQ(spec.value().path, Path(text));
  }
}

TEST(ModelSource, AsksTheMirrorInsteadOfGitHub) {
  const HostSettings hosts{.github_raw = "http://127.0.0.1:8000/raw", .github = "http://127.0.0.1:8000/hub"};
  const std::string raw = "http://127.0.0.1:8000/raw/o/r/v1/a.onnx";
  for (const std::string text :
       {"o/r@v1:a.onnx", "https://github.com/o/r/blob/v1/a.onnx", "https://raw.githubusercontent.com/o/r/v1/a.onnx"}) {
    const ModelSource spec = ParseModelSource(text, hosts).value();
    EXPECT_EQ(spec.url, raw);
    EXPECT_EQ(spec.large_url, "http://127.0.0.1:8000/hub/o/r/raw/v1/a.onnx");
    EXPECT_EQ(spec.origin, text);
  }
  EXPECT_EQ(ParseModelSource("https://github.com/o/r/releases/download/v1/a.onnx", hosts).value().url,
            "http://127.0.0.1:8000/hub/o/r/releases/download/v1/a.onnx");
}

TEST(ModelSource, RefusesWithoutTellingSecrets) {
  const std::pair<std::string, std::string> cases[] = {
      {"http://a.org/net.onnx", "--allow-http"},
      {"http://127.evil.org/net.onnx", "--allow-http"},
      {"http://127.0.0.1.evil.org/net.onnx", "--allow-http"},
      {"http://127.0.0.1@evil.org/net.onnx", "--allow-http"},
      {"ftp://u:geheim@a.org/net.onnx", "'ftp'"},
      {"file:///etc/passwd", "'file'"},
      {"https://", "no address"},
      {"https://u:geheim@a.org/", "names no file"},
      {"https://github.com/o/r", "a page of GitHub"},
      {"https://github.com/o/r/tree/main/models", "a page of GitHub"},
      {"o/r:../../x/y", "path of a file"},
      {"o/r:models/", "path of a file"},
      {"o/r@a/../b:models/x", "path of a file"},
      {"", "no source"},
      {std::string(9000, 'a'), "9000 characters long"},
  };
  for (const auto& [text, part] : cases) {
    SCOPED_TRACE(text);
    const auto spec = ParseModelSource(text, {});
    ASSERT_FALSE(spec.ok());
    EXPECT_EQ(spec.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(spec.error().message, HasSubstr(part));
    EXPECT_THAT(spec.error().message, Not(HasSubstr("geheim")));
  }
  EXPECT_TRUE(ParseModelSource("http://a.org/net.onnx", {.allow_http = true}).ok());
}

TEST(ModelSource, StoresNoPassword) {
  EXPECT_EQ(ParseModelSource("https://u:geheim@a.org/net.onnx", {}).value().origin, "https://a.org/net.onnx");
  EXPECT_EQ(PrintableUrl("https://u:p@a.org/x?X-Signature=abc"), "https://***@a.org/x?***");
}

TEST(ModelNameOf, TakesTheFolderWhereTheFileSaysNothing) {
  const std::pair<std::string, std::string> cases[] = {
      {"yolox_nano.onnx", "yolox_nano"},
      {"a/face/1/model.onnx", "face"},
      {"a/ssd/saved_model.pb", "ssd"},
      {"kws/1/", "kws"},
      {"x.tar.zst", "x"},
      {"yolo v5 (n).onnx", "yolo_v5__n_"},
      {"model.onnx", "model"},
      {"1", "model"},
      {"/", "model"},
      {"paddle/__model__", "paddle"},
      {".hidden.onnx", "hidden"},
      {"version-RFB-320.onnx", "version-RFB-320"},
      {"v1.1/yolo-1.1.weights", "yolo-1.1"},
      {"yolo_fastest_1.1", "yolo_fastest_1.1"},
  };
  for (const auto& [path, name] : cases) EXPECT_EQ(ModelNameOf(path), name) << path;
}

TEST(CheckModelName, RefusesPathsAndVersions) {
  for (const std::string good : {"a", "yolox_nano", "Yolo-v5.6", "1a"}) EXPECT_TRUE(CheckModelName(good).ok()) << good;
  for (const std::string bad : {"", "1", "42", ".a", "-a", "a/b", "a@1", "..", "a b", "ü"}) {
    EXPECT_FALSE(CheckModelName(bad).ok()) << bad;
  }
  EXPECT_FALSE(CheckModelName(std::string(65, 'a')).ok());
}

TEST(CompanionOf, KnowsModelsOfTwoFiles) {
  const std::pair<std::string, std::string> cases[] = {
      {"x.xml", "x.bin"},     {"x.bin", "x.xml"},          {"x.prototxt", "x.caffemodel"},
      {"x.weights", "x.cfg"}, {"__model__", "__params__"}, {"x.pdmodel", "x.pdiparams"},
      {"x.onnx", ""},
  };
  for (const auto& [file, companion] : cases) EXPECT_EQ(CompanionOf(file), companion);
  EXPECT_EQ(SiblingUrl("https://a.org/m/x.xml?t=1", "x y.bin"), "https://a.org/m/x%20y.bin?t=1");
}

TEST(CheckMayRedirect, FollowsToHttpsOnly) {
  struct Case {
    std::string start, from, to;
    bool allow_http, follows;
  };
  const Case cases[] = {
      {"https://a/x", "https://a/x", "https://b/y", false, true},
      {"https://a/x", "https://a/x", "http://b/y", false, false},
      {"https://a/x", "https://a/x", "http://b/y", true, false},
      {"https://a/x", "https://a/x", "http://127.0.0.1/y", false, false},
      {"http://127.0.0.1:1/x", "http://127.0.0.1:1/x", "http://127.0.0.1:2/y", false, true},
      {"http://127.0.0.1:1/x", "http://127.0.0.1:1/x", "http://b/y", false, false},
      {"http://127.0.0.1:1/x", "http://127.0.0.1:1/x", "http://169.254.169.254/y", false, false},
      {"http://127.0.0.1:1/x", "https://b/x", "http://127.0.0.1:1/y", false, false},
      {"http://a/x", "http://a/x", "http://b/y", true, true},
      {"http://127.0.0.1:1/x", "http://127.0.0.1:1/x", "file:///etc/passwd", true, false},
      {"http://127.0.0.1:1/x", "http://127.0.0.1:1/x", "ftp://127.0.0.1/x", true, false},
      {"http://127.0.0.1:1/x", "http://127.0.0.1:1/x", "gopher://127.0.0.1/x", true, false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(CheckMayRedirect(c.start, c.from, c.to, c.allow_http).ok(), c.follows) << c.from << " -> " << c.to;
  }
}

}  // namespace
}  // namespace deepedge
