import { describe, expect, it } from 'vitest';
import { type ChildKind, environmentFor } from './environment.ts';

const names = (kind: ChildKind, ...given: string[]) =>
  Object.keys(environmentFor(kind, Object.fromEntries(given.map((name) => [name, 'x']))));

const KINDS: readonly ChildKind[] = ['dmd', 'training', 'trainer'];

describe.each(KINDS)('the environment of a child of kind %s', (kind) => {
  it('has what any program needs', () => {
    const needed = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'TZ', 'LD_LIBRARY_PATH', 'XDG_CACHE_HOME'];
    expect(names(kind, ...needed)).toEqual(needed);
  });

  it('has no secret of anybody', () => {
    const secrets = ['AWS_SECRET_ACCESS_KEY', 'GITHUB_TOKEN', 'NODE_AUTH_TOKEN', 'TF_TOKEN_example_org'];
    expect(names(kind, ...secrets, 'PASSWORD', 'npm_config__auth')).toEqual([]);
  });
});

describe('the environment', () => {
  it('of the DMD service has its own limits and where its spans go, and no address, TLS or token', () => {
    const kept = ['GLOCAL_DMD_LIMITS__MAX_ROWS', 'GLOCAL_DMD_LOG__LEVEL', 'OTEL_EXPORTER_OTLP_ENDPOINT'];
    const dropped = [
      ...['GLOCAL_DMD_LISTEN', 'GLOCAL_DMD_TLS__CERTIFICATE', 'GLOCAL_DMD_AUTH__TOKEN_FILE'],
      ...['GLOCAL_DMD_RETRY_SECONDS', 'GLOCAL_DMD_BINARY', 'GLOCAL_STORE', 'GLOCAL_DATA_DIR', 'https_proxy'],
    ];
    expect(names('dmd', ...kept, ...dropped)).toEqual(kept);
  });

  it('of a training process has what data sets and the native runtime read, and where its spans go', () => {
    const kept = [
      ...[
        'GLOCAL_DATA_DIR',
        'GLOCAL_CACHE_DIR',
        'https_proxy',
        'NO_PROXY',
        'grpc_proxy',
        'NODE_EXTRA_CA_CERTS',
        'NODE_COMPILE_CACHE',
      ],
      'OTEL_EXPORTER_OTLP_ENDPOINT',
      ...['OMP_NUM_THREADS', 'TF_ENABLE_ONEDNN_OPTS', 'TF_NUM_INTRAOP_THREADS', 'DNNL_VERBOSE'],
    ];
    const dropped = ['GLOCAL_STORE', 'GLOCAL_DMD_TOKEN_FILE'];
    expect(names('training', ...kept, ...dropped)).toEqual(kept);
  });

  it('of a training process has which graphics cards it may use, and how', () => {
    const kept = [
      ...['CUDA_VISIBLE_DEVICES', 'CUDA_HOME', 'NVIDIA_VISIBLE_DEVICES'],
      ...['TF_FORCE_GPU_ALLOW_GROWTH', 'TF_GPU_THREAD_MODE'],
    ];
    expect(names('training', ...kept)).toEqual(kept);
    expect(names('trainer', ...kept)).toEqual(kept);
    expect(names('dmd', ...kept)).toEqual([]);
  });

  it('of a training process that keeps checkpoints in S3 has what the AWS SDK reads, and no other secret', () => {
    const kept = ['AWS_SECRET_ACCESS_KEY', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_REGION', 'OMP_NUM_THREADS'];
    expect(names('trainingWithS3', ...kept, 'GITHUB_TOKEN', 'GLOCAL_DMD_TOKEN_FILE')).toEqual(kept);
  });

  it('of a trainer has all that its own children are to get', () => {
    const given = ['GLOCAL_STORE', 'GLOCAL_DMD_LIMITS__MAX_ROWS', 'OTEL_SERVICE_NAME', 'OMP_NUM_THREADS'];
    expect(names('trainer', ...given)).toEqual(given);
  });
});
