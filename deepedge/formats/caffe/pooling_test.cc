// Pooling compared with Caffe's own rule, written down as loops.
#include <algorithm>
#include <cfloat>

#include "deepedge/formats/caffe/caffe_test_net.h"

namespace deepedge {
namespace {

struct Case {
  int size;
  int kernel;
  int stride;
  int pad;
};

// Rounds up; a last window that would begin behind the picture and its padding before it does not count. The average
// is over the window with its padding, as far as the padding goes.
std::vector<float> Pool(const std::vector<float>& in, const Case& c, bool max) {
  int outputs = (c.size + 2 * c.pad - c.kernel + c.stride - 1) / c.stride + 1;
  if (c.pad > 0 && (outputs - 1) * c.stride >= c.size + c.pad) --outputs;
  std::vector<float> out;
  for (int y = 0; y < outputs; ++y) {
    for (int x = 0; x < outputs; ++x) {
      const int top = y * c.stride - c.pad;
      const int left = x * c.stride - c.pad;
      const int bottom = std::min(top + c.kernel, c.size + c.pad);
      const int right = std::min(left + c.kernel, c.size + c.pad);
      const int count = (bottom - top) * (right - left);
      float sum = 0;
      float largest = -FLT_MAX;
      for (int i = std::max(top, 0); i < std::min(bottom, c.size); ++i) {
        for (int j = std::max(left, 0); j < std::min(right, c.size); ++j) {
          sum += in[static_cast<size_t>(i * c.size + j)];
          largest = std::max(largest, in[static_cast<size_t>(i * c.size + j)]);
        }
      }
      out.push_back(max ? largest : sum / static_cast<float>(count));
    }
  }
  return out;
}

class PoolingTest : public CaffeTest {};

TEST_F(PoolingTest, FollowsCaffesRounding) {
  for (const Case c : {Case{4, 2, 2, 0}, Case{5, 2, 2, 0}, Case{6, 3, 2, 0}, Case{7, 3, 2, 0}, Case{8, 3, 2, 0},
                       Case{6, 3, 2, 1}, Case{7, 3, 2, 1}, Case{5, 2, 2, 1}, Case{6, 2, 2, 1}, Case{4, 3, 3, 1},
                       Case{5, 3, 3, 1}, Case{9, 5, 3, 2}, Case{10, 5, 3, 2}, Case{5, 3, 1, 1}, Case{6, 5, 4, 2}}) {
    const auto side = std::to_string(c.size);
    const std::string window = " kernel_size: " + std::to_string(c.kernel) + " stride: " + std::to_string(c.stride) +
                               " pad: " + std::to_string(c.pad) + " }";
    const auto input = SomeBlob({c.size, c.size}).values;
    for (const bool max : {true, false}) {
      SCOPED_TRACE(side + window + (max ? " MAX" : " AVE"));
      const std::string method = max ? "MAX" : "AVE";
      const auto out =
          RunLayer("1,1," + side + "," + side, "type: 'Pooling' pooling_param { pool: " + method + window, {}, input);
      ExpectNear(out.values, Pool(input, c, max));
    }
  }
}

TEST_F(PoolingTest, RoundsDownWhereTheTextSaysSo) {
  const auto input = SomeBlob({5, 5}).values;
  for (const char* down : {"ceil_mode: false", "round_mode: FLOOR"}) {
    const auto out = RunLayer(
        "1,1,5,5", std::string("type: 'Pooling' pooling_param { kernel_size: 2 stride: 2 ") + down + " }", {}, input);
    EXPECT_EQ(out.shape, (ov::Shape{1, 1, 2, 2}));
  }
}

TEST_F(PoolingTest, PoolsWholePictures) {
  const std::vector<float> input{1, 2, 3, 6, -1, -2, -3, -6};
  ExpectNear(RunLayer("1,2,2,2", "type: 'Pooling' pooling_param { pool: AVE global_pooling: true }", {}, input).values,
             {3, -3});
  ExpectNear(RunLayer("1,2,2,2", "type: 'Pooling' pooling_param { global_pooling: true }", {}, input).values, {6, -1});
}

TEST_F(PoolingTest, WindowsMayDifferByDirection) {
  const std::vector<float> input{1, 2, 3, 4, 5, 6, 7, 8};
  const auto out = RunLayer(
      "1,1,2,4", "type: 'Pooling' pooling_param { kernel_h: 1 kernel_w: 2 stride_h: 1 stride_w: 2 }", {}, input);
  ExpectNear(out.values, {2, 4, 6, 8});
}

}  // namespace
}  // namespace deepedge
