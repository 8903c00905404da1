// rtsp_server: cameras for tests. Serves clips and test pictures by RTSP on loopback, paced as a camera would.
//
//   rtsp_server --port 0 --mount /a=street.mp4 --pattern /p=640x360@25 --pattern /j=320x240@10,jpeg
//   rtsp_server --port 0 --login user:password --mount /a=street.mp4
//
// Prints "port N" on standard output when it listens (port 0: any free one), serves until SIGTERM or SIGINT, then exits
// with 0. A clip (H.264, H.265 or JPEG in MP4) or pattern (H.264 with a key frame a second, or JPEG) starts anew for
// every client: the library aborts now and then when two clients join one shared medium at once.
//
// RTP has no room for Huffman tables: a JPEG clip has to use the standard ones (ffmpeg -huffman default).
#include <glib-unix.h>
#include <gst/gst.h>
#include <gst/rtsp-server/rtsp-server.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

struct Mount {
  std::string path;      // "/a"
  std::string pipeline;  // as gst-launch takes it; its payloader is called pay0
};

struct Options {
  std::string address = "127.0.0.1";
  std::string port = "0";
  std::string user;  // empty: nobody has to log in
  std::string password;
  std::vector<Mount> mounts;
};

[[noreturn]] void Fail(const std::string& message) {
  std::fprintf(stderr, "rtsp_server: %s\n", message.c_str());
  std::exit(2);
}

