// Softmax cross-entropy with the probabilities that its derivatives need.

#include <cmath>

#include "kernel.h"

namespace glocal {
namespace {

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
    losses.floats()[i] =
        CrossEntropy(logits.floats() + row, labels.floats() + row, classes, softmax.floats() + row);
  }
}

__attribute__((constructor)) void RegisterKernels() {
  Register<SoftmaxCrossEntropy>("GlocalSoftmaxCrossEntropy", {"logits: float", "labels: float"},
                                {"losses: float", "softmax: float"});
}

}  // namespace
}  // namespace glocal
