// TensorFlow operations of our own, for what costs most between the convolutions of a step: stock operations read and
// write images several times where one pass is enough. They are called by name, as any other (ad/ops/native.ts).
//
// Loading this library registers them, by TensorFlow's C API. Float32, row-major, channels last. A second input that is
// smaller than the first goes with each of several images or tangents that lie one after the other in the first.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <thread>
#include <vector>

#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_status.h"
#include "tensorflow/c/tf_tensor.h"

// What is used of tensorflow/c/kernels.h, which includes headers that are not of the C API.
extern "C" {
struct TF_KernelBuilder;
struct TF_OpKernelConstruction;
struct TF_OpKernelContext;
TF_KernelBuilder* TF_NewKernelBuilder(const char* op, const char* device, void* (*create)(TF_OpKernelConstruction*),
                                      void (*compute)(void*, TF_OpKernelContext*), void (*remove)(void*));
void TF_RegisterKernelBuilder(const char* name, TF_KernelBuilder* builder, TF_Status* status);
void TF_OpKernelConstruction_GetAttrFloat(TF_OpKernelConstruction*, const char* attribute, float* value, TF_Status* status);
void TF_OpKernelConstruction_Failure(TF_OpKernelConstruction*, TF_Status* status);
void TF_GetInput(TF_OpKernelContext*, int i, TF_Tensor** tensor, TF_Status* status);
TF_Tensor* TF_AllocateOutput(TF_OpKernelContext*, int i, TF_DataType type, const int64_t* shape, int rank, size_t bytes,
                             TF_Status* status);
void TF_OpKernelContext_Failure(TF_OpKernelContext*, TF_Status* status);
}

// One version of a loop for each vector width, chosen when the library is loaded: the machine that compiles need not be
// the one that computes.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define VECTORISED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VECTORISED
#endif

namespace {

using Shape = std::vector<int64_t>;

int64_t SizeOf(const Shape& shape) {
  int64_t size = 1;
  for (int64_t length : shape) size *= length;
  return size;
}

struct Tensor {
  Shape shape;
  void* data = nullptr;
  float* floats() const { return static_cast<float*>(data); }
  int32_t* integers() const { return static_cast<int32_t*>(data); }
};

// One call of an operation: inputs and outputs, and whether it failed.
class Call {
 public:
  explicit Call(TF_OpKernelContext* context) : context_(context), status_(TF_NewStatus()) {}
  Call(const Call&) = delete;
  ~Call() {
    if (TF_GetCode(status_) != TF_OK) TF_OpKernelContext_Failure(context_, status_);
    for (TF_Tensor* tensor : tensors_) TF_DeleteTensor(tensor);
    TF_DeleteStatus(status_);
  }

  Tensor Input(int i) {
    TF_Tensor* tensor = nullptr;
    TF_GetInput(context_, i, &tensor, status_);
    return Take(tensor);
  }

  Tensor Output(int i, const Shape& shape, TF_DataType type = TF_FLOAT) {
    const size_t bytes = SizeOf(shape) * TF_DataTypeSize(type);
    return Take(TF_AllocateOutput(context_, i, type, shape.data(), shape.size(), bytes, status_));
  }

  // Whether all went well so far, and the condition holds.
  bool Check(bool condition, const char* expected) {
    if (TF_GetCode(status_) == TF_OK && !condition) TF_SetStatus(status_, TF_INVALID_ARGUMENT, expected);
    return TF_GetCode(status_) == TF_OK;
  }
  bool Ok() { return TF_GetCode(status_) == TF_OK; }

 private:
  Tensor Take(TF_Tensor* tensor) {
    if (tensor == nullptr) return {};
    tensors_.push_back(tensor);
    Tensor result;
    for (int i = 0; i < TF_NumDims(tensor); i++) result.shape.push_back(TF_Dim(tensor, i));
    result.data = TF_TensorData(tensor);
    return result;
  }