// "/path=value" in two.
std::pair<std::string, std::string> SplitMount(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals < 2 || text[0] != '/') {
    Fail("'" + std::string(text) + "' is not /PATH=VALUE");
  }
  return {std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

// What the video in an MP4 file is, as GStreamer names it: "video/x-h264".
std::string CodecOf(const std::string& file) {
  const std::string text =
      "filesrc location=" + Quoted(file) + " ! qtdemux name=demux demux.video_0 ! fakesink name=sink";
  GstElement* pipeline = gst_parse_launch(text.c_str(), nullptr);
  if (pipeline == nullptr) Fail("a plugin of GStreamer is missing for: " + text);
  gst_element_set_state(pipeline, GST_STATE_PAUSED);
  gst_element_get_state(pipeline, nullptr, nullptr, 10 * GST_SECOND);
  GstElement* sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  GstPad* pad = gst_element_get_static_pad(sink, "sink");
  GstCaps* caps = gst_pad_get_current_caps(pad);
  std::string codec;
  if (caps != nullptr) {
    codec = gst_structure_get_name(gst_caps_get_structure(caps, 0));
    gst_caps_unref(caps);
  }
  gst_object_unref(pad);
  gst_object_unref(sink);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  return codec;
}

Mount ClipMount(std::string_view text) {
  auto [path, file] = SplitMount(text);
  if (g_file_test(file.c_str(), G_FILE_TEST_IS_REGULAR) == FALSE) Fail("there is no clip '" + file + "'");
  const std::string codec = CodecOf(file);
  std::string payloader;
  if (codec == "video/x-h264") payloader = "h264parse ! rtph264pay name=pay0 pt=96 config-interval=1";
  if (codec == "video/x-h265") payloader = "h265parse ! rtph265pay name=pay0 pt=96 config-interval=1";
  if (codec == "image/jpeg") payloader = "rtpjpegpay name=pay0 pt=26";
  if (payloader.empty()) Fail("'" + file + "' is not H.264, H.265 or JPEG in MP4, but '" + codec + "'");
  return {std::move(path),
          "( filesrc location=" + Quoted(file) + " ! qtdemux name=demux demux.video_0 ! " + payloader + " )"};
}

// VALUE is WIDTHxHEIGHT@FPS, with ",jpeg" for Motion JPEG.
Mount PatternMount(std::string_view text) {
  auto [path, value] = SplitMount(text);
  unsigned width = 0;
  unsigned height = 0;
  unsigned fps = 0;
  int end = 0;
  const int fields = std::sscanf(value.c_str(), "%ux%u@%u%n", &width, &height, &fps, &end);
  const std::string rest = fields == 3 ? value.substr(static_cast<size_t>(end)) : "?";
  if ((!rest.empty() && rest != ",jpeg") || width < 16 || height < 16 || fps < 1) {
    Fail("'" + value + "' is not WIDTHxHEIGHT@FPS[,jpeg]");
  }
  const std::string rate = std::to_string(fps);
  const std::string encoder = rest.empty() ? " ! openh264enc bitrate=1000000 gop-size=" + rate +
                                                 " ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=1 )"
                                           : " ! jpegenc ! rtpjpegpay name=pay0 pt=26 )";
  return {std::move(path),
          "( videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=" + std::to_string(width) +
              ",height=" + std::to_string(height) + ",framerate=" + rate + "/1" + encoder};
}

Options ParseOptions(const std::vector<std::string_view>& arguments) {
  Options options;
  for (size_t i = 0; i < arguments.size(); i += 2) {
    const std::string_view name = arguments[i];
    if (i + 1 == arguments.size()) Fail("option '" + std::string(name) + "' is unknown or lacks its value");
    const std::string_view value = arguments[i + 1];
    if (name == "--address") {
      options.address = value;
    } else if (name == "--port") {
      options.port = value;
    } else if (name == "--login") {
      const size_t colon = value.find(':');
      if (colon == std::string_view::npos) Fail("--login takes USER:PASSWORD");
      options.user = value.substr(0, colon);
      options.password = value.substr(colon + 1);
    } else if (name == "--mount") {
      options.mounts.push_back(ClipMount(value));
    } else if (name == "--pattern") {
      options.mounts.push_back(PatternMount(value));
    } else {
      Fail("unknown option '" + std::string(name) + "'; there are --address, --port, --login, --mount and --pattern");
    }
  }
  if (options.mounts.empty()) Fail("nothing to serve: give --mount or --pattern");
  return options;
}

constexpr const char* kViewer = "viewer";  // the role of who has logged in

void RequireLogin(GstRTSPServer* server, const Options& options) {
  GstRTSPAuth* auth = gst_rtsp_auth_new();
  gst_rtsp_auth_set_supported_methods(auth, GST_RTSP_AUTH_DIGEST);
  GstRTSPToken* token = gst_rtsp_token_new(GST_RTSP_TOKEN_MEDIA_FACTORY_ROLE, G_TYPE_STRING, kViewer, nullptr);
  gst_rtsp_auth_add_digest(auth, options.user.c_str(), options.password.c_str(), token);
  gst_rtsp_token_unref(token);
  gst_rtsp_server_set_auth(server, auth);
  g_object_unref(auth);
}

void AddMounts(GstRTSPServer* server, const Options& options) {
  GstRTSPMountPoints* points = gst_rtsp_server_get_mount_points(server);
  for (const Mount& mount : options.mounts) {
    GstRTSPMediaFactory* factory = gst_rtsp_media_factory_new();
    gst_rtsp_media_factory_set_launch(factory, mount.pipeline.c_str());
    gst_rtsp_media_factory_set_shared(factory, FALSE);
    if (!options.user.empty()) {
      gst_rtsp_media_factory_add_role(factory, kViewer, GST_RTSP_PERM_MEDIA_FACTORY_ACCESS, G_TYPE_BOOLEAN, TRUE,
                                      GST_RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, G_TYPE_BOOLEAN, TRUE, nullptr);
    }
    gst_rtsp_mount_points_add_factory(points, mount.path.c_str(), factory);  // takes the factory
  }
  g_object_unref(points);
}

gboolean Quit(gpointer loop) {
  g_main_loop_quit(static_cast<GMainLoop*>(loop));
  return G_SOURCE_REMOVE;
}

// Forgets clients that went away without a word.
gboolean RemoveExpiredSessions(gpointer server) {
  GstRTSPSessionPool* pool = gst_rtsp_server_get_session_pool(static_cast<GstRTSPServer*>(server));
  gst_rtsp_session_pool_cleanup(pool);
  g_object_unref(pool);
  return G_SOURCE_CONTINUE;
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(nullptr, nullptr);
  const Options options = ParseOptions({argv + 1, argv + argc});

  GMainLoop* loop = g_main_loop_new(nullptr, FALSE);
  GstRTSPServer* server = gst_rtsp_server_new();
  gst_rtsp_server_set_address(server, options.address.c_str());
  gst_rtsp_server_set_service(server, options.port.c_str());
  if (!options.user.empty()) RequireLogin(server, options);
  AddMounts(server, options);
  if (gst_rtsp_server_attach(server, nullptr) == 0) Fail("cannot listen on " + options.address + ":" + options.port);
  std::printf("port %d\n", gst_rtsp_server_get_bound_port(server));
  std::fflush(stdout);

  g_unix_signal_add(SIGTERM, Quit, loop);
  g_unix_signal_add(SIGINT, Quit, loop);
  g_timeout_add_seconds(5, RemoveExpiredSessions, server);
  g_main_loop_run(loop);
  return 0;  // the kernel closes the connections at once; a farewell to each client could block
}
