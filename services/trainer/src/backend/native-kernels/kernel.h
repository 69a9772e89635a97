// What the operations of this folder are written with: one call of an operation, loops on several cores, and
// the registration by TensorFlow's C API when the library is loaded. Float32, row-major, channels last.
//
// A second input that is smaller than the first goes with each of several images or tangents that lie one
// after the other in the first.

#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_status.h"
#include "tensorflow/c/tf_tensor.h"

// What is used of tensorflow/c/kernels.h, which includes headers that are not of the C API.
extern "C" {
struct TF_KernelBuilder;
struct TF_OpKernelConstruction;
struct TF_OpKernelContext;
TF_KernelBuilder* TF_NewKernelBuilder(const char* op, const char* device,
                                      void* (*create)(TF_OpKernelConstruction*),
                                      void (*compute)(void*, TF_OpKernelContext*), void (*remove)(void*));
void TF_RegisterKernelBuilder(const char* name, TF_KernelBuilder* builder, TF_Status* status);
void TF_OpKernelConstruction_GetAttrFloat(TF_OpKernelConstruction*, const char* attribute, float* value,
                                          TF_Status* status);
void TF_OpKernelConstruction_Failure(TF_OpKernelConstruction*, TF_Status* status);
void TF_GetInput(TF_OpKernelContext*, int i, TF_Tensor** tensor, TF_Status* status);
TF_Tensor* TF_AllocateOutput(TF_OpKernelContext*, int i, TF_DataType type, const int64_t* shape, int rank,
                             size_t bytes, TF_Status* status);
void TF_OpKernelContext_Failure(TF_OpKernelContext*, TF_Status* status);
}

// One version of a loop for each vector width, chosen when the library is loaded: the machine that compiles
// need not be the one that computes.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define VECTORISED __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define VECTORISED
#endif

namespace glocal {

using Shape = std::vector<int64_t>;

inline int64_t SizeOf(const Shape& shape) {
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

// Threads that help the one that calls an operation. A busy machine may let them come late or never: whoever
// has time takes the next part, and nobody waits for a thread that has not begun one.
class Helpers {
 public:
  struct Work {
    std::function<void(int64_t)> run;
    int64_t parts;
    std::atomic<int64_t> next{0}, done{0};
    void Take() {
      for (int64_t i = next++; i < parts; i = next++) {
        run(i);
        done++;
      }
    }
  };

  static Helpers& Shared() {
    // Never deleted: its threads end with the process.
    static Helpers* helpers = new Helpers();
    return *helpers;
  }

  void Run(int64_t parts, std::function<void(int64_t)> run) {
    const auto work = std::make_shared<Work>();
    work->run = std::move(run);
    work->parts = parts;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      work_ = work;
    }
    posted_.notify_all();
    work->Take();
    while (work->done < parts) std::this_thread::yield();
  }

 private:
  Helpers() {
    for (unsigned i = 1; i < std::thread::hardware_concurrency(); i++) {
      try {
        std::thread(&Helpers::Serve, this).detach();
      } catch (const std::system_error&) {
        // The process may have no more threads.
        return;
      }
    }
  }

  void Serve() {
    std::shared_ptr<Work> last;
    while (true) {
      {
        std::unique_lock<std::mutex> lock(mutex_);
        posted_.wait(lock, [&] { return work_ != last; });
        last = work_;
      }
      last->Take();
    }
  }

  std::mutex mutex_;
  std::condition_variable posted_;
  std::shared_ptr<Work> work_;
};

// Calls run(begin, end) on parts of [0, count), in this thread alone unless there is much to do.
template <typename Run>
void Parallel(int64_t count, int64_t floats_each, const Run& run) {
  constexpr int64_t kFloatsPerPart = 1 << 17;
  const int64_t parts = std::max<int64_t>(1, std::min(count * floats_each / kFloatsPerPart, count));
  if (parts == 1) return run(0, count);
  Helpers::Shared().Run(parts, [&](int64_t i) { run(i * count / parts, (i + 1) * count / parts); });
}

// How an operation gets its attribute alpha, where it has one.
inline void* ReadAlpha(TF_OpKernelConstruction* construction) {
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
void Register(const char* name, const std::vector<const char*>& inputs,
              const std::vector<const char*>& outputs, bool has_alpha = false) {
  TF_Status* status = TF_NewStatus();
  TF_OpDefinitionBuilder* definition = TF_NewOpDefinitionBuilder(name);
  for (const char* input : inputs) TF_OpDefinitionBuilderAddInput(definition, input);
  for (const char* output : outputs) TF_OpDefinitionBuilderAddOutput(definition, output);
  if (has_alpha) TF_OpDefinitionBuilderAddAttr(definition, "alpha: float");
  TF_RegisterOpDefinition(definition, status);
  TF_KernelBuilder* kernel =
      TF_NewKernelBuilder(name, "CPU", has_alpha ? ReadAlpha : nullptr, Compute<compute>,
                          [](void* alpha) { delete static_cast<float*>(alpha); });
  TF_RegisterKernelBuilder(name, kernel, status);
  TF_DeleteStatus(status);
}

}  // namespace glocal
