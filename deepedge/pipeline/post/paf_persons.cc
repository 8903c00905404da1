#include "deepedge/pipeline/post/paf_persons.h"

#include <algorithm>
#include <cmath>

namespace deepedge {
namespace {

constexpr size_t kMostPeaks = 60;
constexpr size_t kMostPersons = 100;
constexpr int kSamples = 10;            // along a limb
constexpr float kLeastField = 0.05F;    // what a sample must agree with the limb's direction
constexpr float kLeastAgreeing = 0.8F;  // share of the samples that must

constexpr std::array kOpenPoseLimbs{
    Limb{1, 2, 12, 13},  Limb{1, 5, 20, 21},   Limb{2, 3, 14, 15},  Limb{3, 4, 16, 17},  Limb{5, 6, 22, 23},
    Limb{6, 7, 24, 25},  Limb{1, 8, 0, 1},     Limb{8, 9, 2, 3},    Limb{9, 10, 4, 5},   Limb{1, 11, 6, 7},
    Limb{11, 12, 8, 9},  Limb{12, 13, 10, 11}, Limb{1, 0, 28, 29},  Limb{0, 14, 30, 31}, Limb{14, 16, 34, 35},
    Limb{0, 15, 32, 33}, Limb{15, 17, 36, 37}, Limb{2, 16, 18, 19}, Limb{5, 17, 26, 27},
};

// How well the field along the way from one peak to another points that way; nothing where it does not.
std::optional<float> Agreement(const MapChannels& fields, const Limb& limb, const Peak& from, const Peak& to) {
  const float length = std::hypot(to.x - from.x, to.y - from.y);
  if (!(length > 1e-3F)) return std::nullopt;
  const float ux = (to.x - from.x) / length;
  const float uy = (to.y - from.y) / length;
  float sum = 0;
  int agreeing = 0;
  for (int i = 0; i < kSamples; ++i) {
    const float share = static_cast<float>(i) / (kSamples - 1);
    const auto place = [share](float a, float b, size_t cells) {
      return static_cast<size_t>(std::clamp(std::round(a + (b - a) * share), 0.0F, static_cast<float>(cells - 1)));
    };
    const size_t x = place(from.x, to.x, fields.columns);
    const size_t y = place(from.y, to.y, fields.rows);
    const float along = fields.value(static_cast<size_t>(limb.x_channel), x, y) * ux +
                        fields.value(static_cast<size_t>(limb.y_channel), x, y) * uy;
    if (!std::isfinite(along)) return std::nullopt;
    sum += along;
    if (along > kLeastField) ++agreeing;
  }
  // A limb longer than half the map is unlikely.
  const float longest = static_cast<float>(fields.rows) / 2;
  const float mean = sum / kSamples + std::min(longest / length - 1, 0.0F);
  if (static_cast<float>(agreeing) < kLeastAgreeing * kSamples || !(mean > 0)) return std::nullopt;
  return mean;
}

struct Link {
  size_t from = 0;
  size_t to = 0;
  float score = 0;
};

// The best links of one limb; every peak takes part in one at most.
std::vector<Link> FindLinks(const MapChannels& fields, const Limb& limb, std::span<const Peak> from,
                            std::span<const Peak> to) {
  std::vector<Link> all;
  for (size_t a = 0; a < from.size(); ++a) {
    for (size_t b = 0; b < to.size(); ++b) {
      const auto agreement = Agreement(fields, limb, from[a], to[b]);
      if (agreement) all.push_back({a, b, *agreement});
    }
  }
  std::sort(all.begin(), all.end(), [](const Link& a, const Link& b) {
    return a.score != b.score ? a.score > b.score : std::pair(a.from, a.to) < std::pair(b.from, b.to);
  });
  std::vector<Link> links;
  std::vector<bool> from_taken(from.size(), false);
  std::vector<bool> to_taken(to.size(), false);
  for (const Link& link : all) {
    if (from_taken[link.from] || to_taken[link.to]) continue;
    from_taken[link.from] = to_taken[link.to] = true;
    links.push_back(link);
  }
  return links;
}

// Which peak of each point a person has.
using Places = std::vector<std::optional<size_t>>;

bool Disjoint(const Places& a, const Places& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] && b[i]) return false;
  }
  return true;
}

