/**
 * CUDA and cuDNN for TensorFlow's build with them: those of the machine, else NVIDIA's own packages for Python, fetched by the
 * user's pip, which compares their sha256. TensorFlow opens them when it looks for a GPU, and does without where there is none.
 */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { cacheFolder } from './native-runtime.ts';
import { download, extract, type Log } from './native-wheel.ts';
import { openZip } from './zip.ts';

/** What TensorFlow 2.21 opens by name; the rest these bring themselves. */
export const CUDA_LIBRARIES: readonly string[] = [
  ...['libcudart.so.12', 'libcublas.so.12', 'libcublasLt.so.12', 'libcudnn.so.9', 'libcufft.so.11'],
  ...['libcusolver.so.11', 'libcusparse.so.12', 'libcupti.so.12', 'libnccl.so.2'],
];

/** As pip's lists of requirements name them: the newest of those that TensorFlow 2.21 asks for, of libraries that it opens. */
const WHEELS = {
  megabytes: 2_766,
  requirements: [
    'nvidia-cublas-cu12==12.9.3.13 --hash=sha256:d7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72',
    'nvidia-cuda-cupti-cu12==12.8.90 --hash=sha256:ea0cb07ebda26bb9b29ba82cda34849e73c166c18162d3913575b0c9db9a6182',
    'nvidia-cuda-nvrtc-cu12==12.9.86 --hash=sha256:210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4',
    'nvidia-cuda-runtime-cu12==12.9.79 --hash=sha256:25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3',
    'nvidia-cudnn-cu12==9.28.0.42 --hash=sha256:9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375',
    'nvidia-cufft-cu12==11.4.1.4 --hash=sha256:c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28',
    'nvidia-curand-cu12==10.3.10.19 --hash=sha256:49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e',
    'nvidia-cusolver-cu12==11.7.5.82 --hash=sha256:15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88',
    'nvidia-cusparse-cu12==12.5.10.65 --hash=sha256:73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78',
    'nvidia-nccl-cu12==2.32.3 --hash=sha256:bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c',
    'nvidia-nvjitlink-cu12==12.9.86 --hash=sha256:e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9',
  ],
};

const PLATFORMS = ['manylinux_2_27_x86_64', 'manylinux_2_17_x86_64', 'manylinux2014_x86_64'];
const LIBRARY = /^nvidia\/(\w+\/lib\/[\w.-]+\.so[\w.]*)$/;
const LICENCE = /^([\w.]+-[\d.]+)\.dist-info\/(?:licenses\/)?(licen[cs]e\.txt)$/i;

/** Changes with the packages, so that older ones are not taken for them. */
const FOLDER = `nvidia-${createHash('sha256').update(WHEELS.requirements.join('\n')).digest('hex').slice(0, 16)}`;

/**
 * @returns the folder that has NVIDIA's libraries, each in `PART/lib`; undefined where the machine has them.
 * @throws NativeSetupError DOWNLOAD
 */
export async function ensureCuda(log: Log): Promise<string | undefined> {
  if (await machineHasCuda()) {
    log('taking CUDA and cuDNN of this machine');
    return undefined;
  }
  const folder = join(cacheFolder(), 'native', FOLDER);
  if (existsSync(folder)) return folder;
  await mkdir(dirname(folder), { recursive: true });
  const work = await mkdtemp(`${folder}.new-`);
  try {
    log(`downloading CUDA and cuDNN (${WHEELS.megabytes} MB, once for this user)`);
    const list = join(work, 'requirements.txt');
    await writeFile(list, `${WHEELS.requirements.join('\n')}\n`);
    const platforms = PLATFORMS.map((tag) => `--platform=${tag}`);
    await download([...platforms, '--require-hashes', '--requirement', list], {
      ...{ destination: work, what: 'CUDA and cuDNN', megabytes: WHEELS.megabytes, log },
    });
    log('unpacking CUDA and cuDNN');
    const made = join(work, 'nvidia');
    for (const name of await readdir(work)) if (name.endsWith('.whl')) await unpack(join(work, name), made);
    // Another process may have been faster, with the same files.
    await rename(made, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
    return folder;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Whether the dynamic linker finds all of them. */
async function machineHasCuda(): Promise<boolean> {
  const { stdout = '' } = await execa('ldconfig', ['-p'], {
    ...{ reject: false, env: { PATH: `${process.env.PATH}:/sbin:/usr/sbin` } },
  });
  const folders = (process.env.LD_LIBRARY_PATH ?? '').split(':').filter((folder) => folder !== '');
  return CUDA_LIBRARIES.every(
    (name) => stdout.includes(`\t${name} `) || folders.some((folder) => existsSync(join(folder, name))),
  );
}

async function unpack(wheel: string, folder: string): Promise<void> {
  const zip = await openZip(wheel);
  try {
    for await (const entry of zip.eachEntry()) {
      const library = LIBRARY.exec(entry.fileName)?.[1];
      const [, part, licence] = LICENCE.exec(entry.fileName) ?? [];
      if (library !== undefined) await extract(zip, entry, join(folder, library));
      else if (licence !== undefined) await extract(zip, entry, join(folder, `${part}-${licence}`));
    }
  } finally {
    zip.close();
  }
}
