// Max pooling over windows of 2 × 2. A window's elements are numbered row by row; the first of equal ones is

#include "kernel.h"

namespace glocal {
namespace {

// chosen.

VECTORISED void PoolRow(const float* upper, const float* lower, int64_t width, int64_t channels,
                        float* __restrict y, int32_t* __restrict choice) {
  for (int64_t column = 0; column < width; column++) {
    const float* left = upper + 2 * column * channels;
    const float* below = lower + 2 * column * channels;
    for (int64_t c = 0; c < channels; c++) {
      const float x0 = left[c], x1 = left[channels + c], x2 = below[c], x3 = below[channels + c];
      const float first = x1 > x0 ? x1 : x0, second = x3 > x2 ? x3 : x2;
      // Arithmetic, not a choice of numbers, which the compiler does not vectorise.
      const int32_t right = x1 > x0, right_below = x3 > x2, down = second > first;
      y[column * channels + c] = second > first ? second : first;
      choice[column * channels + c] = 2 * down + right + down * (right_below - right);
    }
  }
}

// Elements of one column of windows are `pitch` apart, which is more than `channels` where tangents lie side
// by side.
VECTORISED void PickRow(const float* upper, const float* lower, int64_t width, int64_t channels,
                        int64_t pitch, const int32_t* choice, float* __restrict y) {
  for (int64_t column = 0; column < width; column++) {
    const float* left = upper + 2 * column * pitch;
    const float* below = lower + 2 * column * pitch;
    for (int64_t c = 0; c < channels; c++) {
      const int32_t which = choice[column * channels + c];
      const float x0 = left[c], x1 = left[pitch + c], x2 = below[c], x3 = below[pitch + c];
      const float first = which & 1 ? x1 : x0, second = which & 1 ? x3 : x2;
      y[column * channels + c] = which & 2 ? second : first;
    }
  }
}

VECTORISED void SpreadRow(const float* dy, const int32_t* choice, int64_t width, int64_t channels,
                          float* __restrict upper, float* __restrict lower) {
  for (int64_t column = 0; column < width; column++) {
    float* __restrict left = upper + 2 * column * channels;
    float* __restrict below = lower + 2 * column * channels;
    for (int64_t c = 0; c < channels; c++) {
      const int32_t which = choice[column * channels + c];
      const float value = dy[column * channels + c];
      left[c] = which == 0 ? value : 0;
      left[channels + c] = which == 1 ? value : 0;
      below[c] = which == 2 ? value : 0;
      below[channels + c] = which == 3 ? value : 0;
    }
  }
}

// Calls run for each row of windows of images [b, h, w, c]: its place in the full and in the pooled image.
template <typename Run>
void EachRow(const Shape& pooled, const Run& run) {
  const int64_t row = pooled[2] * pooled[3];
  Parallel(pooled[0] * pooled[1], 4 * row, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) run(4 * row * i, row * i);
  });
}

bool IsPooled(const Shape& full, const Shape& pooled) {
  return full.size() == 4 && pooled.size() == 4 && full[1] == 2 * pooled[1] && full[2] == 2 * pooled[2] &&
         full[3] == pooled[3];
}

bool GoesWith(const Shape& smaller, const Shape& larger) {
  return smaller.size() == 4 && larger.size() == 4 &&
         std::equal(smaller.begin() + 1, smaller.end(), larger.begin() + 1) && smaller[0] > 0 &&
         larger[0] % smaller[0] == 0;
}

void MaxPool2x2(Call& call, float) {
  const Tensor x = call.Input(0);
  if (!call.Check(x.shape.size() == 4 && x.shape[1] % 2 == 0 && x.shape[2] % 2 == 0,
                  "x is [b, h, w, c], h and w even"))
    return;
  const Shape pooled = {x.shape[0], x.shape[1] / 2, x.shape[2] / 2, x.shape[3]};
  const Tensor y = call.Output(0, pooled);
  const Tensor choice = call.Output(1, pooled, TF_INT32);
  if (!call.Ok()) return;
  const int64_t width = pooled[2], channels = pooled[3];
  EachRow(pooled, [&](int64_t full, int64_t at) {
    const float* upper = x.floats() + full;
    PoolRow(upper, upper + 2 * width * channels, width, channels, y.floats() + at, choice.integers() + at);
  });
}