// Puts a link into the person that has one of its ends, joins two persons that have one each, or begins a new one.
void AddLink(const Limb& limb, const Link& link, size_t points, std::vector<Places>* persons) {
  const auto from = static_cast<size_t>(limb.from);
  const auto to = static_cast<size_t>(limb.to);
  const auto with = [&](size_t point, size_t peak) {
    return std::find_if(persons->begin(), persons->end(), [&](const Places& p) { return p[point] == peak; });
  };
  const auto one = with(from, link.from);
  const auto other = with(to, link.to);
  if (one == persons->end() && other == persons->end()) {
    if (persons->size() >= kMostPersons) return;
    Places person(points);
    person[from] = link.from;
    person[to] = link.to;
    persons->push_back(std::move(person));
  } else if (other == persons->end()) {
    if (!(*one)[to]) (*one)[to] = link.to;
  } else if (one == persons->end()) {
    if (!(*other)[from]) (*other)[from] = link.from;
  } else if (one != other && Disjoint(*one, *other)) {
    for (size_t i = 0; i < points; ++i) {
      if ((*other)[i]) (*one)[i] = (*other)[i];
    }
    persons->erase(other);
  }
}

}  // namespace

std::span<const Limb> OpenPoseLimbs() { return kOpenPoseLimbs; }

Peak RefinePeak(const MapChannels& map, size_t channel, size_t x, size_t y) {
  const float top = map.value(channel, x, y);
  const auto shift = [top](float before, float after) {
    const float bend = 2 * top - before - after;
    const float move = (after - before) / (2 * bend);
    return bend > 0 && std::isfinite(move) ? std::clamp(move, -0.5F, 0.5F) : 0.0F;
  };
  Peak peak{static_cast<float>(x), static_cast<float>(y), top};
  if (x > 0 && x + 1 < map.columns) peak.x += shift(map.value(channel, x - 1, y), map.value(channel, x + 1, y));
  if (y > 0 && y + 1 < map.rows) peak.y += shift(map.value(channel, x, y - 1), map.value(channel, x, y + 1));
  return peak;
}

std::vector<Peak> FindPeaks(const MapChannels& map, size_t channel, float threshold) {
  std::vector<Peak> peaks;
  for (size_t y = 0; y < map.rows; ++y) {
    for (size_t x = 0; x < map.columns; ++x) {
      const float value = map.value(channel, x, y);
      if (!(value >= threshold) || !std::isfinite(value)) continue;
      // Of equal neighbours the first one is the peak.
      const bool top = !(x > 0 && map.value(channel, x - 1, y) >= value) &&
                       !(y > 0 && map.value(channel, x, y - 1) >= value) &&
                       !(x + 1 < map.columns && map.value(channel, x + 1, y) > value) &&
                       !(y + 1 < map.rows && map.value(channel, x, y + 1) > value);
      if (top) peaks.push_back(RefinePeak(map, channel, x, y));
    }
  }
  std::sort(peaks.begin(), peaks.end(), [](const Peak& a, const Peak& b) {
    return a.score != b.score ? a.score > b.score : std::pair(a.y, a.x) < std::pair(b.y, b.x);
  });
  if (peaks.size() > kMostPeaks) peaks.resize(kMostPeaks);
  return peaks;
}

std::vector<PersonPoints> FindPersons(const MapChannels& heat, const MapChannels& fields, size_t points,
                                      std::span<const Limb> limbs, float threshold) {
  std::vector<std::vector<Peak>> peaks(points);
  for (size_t i = 0; i < points; ++i) peaks[i] = FindPeaks(heat, i, threshold);
  std::vector<Places> places;
  for (const Limb& limb : limbs) {
    const auto& from = peaks[static_cast<size_t>(limb.from)];
    const auto& to = peaks[static_cast<size_t>(limb.to)];
    for (const Link& link : FindLinks(fields, limb, from, to)) AddLink(limb, link, points, &places);
  }
  std::vector<PersonPoints> persons;
  for (const Places& place : places) {
    PersonPoints person(points);
    for (size_t i = 0; i < points; ++i) {
      if (place[i]) person[i] = peaks[i][*place[i]];
    }
    persons.push_back(std::move(person));
  }
  return persons;
}

}  // namespace deepedge
