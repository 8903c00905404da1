#include "deepedge/profiler/calibration/synthetic_net.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <random>
#include <vector>

#include "deepedge/base/file.h"

namespace deepedge {
namespace {

// Random choices that are the same on every machine, which distributions of the standard library are not.
class Dice {
 public:
  explicit Dice(uint32_t seed) : random_(seed) {}
  int Between(int low, int high) { return low + static_cast<int>(random_() % static_cast<uint32_t>(high - low + 1)); }
  bool Chance(int percent) { return Between(1, 100) <= percent; }
  int OneOf(std::initializer_list<int> values) {
    return values.begin()[static_cast<size_t>(Between(0, static_cast<int>(values.size()) - 1))];
  }
  // Between the two on a logarithmic scale.
  int Scale(int low, int high) {
    const double u = static_cast<double>(random_() % 10001) / 10000.0;
    return static_cast<int>(std::lround(low * std::pow(static_cast<double>(high) / low, u)));
  }

 private:
  std::mt19937 random_;
};

int RoundTo(int value, int step) { return std::max(step, (value + step / 2) / step * step); }

// Mostly whole vectors, as people choose channels, but not always.
int Channels(Dice& dice, int low, int high) {
  const int channels = dice.Scale(low, high);
  return dice.Chance(75) ? RoundTo(channels, 8) : channels;
}

// Writes layers one after the other and keeps count of what they need.
class Builder {
 public:
  Builder(uint32_t seed, int64_t most_flops, int width, int height) : dice(seed), most_flops_(most_flops) {
    net_.width = width;
    net_.height = height;
    net_.cfg = fmt::format("[net]\nwidth={}\nheight={}\nchannels=3\n", width, height);
    width_ = width;
    height_ = height;
    channels_ = 3;
    activation_ = std::array{"relu", "relu", "leaky", "swish", "relu6"}[static_cast<size_t>(dice.Between(0, 4))];
  }

  Dice dice;

  int channels() const { return channels_; }
  int width() const { return width_; }
  int height() const { return height_; }
  int layers() const { return layers_; }
  bool Full() const { return net_.flops >= most_flops_; }
  int SmallerSide() const { return std::min(width_, height_); }

  // False, and nothing is added, where the layer would take the network over its limit.
  bool Convolve(int filters, int size, int stride, int groups = 1, bool active = true) {
    const int64_t out_w = (width_ + 2 * (size / 2) - size) / stride + 1;
    const int64_t out_h = (height_ + 2 * (size / 2) - size) / stride + 1;
    const int64_t flops_each = 2 * int64_t{channels_ / groups} * size * size * out_w * out_h;
    // The first layer, on the whole picture, is narrowed until it fits.
    while (layers_ == 0 && filters > 8 && filters * flops_each > most_flops_ / 10) filters /= 2;
    const int64_t weights = int64_t{filters} * (channels_ / groups) * size * size;
    const int64_t flops = filters * flops_each;
    if (out_w < 1 || out_h < 1 || (layers_ > 0 && net_.flops + flops > most_flops_)) return false;
    net_.cfg += fmt::format(
        "[convolutional]\nbatch_normalize=1\nfilters={}\nsize={}\nstride={}\npad=1\ngroups={}\nactivation={}\n",
        filters, size, stride, groups, active ? activation_ : "linear");
    net_.weights.push_back({filters, -0.1F, 0.1F});  // bias, scale, mean, variance
    net_.weights.push_back({filters, 0.9F, 1.1F});
    net_.weights.push_back({filters, -0.1F, 0.1F});
    net_.weights.push_back({filters, 0.9F, 1.1F});
    AddWeights(weights, weights / filters);
    net_.flops += flops;
    channels_ = filters;
    width_ = static_cast<int>(out_w);
    height_ = static_cast<int>(out_h);
    Count();
    return true;
  }