void MaxPool2x2Pick(Call& call, float) {
  const Tensor x = call.Input(0), choice = call.Input(1);
  if (!call.Check(x.shape.size() == 4, "x is [r·b, h, w, c]")) return;
  const Shape pooled = {x.shape[0], x.shape[1] / 2, x.shape[2] / 2, x.shape[3]};
  if (!call.Check(IsPooled(x.shape, pooled) && GoesWith(choice.shape, pooled), "choice is of half of x"))
    return;
  const Tensor y = call.Output(0, pooled);
  if (!call.Ok()) return;
  const int64_t width = pooled[2], channels = pooled[3], period = SizeOf(choice.shape);
  EachRow(pooled, [&](int64_t full, int64_t at) {
    const float* upper = x.floats() + full;
    PickRow(upper, upper + 2 * width * channels, width, channels, channels, choice.integers() + at % period,
            y.floats() + at);
  });
}

// x has r tangents side by side, [b, 2h, 2w, r·c]; y has them one after the other, [r·b, h, w, c].
void MaxPool2x2PickWide(Call& call, float) {
  const Tensor x = call.Input(0), choice = call.Input(1);
  const Shape& one = choice.shape;
  if (!call.Check(x.shape.size() == 4 && one.size() == 4 && one[3] > 0 && x.shape[3] % one[3] == 0,
                  "x is [b, h, w, r·c]"))
    return;
  const int64_t width = one[2], channels = one[3], pitch = x.shape[3], row = width * channels,
                size = SizeOf(one);
  if (!call.Check(x.shape[0] == one[0] && x.shape[1] == 2 * one[1] && x.shape[2] == 2 * width,
                  "choice is of half of x"))
    return;
  const Tensor y = call.Output(0, {pitch / channels * one[0], one[1], width, channels});
  if (!call.Ok()) return;
  Parallel(one[0] * one[1], 4 * width * pitch, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const float* upper = x.floats() + i * 4 * width * pitch;
      for (int64_t k = 0; k < pitch / channels; k++) {
        const float* part = upper + k * channels;
        PickRow(part, part + 2 * width * pitch, width, channels, pitch, choice.integers() + i * row,
                y.floats() + k * size + i * row);
      }
    }
  });
}

void MaxPool2x2Grad(Call& call, float) {
  const Tensor dy = call.Input(0), choice = call.Input(1);
  if (!call.Check(GoesWith(choice.shape, dy.shape), "dy is [r·b, h, w, c], choice [b, h, w, c]")) return;
  const Shape& pooled = dy.shape;
  const Tensor dx = call.Output(0, {pooled[0], 2 * pooled[1], 2 * pooled[2], pooled[3]});
  if (!call.Ok()) return;
  const int64_t width = pooled[2], channels = pooled[3], period = SizeOf(choice.shape);
  EachRow(pooled, [&](int64_t full, int64_t at) {
    float* upper = dx.floats() + full;
    SpreadRow(dy.floats() + at, choice.integers() + at % period, width, channels, upper,
              upper + 2 * width * channels);
  });
}

__attribute__((constructor)) void RegisterKernels() {
  Register<MaxPool2x2>("GlocalMaxPool2x2", {"x: float"}, {"y: float", "choice: int32"});
  Register<MaxPool2x2Pick>("GlocalMaxPool2x2Pick", {"x: float", "choice: int32"}, {"y: float"});
  Register<MaxPool2x2PickWide>("GlocalMaxPool2x2PickWide", {"x: float", "choice: int32"}, {"y: float"});
  Register<MaxPool2x2Grad>("GlocalMaxPool2x2Grad", {"dy: float", "choice: int32"}, {"dx: float"});
}

}  // namespace
}  // namespace glocal
