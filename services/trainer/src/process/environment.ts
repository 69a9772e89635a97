/**
 * The environment of each kind of child process: what that program reads, by name, and nothing else. A setting of ours that
 * a child does not know would stop it, and a secret is nobody's business but that of the program it was given to.
 */

/** Names of variables; one that ends in `*` stands for all that begin so. */
type Names = readonly string[];

/** What any program needs to find its files, its libraries and its language. */
const SYSTEM: Names = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'TMP', 'TEMP', 'TZ', 'LANG', 'LANGUAGE', 'LC_*'],
  ...['LD_LIBRARY_PATH', 'LD_PRELOAD', 'DYLD_*', 'XDG_*'],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR'],
  ...['MALLOC_*', 'GLIBC_TUNABLES', 'LLVM_PROFILE_FILE'],
];

/** How Node runs. `NODE_*` would take a registry's token along. */
const NODE: Names = [
  ...['NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS', 'NODE_USE_SYSTEM_CA', 'NODE_USE_ENV_PROXY', 'NODE_DEBUG'],
  ...['NODE_V8_COVERAGE', 'NODE_COMPILE_CACHE', 'UV_THREADPOOL_SIZE', 'GRPC_TRACE', 'GRPC_VERBOSITY'],
];

/** How data sets, and a DMD service elsewhere, are reached where the network has a proxy. */
const PROXIES: Names = [
  ...['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'],
  ...['grpc_proxy', 'no_grpc_proxy'],
];

/** Threads, kernels and devices of the native runtime. `TF_*` would take Terraform's variables along. */
const NATIVE: Names = [
  ...['OMP_*', 'KMP_*', 'GOMP_*', 'DNNL_*', 'ONEDNN_*'],
  ...['TF_ENABLE_*', 'TF_DISABLE_*', 'TF_NUM_*', 'TF_CPP_*', 'TF_DETERMINISTIC_OPS'],
  ...['CUDA_*', 'NVIDIA_*', 'TF_GPU_*', 'TF_FORCE_GPU_ALLOW_GROWTH'],
];

/**
 * Settings of the DMD service that hold for one that the trainer starts, too. Address, TLS and tokens do not: that one is on
 * the loopback interface, for the trainer alone.
 */
const DMD_SETTINGS: Names = [
  ...['GLOCAL_DMD_CONFIG', 'GLOCAL_DMD_METRICS_LISTEN', 'GLOCAL_DMD_DRAIN_SECONDS'],
  ...['GLOCAL_DMD_LIMITS__*', 'GLOCAL_DMD_VERDICT__*', 'GLOCAL_DMD_LOG__*'],
];

/** How the AWS SDK finds its store and its credentials, secrets among them. */
const AWS: Names = ['AWS_*'];

/** It reads data sets and, for the native runtime, the cache, and sends spans. */
const TRAINING: Names = [
  ...[...SYSTEM, ...NODE, ...PROXIES, ...NATIVE],
  ...['OTEL_*', 'GLOCAL_DATA_DIR', 'GLOCAL_CACHE_DIR'],
];

const CHILDREN = {
  /** The DMD service. */
  dmd: [...SYSTEM, 'OTEL_*', 'RUST_BACKTRACE', '_RJEM_MALLOC_CONF', ...DMD_SETTINGS],
  /** The process that trains a trial. */
  training: TRAINING,
  /** One that keeps its checkpoints in an S3-compatible store. */
  trainingWithS3: [...TRAINING, ...AWS],
  /** The trainer's server, which hands on to those two what they need. */
  trainer: [
    ...[...SYSTEM, ...NODE, ...PROXIES, ...NATIVE],
    ...['OTEL_*', 'RUST_BACKTRACE', '_RJEM_MALLOC_CONF', 'GLOCAL_*', 'PGPASSWORD', 'PGPASSFILE'],
  ],
} satisfies Record<string, Names>;

/** A kind of child process. */
export type ChildKind = keyof typeof CHILDREN;

/**
 * What a child of this kind gets.
 * @param source the environment to choose from; this process's own by default.
 */
export function environmentFor(kind: ChildKind, source: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(source).filter(([name]) => isAmong(CHILDREN[kind], name)));
}

const isAmong = (names: Names, name: string): boolean =>
  names.some((known) => (known.endsWith('*') ? name.startsWith(known.slice(0, -1)) : name === known));