  // Layer `from` counted back from here: -1 is the last one.
  void Sum(int from) {
    net_.cfg += fmt::format("[shortcut]\nfrom={}\nactivation={}\n", from, dice.Chance(50) ? activation_ : "linear");
    Count();
  }
  void Pool(int size, int stride) {
    net_.cfg += fmt::format("[maxpool]\nsize={}\nstride={}\n", size, stride);
    width_ = (width_ - 1) / stride + 1;
    height_ = (height_ - 1) / stride + 1;
    Count();
  }
  void GlobalPool() {
    net_.cfg += "[avgpool]\n";
    width_ = height_ = 1;
    Count();
  }
  void Upsample() {
    net_.cfg += "[upsample]\nstride=2\n";
    width_ *= 2;
    height_ *= 2;
    Count();
  }
  // Joins the last layer with another of the same size, by index.
  void Join(int other, int its_channels) {
    net_.cfg += fmt::format("[route]\nlayers=-1,{}\n", other);
    channels_ += its_channels;
    Count();
  }
  void Connect(int outputs) {
    const int64_t weights = int64_t{outputs} * channels_ * width_ * height_;
    net_.cfg += fmt::format("[connected]\noutput={}\nactivation={}\n", outputs, activation_);
    net_.weights.push_back({outputs, -0.1F, 0.1F});
    AddWeights(weights, weights / outputs);
    net_.flops += 2 * weights;
    channels_ = outputs;
    width_ = height_ = 1;
    Count();
  }

  SyntheticNet Finish() { return std::move(net_); }

 private:
  void Count() { ++layers_; }
  // He et al. 2015: with this spread a layer keeps the size of what it is given.
  void AddWeights(int64_t count, int64_t inputs) {
    const float spread = std::sqrt(6.0F / static_cast<float>(std::max<int64_t>(inputs, 1)));
    net_.weights.push_back({count, -spread, spread});
  }

