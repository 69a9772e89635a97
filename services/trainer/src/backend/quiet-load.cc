// Node addon with one function, load(file): loads a shared library while standard error leads nowhere.
//
// TensorFlow's libraries write a line about oneDNN to standard error while they are loaded, before they read
// TF_CPP_MIN_LOG_LEVEL, so that nothing in JavaScript can silence it.

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <node_api.h>
#include <unistd.h>

namespace {

napi_value Load(napi_env env, napi_callback_info info) {
  napi_value argument;
  size_t count = 1;
  char file[PATH_MAX];
  if (napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr) != napi_ok || count != 1 ||
      napi_get_value_string_utf8(env, argument, file, sizeof file, nullptr) != napi_ok) {
    napi_throw_type_error(env, nullptr, "load(file) takes a path");
    return nullptr;
  }

  const int standard_error = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (standard_error >= 0 && nowhere >= 0) dup2(nowhere, STDERR_FILENO);
  void* library = dlopen(file, RTLD_LAZY | RTLD_LOCAL);
  if (standard_error >= 0) {
    dup2(standard_error, STDERR_FILENO);
    close(standard_error);
  }
  if (nowhere >= 0) close(nowhere);

  if (library == nullptr) napi_throw_error(env, nullptr, dlerror());
  return nullptr;
}

napi_value Init(napi_env env, napi_value exports) {
  napi_value load;
  if (napi_create_function(env, "load", NAPI_AUTO_LENGTH, Load, nullptr, &load) == napi_ok) {
    napi_set_named_property(env, exports, "load", load);
  }
  return exports;
}

}  // namespace

NAPI_MODULE(quiet_load, Init)