  TF_OpKernelContext* context_;
  TF_Status* status_;
  std::vector<TF_Tensor*> tensors_;
};

// Calls run(begin, end) on parts of [0, count), on as many cores as are worth a thread.
template <typename Run>
void Parallel(int64_t count, int64_t floats_each, const Run& run) {
  constexpr int64_t kFloatsPerThread = 1 << 19;
  const int64_t cores = std::max(1u, std::thread::hardware_concurrency());
  const int64_t parts = std::clamp<int64_t>(count * floats_each / kFloatsPerThread, 1, std::min(cores, count));
  std::vector<std::thread> others;
  for (int64_t i = 1; i < parts; i++) others.emplace_back([&run, count, parts, i] { run(i * count / parts, (i + 1) * count / parts); });
  run(0, count / parts);
  for (std::thread& other : others) other.join();
}

// Max pooling over windows of 2 × 2. A window's elements are numbered row by row; the first of equal ones is chosen.

VECTORISED void PoolRow(const float* upper, const float* lower, int64_t width, int64_t channels, float* __restrict y,
                        int32_t* __restrict choice) {
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

// Elements of one column of windows are `pitch` apart, which is more than `channels` where tangents lie side by side.
VECTORISED void PickRow(const float* upper, const float* lower, int64_t width, int64_t channels, int64_t pitch,
                        const int32_t* choice, float* __restrict y) {
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

VECTORISED void SpreadRow(const float* dy, const int32_t* choice, int64_t width, int64_t channels, float* __restrict upper,
                          float* __restrict lower) {
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
  return full.size() == 4 && pooled.size() == 4 && full[1] == 2 * pooled[1] && full[2] == 2 * pooled[2] && full[3] == pooled[3];
}

bool GoesWith(const Shape& smaller, const Shape& larger) {
  return smaller.size() == 4 && larger.size() == 4 && std::equal(smaller.begin() + 1, smaller.end(), larger.begin() + 1) &&
         smaller[0] > 0 && larger[0] % smaller[0] == 0;
}

void MaxPool2x2(Call& call, float) {
  const Tensor x = call.Input(0);
  if (!call.Check(x.shape.size() == 4 && x.shape[1] % 2 == 0 && x.shape[2] % 2 == 0, "x is [b, h, w, c], h and w even")) return;
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
  if (!call.Check(IsPooled(x.shape, pooled) && GoesWith(choice.shape, pooled), "choice is of half of x")) return;
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
  if (!call.Check(x.shape.size() == 4 && one.size() == 4 && one[3] > 0 && x.shape[3] % one[3] == 0, "x is [b, h, w, r·c]")) return;
  const int64_t width = one[2], channels = one[3], pitch = x.shape[3], row = width * channels, size = SizeOf(one);
  if (!call.Check(x.shape[0] == one[0] && x.shape[1] == 2 * one[1] && x.shape[2] == 2 * width, "choice is of half of x")) return;
  const Tensor y = call.Output(0, {pitch / channels * one[0], one[1], width, channels});
  if (!call.Ok()) return;
  Parallel(one[0] * one[1], 4 * width * pitch, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const float* upper = x.floats() + i * 4 * width * pitch;
      for (int64_t k = 0; k < pitch / channels; k++) {
        const float* part = upper + k * channels;
        PickRow(part, part + 2 * width * pitch, width, channels, pitch, choice.integers() + i * row, y.floats() + k * size + i * row);
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
    SpreadRow(dy.floats() + at, choice.integers() + at % period, width, channels, upper, upper + 2 * width * channels);
  });
}

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

VECTORISED void BiasTangentRow(const float* x, const float* bias, const float* slope, int64_t channels, float* __restrict y) {
  for (int64_t c = 0; c < channels; c++) y[c] = (x[c] + bias[c]) * slope[c];
}

VECTORISED void BiasGradRow(const float* dy, const float* slope, int64_t channels, float* __restrict dx, float* __restrict sum) {
  for (int64_t c = 0; c < channels; c++) {
    dx[c] = dy[c] * slope[c];
    sum[c] += dx[c];
  }
}

void BiasLeakyRelu(Call& call, float alpha) {
  const Tensor x = call.Input(0), bias = call.Input(1);
  if (!call.Check(!x.shape.empty() && bias.shape.size() == 1 && bias.shape[0] == x.shape.back(), "bias is [the last axis of x]")) return;
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
  return !x.empty() && !slope.empty() && x.back() == slope.back() && SizeOf(slope) > 0 && SizeOf(x) % SizeOf(slope) == 0;
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
      BiasTangentRow(x.floats() + at, bias.floats() + at / period * channels, slope.floats() + at % period, channels,
                     y.floats() + at);
    }
  });
}

void BiasLeakyReluGrad(Call& call, float) {
  const Tensor dy = call.Input(0), slope = call.Input(1);
  if (!call.Check(HoldsTangents(dy.shape, slope.shape), "dy is [r, ...the shape of slope]")) return;
  const int64_t channels = slope.shape.back(), period = SizeOf(slope.shape), tangents = SizeOf(dy.shape) / period;
  const Tensor dx = call.Output(0, dy.shape), bias = call.Output(1, {tangents, channels});
  if (!call.Ok()) return;
  std::fill_n(bias.floats(), tangents * channels, 0.0f);
  // Each tangent by one thread, in the same order whatever their number: the sums are the same to the last bit.
  Parallel(tangents, 3 * period, [&](int64_t begin, int64_t end) {
    for (int64_t at = begin * period; at < end * period; at += channels) {
      BiasGradRow(dy.floats() + at, slope.floats() + at % period, channels, dx.floats() + at,
                  bias.floats() + at / period * channels);
    }
  });
}