  SyntheticNet net_;
  int64_t most_flops_;
  int width_ = 0;
  int height_ = 0;
  int channels_ = 0;
  int layers_ = 0;
  const char* activation_ = "relu";
};

void AddResidual(Builder& net) {
  int channels = Channels(net.dice, 12, 96);
  if (!net.Convolve(channels, net.dice.OneOf({3, 5, 7}), 2)) return;
  channels = net.channels();
  if (net.dice.Chance(50)) net.Pool(2, 2);
  for (int stage = 0; stage < 4 && net.SmallerSide() >= 4 && !net.Full(); ++stage) {
    const bool bottleneck = net.dice.Chance(50);
    const int blocks = net.dice.Between(1, 3);
    for (int block = 0; block < blocks; ++block) {
      const int inner = bottleneck ? RoundTo(channels / 4, 8) : channels;
      if (bottleneck && !net.Convolve(inner, 1, 1)) return;
      if (!net.Convolve(inner, 3, 1)) return;
      if (!net.Convolve(channels, bottleneck ? 1 : 3, 1, 1, false)) return;
      net.Sum(bottleneck ? -4 : -3);
    }
    channels = std::min(RoundTo(channels * net.dice.OneOf({3, 4, 4}) / 2, 8), 1024);
    if (!net.Convolve(channels, net.dice.OneOf({1, 3, 3}), 2)) return;
  }
}

void AddMobile(Builder& net) {
  int channels = Channels(net.dice, 4, 40);
  if (!net.Convolve(channels, 3, 2)) return;
  channels = net.channels();
  for (int block = 0; block < 14 && net.SmallerSide() >= 4 && !net.Full(); ++block) {
    const int stride = net.dice.Chance(35) ? 2 : 1;
    const int wide = net.dice.Chance(50) ? channels * net.dice.OneOf({2, 4, 6}) : channels;
    if (wide != channels && !net.Convolve(wide, 1, 1)) return;
    if (!net.Convolve(wide, net.dice.OneOf({3, 3, 3, 5}), stride, wide)) return;
    const int next = stride == 1 ? channels : std::min(RoundTo(channels * net.dice.OneOf({3, 4}) / 2, 8), 512);
    const bool sum = stride == 1 && wide != channels;
    if (!net.Convolve(next, 1, 1, 1, !sum)) return;
    if (sum) net.Sum(-4);
    channels = next;
  }
}

void AddPyramid(Builder& net) {
  int channels = Channels(net.dice, 6, 32);
  if (!net.Convolve(channels, 3, net.dice.OneOf({1, 2}))) return;
  std::vector<std::array<int, 3>> levels;  // layer, channels, width
  for (int stage = 0; stage < 4 && net.SmallerSide() >= 8; ++stage) {
    net.Pool(net.dice.OneOf({2, 2, 3}), 2);
    channels = std::min(channels * 2, 512);
    if (!net.Convolve(channels, 3, 1)) return;
    if (net.dice.Chance(50) && !net.Convolve(channels, 1, 1)) return;
    levels.push_back({net.layers() - 1, channels, net.width()});
  }
  if (levels.size() < 2) return;
  net.Pool(net.dice.OneOf({3, 5}), 1);
  if (!net.Convolve(std::max(channels / 2, 8), 1, 1)) return;
  net.Upsample();
  const auto& below = levels[levels.size() - 2];
  if (net.width() == below[2]) net.Join(below[0], below[1]);
  if (!net.Convolve(channels / 2, 3, 1)) return;
  net.Convolve(net.dice.Between(18, 255), 1, 1, 1, false);
}

void AddConnected(Builder& net) {
  int channels = Channels(net.dice, 8, 64);
  for (int i = 0; i < 3 && net.SmallerSide() >= 6; ++i) {
    if (!net.Convolve(channels, net.dice.OneOf({3, 5}), net.dice.OneOf({1, 2}))) break;
    net.Pool(2, 2);
    channels = std::min(channels * 2, 256);
  }
  while (net.width() * net.height() > 64) net.Pool(2, 2);
  // Now and then more weights than any cache holds.
  const int64_t most_weights = int64_t{net.dice.Chance(25) ? 24 : 6} << 20;
  const int64_t in = int64_t{net.channels()} * net.width() * net.height();
  net.Connect(static_cast<int>(std::clamp<int64_t>(most_weights / in, 16, net.dice.Scale(64, 4096))));
  for (int i = net.dice.Between(1, 5); i > 0; --i) net.Connect(net.dice.Scale(32, 2048));
  net.Connect(net.dice.Scale(2, 1000));
}

}  // namespace

SyntheticNet MakeSyntheticNet(NetFamily family, uint32_t seed, int64_t most_flops) {
  Dice sizes(seed * 2654435761U + static_cast<uint32_t>(family));
  const bool small = family == NetFamily::kSmall || family == NetFamily::kConnected;
  const int height = RoundTo(small ? sizes.Scale(24, 128) : sizes.Scale(96, 512), 8);
  const int width = RoundTo(sizes.Chance(60) ? height : height * sizes.Between(8, 16) / 8, 8);
  Builder net(seed + 17, most_flops, width, height);
  switch (family) {
    case NetFamily::kResidual: AddResidual(net); break;
    case NetFamily::kMobile: AddMobile(net); break;
    case NetFamily::kPyramid: AddPyramid(net); break;
    case NetFamily::kConnected: AddConnected(net); break;
    case NetFamily::kSmall:
      if (sizes.Chance(50)) {
        AddResidual(net);
      } else {
        AddMobile(net);
      }
      break;
  }
  // A network ends in numbers, as a classifier does; a pyramid in its map.
  if (family != NetFamily::kPyramid && family != NetFamily::kConnected) {
    net.GlobalPool();
    net.Connect(sizes.Scale(2, 1000));
  }
  return net.Finish();
}

Result<ModelFiles> WriteSyntheticNet(const SyntheticNet& net, const Path& folder, const std::string& name) {
  ModelFiles files{
      .format = ModelFormat::kDarknet, .graph = folder / (name + ".cfg"), .weights = folder / (name + ".weights")};
  DE_TRY_STATUS(WriteFileAtomically(files.graph, net.cfg));
  constexpr size_t kHeader = 20;  // version 0.2.5 and 8 bytes of pictures seen
  std::string bytes(kHeader, '\0');
  bytes[4] = 2;
  bytes[8] = 5;
  std::minstd_rand random(5);
  for (const SyntheticNet::Numbers& numbers : net.weights) {
    for (int64_t i = 0; i < numbers.count; ++i) {
      const float part = static_cast<float>(random() % 10001) / 10000.0F;
      const float value = numbers.low + part * (numbers.high - numbers.low);
      bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
  }
  DE_TRY_STATUS(WriteFileAtomically(files.weights, bytes));
  return files;
}

PictureInput PictureOf(const SyntheticNet& net) {
  PictureInput picture{.width = net.width, .height = net.height};
  picture.std = {255, 255, 255};
  return picture;
}

}  // namespace deepedge
