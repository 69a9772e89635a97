// Leaky ReLU, alone and of a sum with a bias.

#include "kernel.h"

namespace glocal {
namespace {

VECTORISED void Rectify(const float* x, int64_t count, float alpha, float* y, float* slope) {
  for (int64_t i = 0; i < count; i++) {
    slope[i] = x[i] > 0 ? 1 : alpha;
    y[i] = x[i] * slope[i];
  }
}

void LeakyRelu(Call& call, float alpha) {
  const Tensor x = call.Input(0);
  if (!call.Ok()) return;
  const Tensor y = call.Output(0, x.shape), slope = call.Output(1, x.shape);
  if (!call.Ok()) return;
  Parallel(SizeOf(x.shape), 3, [&](int64_t begin, int64_t end) {
    Rectify(x.floats() + begin, end - begin, alpha, y.floats() + begin, slope.floats() + begin);
  });
}

// A bias and a leaky ReLU. Rows are [n, c] with a bias for each of the c columns.

VECTORISED void BiasRow(const float* x, const float* bias, int64_t channels, float alpha, float* __restrict y,
                        float* __restrict slope) {
  for (int64_t c = 0; c < channels; c++) {
    const float sum = x[c] + bias[c];
    slope[c] = sum > 0 ? 1 : alpha;
    y[c] = sum * slope[c];
  }
}

VECTORISED void BiasTangentRow(const float* x, const float* bias, const float* slope, int64_t channels,
                               float* __restrict y) {
  for (int64_t c = 0; c < channels; c++) y[c] = (x[c] + bias[c]) * slope[c];
}

VECTORISED void BiasGradRow(const float* dy, const float* slope, int64_t channels, float* __restrict dx,
                            float* __restrict sum) {
  for (int64_t c = 0; c < channels; c++) {
    dx[c] = dy[c] * slope[c];
    sum[c] += dx[c];
  }
}

void BiasLeakyRelu(Call& call, float alpha) {
  const Tensor x = call.Input(0), bias = call.Input(1);
  if (!call.Check(!x.shape.empty() && bias.shape.size() == 1 && bias.shape[0] == x.shape.back(),
                  "bias is [the last axis of x]"))
    return;
  const Tensor y = call.Output(0, x.shape), slope = call.Output(1, x.shape);
  if (!call.Ok()) return;
  const int64_t channels = bias.shape[0];
  Parallel(channels == 0 ? 0 : SizeOf(x.shape) / channels, 3 * channels, [&](int64_t begin, int64_t end) {
    for (int64_t at = begin * channels; at < end * channels; at += channels) {
      BiasRow(x.floats() + at, bias.floats(), channels, alpha, y.floats() + at, slope.floats() + at);
    }
  });
}

// Whether x holds r of what slope holds one of, with the same last axis.
bool HoldsTangents(const Shape& x, const Shape& slope) {
  return !x.empty() && !slope.empty() && x.back() == slope.back() && SizeOf(slope) > 0 &&
         SizeOf(x) % SizeOf(slope) == 0;
}

void BiasLeakyReluTangent(Call& call, float) {
  const Tensor x = call.Input(0), bias = call.Input(1), slope = call.Input(2);
  if (!call.Check(HoldsTangents(x.shape, slope.shape), "x is [r, ...the shape of slope]")) return;
  const int64_t channels = slope.shape.back(), period = SizeOf(slope.shape), size = SizeOf(x.shape);
  if (!call.Check(SizeOf(bias.shape) == size / period * channels, "bias is [r, channels]")) return;
  const Tensor y = call.Output(0, x.shape);
  if (!call.Ok()) return;
  Parallel(size / channels, 3 * channels, [&](int64_t begin, int64_t end) {
    for (int64_t at = begin * channels; at < end * channels; at += channels) {
      BiasTangentRow(x.floats() + at, bias.floats() + at / period * channels, slope.floats() + at % period,
                     channels, y.floats() + at);
    }
  });
}

void BiasLeakyReluGrad(Call& call, float) {
  const Tensor dy = call.Input(0), slope = call.Input(1);
  if (!call.Check(HoldsTangents(dy.shape, slope.shape), "dy is [r, ...the shape of slope]")) return;
  const int64_t channels = slope.shape.back(), period = SizeOf(slope.shape),
                tangents = SizeOf(dy.shape) / period;
  const Tensor dx = call.Output(0, dy.shape), bias = call.Output(1, {tangents, channels});
  if (!call.Ok()) return;
  std::fill_n(bias.floats(), tangents * channels, 0.0f);
  // Each tangent by one thread, in the same order whatever their number: the sums are the same to the last
  // bit.
  Parallel(tangents, 3 * period, [&](int64_t begin, int64_t end) {
    for (int64_t at = begin * period; at < end * period; at += channels) {
      BiasGradRow(dy.floats() + at, slope.floats() + at % period, channels, dx.floats() + at,
                  bias.floats() + at / period * channels);
    }
  });
}

__attribute__((constructor)) void RegisterKernels() {
  Register<LeakyRelu>("GlocalLeakyRelu", {"x: float"}, {"y: float", "slope: float"}, true);
  Register<BiasLeakyRelu>("GlocalBiasLeakyRelu", {"x: float", "bias: float"}, {"y: float", "slope: float"},
                          true);
  Register<BiasLeakyReluTangent>("GlocalBiasLeakyReluTangent", {"x: float", "bias: float", "slope: float"},
                                 {"y: float"});
  Register<BiasLeakyReluGrad>("GlocalBiasLeakyReluGrad", {"dy: float", "slope: float"},
                              {"dx: float", "bias: float"});
}

}  // namespace
}  // namespace glocal