// Cross-entropy of one example, and the softmax of its logits. Finite for logits that exp would overflow on.
float CrossEntropy(const float* logits, const float* labels, int64_t classes, float* softmax) {
  const float largest = *std::max_element(logits, logits + classes);
  float sum = 0, loss = 0;
  for (int64_t c = 0; c < classes; c++) sum += softmax[c] = std::exp(logits[c] - largest);
  const float log_sum = std::log(sum);
  for (int64_t c = 0; c < classes; c++) {
    loss += labels[c] * (log_sum - (logits[c] - largest));
    softmax[c] /= sum;
  }
  return loss;
}

void SoftmaxCrossEntropy(Call& call, float) {
  const Tensor logits = call.Input(0), labels = call.Input(1);
  if (!call.Check(logits.shape.size() == 2 && logits.shape[1] > 0 && logits.shape == labels.shape,
                  "logits and labels are [b, classes]")) {
    return;
  }
  const int64_t batch = logits.shape[0], classes = logits.shape[1];
  const Tensor losses = call.Output(0, {batch}), softmax = call.Output(1, logits.shape);
  if (!call.Ok()) return;
  for (int64_t i = 0; i < batch; i++) {
    const int64_t row = i * classes;
    losses.floats()[i] = CrossEntropy(logits.floats() + row, labels.floats() + row, classes, softmax.floats() + row);
  }
}

// How an operation gets its attribute alpha, where it has one.
void* ReadAlpha(TF_OpKernelConstruction* construction) {
  auto* alpha = new float(0);
  TF_Status* status = TF_NewStatus();
  TF_OpKernelConstruction_GetAttrFloat(construction, "alpha", alpha, status);
  if (TF_GetCode(status) != TF_OK) TF_OpKernelConstruction_Failure(construction, status);
  TF_DeleteStatus(status);
  return alpha;
}

template <void (*compute)(Call&, float)>
void Compute(void* alpha, TF_OpKernelContext* context) {
  Call call(context);
  compute(call, alpha == nullptr ? 0 : *static_cast<float*>(alpha));
}

template <void (*compute)(Call&, float)>
void Register(const char* name, const std::vector<const char*>& inputs, const std::vector<const char*>& outputs, bool has_alpha = false) {
  TF_Status* status = TF_NewStatus();
  TF_OpDefinitionBuilder* definition = TF_NewOpDefinitionBuilder(name);
  for (const char* input : inputs) TF_OpDefinitionBuilderAddInput(definition, input);
  for (const char* output : outputs) TF_OpDefinitionBuilderAddOutput(definition, output);
  if (has_alpha) TF_OpDefinitionBuilderAddAttr(definition, "alpha: float");
  TF_RegisterOpDefinition(definition, status);
  TF_KernelBuilder* kernel = TF_NewKernelBuilder(
      name, "CPU", has_alpha ? ReadAlpha : nullptr, Compute<compute>, [](void* alpha) { delete static_cast<float*>(alpha); });
  TF_RegisterKernelBuilder(name, kernel, status);
  TF_DeleteStatus(status);
}

__attribute__((constructor)) void RegisterAll() {
  Register<MaxPool2x2>("GlocalMaxPool2x2", {"x: float"}, {"y: float", "choice: int32"});
  Register<MaxPool2x2Pick>("GlocalMaxPool2x2Pick", {"x: float", "choice: int32"}, {"y: float"});
  Register<MaxPool2x2PickWide>("GlocalMaxPool2x2PickWide", {"x: float", "choice: int32"}, {"y: float"});
  Register<MaxPool2x2Grad>("GlocalMaxPool2x2Grad", {"dy: float", "choice: int32"}, {"dx: float"});
  Register<LeakyRelu>("GlocalLeakyRelu", {"x: float"}, {"y: float", "slope: float"}, true);
  Register<BiasLeakyRelu>("GlocalBiasLeakyRelu", {"x: float", "bias: float"}, {"y: float", "slope: float"}, true);
  Register<BiasLeakyReluTangent>("GlocalBiasLeakyReluTangent", {"x: float", "bias: float", "slope: float"}, {"y: float"});
  Register<BiasLeakyReluGrad>("GlocalBiasLeakyReluGrad", {"dy: float", "slope: float"}, {"dx: float", "bias: float"});
  Register<SoftmaxCrossEntropy>("GlocalSoftmaxCrossEntropy", {"logits: float", "labels: float"},
                                {"losses: float", "softmax: float"});
}

}  // namespace
