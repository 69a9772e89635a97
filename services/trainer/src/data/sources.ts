/** The data sets that Glocal knows: their files, the sums that tell the originals, and where they are published. */

import { fileURLToPath } from 'node:url';
import type { CifarFormat } from './cifar.ts';
import type { IdxRank } from './idx.ts';
import type { DatasetSummary } from './summary.ts';

/** One file of a set. */
export interface DataFile {
  /** Name on the set's site. It may also lie unpacked, without `.gz`. */
  readonly name: string;
  readonly rank: IdxRank;
  /** Of the decompressed bytes: the same values may be compressed in many ways. */
  readonly sha256: string;
}

/** The files of the training or the test part. */
export interface PartFiles {
  readonly images: DataFile;
  readonly labels: DataFile;
}

/** A data set of grey images in idx files. */
export interface IdxSource {
  readonly info: DatasetSummary;
  /** Training examples of each class; left out where all classes have as many. */
  readonly classSizes?: readonly number[];
  readonly train: PartFiles;
  readonly test: PartFiles;
  /** Folder that comes with the product and has the files; undefined for sets that are fetched. */
  readonly folder?: string;
  /** Folders on the set's own sites, tried in this order. What comes from there counts by its sum. */
  readonly sites: readonly string[];
}

const SMALL_GREY = { classes: 10, inputShape: [28, 28, 1] };

/** The embedded default, made by `make-embedded.ts`. */
export const fashionMnist10k: IdxSource & { readonly folder: string } = {
  info: {
    id: 'fashion-mnist-10k',
    description:
      'Fashion-MNIST in small, comes with Glocal: 1,000 training and 200 test images of each class',
    trainExamples: 10_000,
    testExamples: 2_000,
    ...SMALL_GREY,
  },
  ...files({
    trainImages: 'd33512cfdc636a0d8972818e6659995be209a88891df7fa2109d7895922c8985',
    trainLabels: '620cb8e3b9348037c5ff9a07b02d773ab165330e072dfd19e0d21c59f8042dcf',
    testImages: '15a92dd1e9b16ea361928086e77df4dfa890c255c00b5a8c8162c1040ce8eef1',
    testLabels: '234596aeb6eb48133ec99a62541f90bc0728c9559a681f1e0638037462458f2c',
  }),
  folder: fileURLToPath(new URL('../../data/fashion-mnist-10k', import.meta.url)),
  sites: [],
};

export const fashionMnist: IdxSource = {
  info: {
    id: 'fashion-mnist',
    description: 'Fashion-MNIST: grey images of articles of clothing',
    trainExamples: 60_000,
    testExamples: 10_000,
    ...SMALL_GREY,
  },
  ...files({
    trainImages: 'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
    trainLabels: 'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
    testImages: '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
    testLabels: '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
  }),
  sites: [
    'https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/',
    'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
  ],
};

export const mnist: IdxSource = {
  info: {
    id: 'mnist',
    description: 'MNIST: grey images of handwritten digits',
    trainExamples: 60_000,
    testExamples: 10_000,
    ...SMALL_GREY,
  },
  classSizes: [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
  ...files({
    trainImages: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
    trainLabels: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
    testImages: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
    testLabels: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
  }),
  sites: ['https://ossci-datasets.s3.amazonaws.com/mnist/', 'http://yann.lecun.com/exdb/mnist/'],
};

/** The names that MNIST gave its files and its relatives keep. */
function files(sums: Record<'trainImages' | 'trainLabels' | 'testImages' | 'testLabels', string>): {
  train: PartFiles;
  test: PartFiles;
} {
  return {
    train: {
      images: { name: 'train-images-idx3-ubyte.gz', rank: 3, sha256: sums.trainImages },
      labels: { name: 'train-labels-idx1-ubyte.gz', rank: 1, sha256: sums.trainLabels },
    },
    test: {
      images: { name: 't10k-images-idx3-ubyte.gz', rank: 3, sha256: sums.testImages },
      labels: { name: 't10k-labels-idx1-ubyte.gz', rank: 1, sha256: sums.testLabels },
    },
  };
}

export const allFiles = ({ train, test }: IdxSource): readonly DataFile[] =>
  [train, test].flatMap(({ images, labels }) => [images, labels]);

/** A file of CIFAR records. */
export interface RecordFile {
  readonly name: string;
  readonly md5: string;
}

/** Files of a CIFAR set, together its training or its test part. */
export interface CifarPart {
  readonly files: readonly RecordFile[];
  /** Number of records in each of them. */
  readonly records: number;
}

/** CIFAR-10 or CIFAR-100, binary version. */
export interface CifarSource {
  readonly info: DatasetSummary;
  readonly format: CifarFormat;
  readonly train: CifarPart;
  readonly test: CifarPart;
  /** What the sites have: its name, the folder in it, and its sum. */
  readonly archive: { readonly name: string; readonly folder: string; readonly md5: string };
  /** Folders on the set's own sites, tried in this order. */
  readonly sites: readonly string[];
}

const CIFAR = {
  trainExamples: 50_000,
  testExamples: 10_000,
  inputShape: [32, 32, 3],
};
const CIFAR_SITES = ['https://www.cs.toronto.edu/~kriz/'];

export const cifar10: CifarSource = {
  info: {
    id: 'cifar10',
    description: 'CIFAR-10: colour images of animals and vehicles',
    classes: 10,
    ...CIFAR,
  },
  format: { labels: [10] },
  train: {
    files: [
      { name: 'data_batch_1.bin', md5: '5dd7e06a14cb22eb9f671a540d1b7c25' },
      { name: 'data_batch_2.bin', md5: '5ea93a67294ea407fff1d09f752e9692' },
      { name: 'data_batch_3.bin', md5: '942cd6a4bcdd0dd3c604fbe906cb4421' },
      { name: 'data_batch_4.bin', md5: 'ae636b3ba5c66a11e91e8cb52e771fcb' },
      { name: 'data_batch_5.bin', md5: '53f37980c15c3d472c316c40844f3f0d' },
    ],
    records: 10_000,
  },
  test: {
    files: [{ name: 'test_batch.bin', md5: '803d5f7f4d78ea53de84dbe85f74fb6d' }],
    records: 10_000,
  },
  archive: {
    name: 'cifar-10-binary.tar.gz',
    folder: 'cifar-10-batches-bin',
    md5: 'c32a1d4ab5d03f1284b67883e8d87530',
  },
  sites: CIFAR_SITES,
};

export const cifar100: CifarSource = {
  info: {
    id: 'cifar100',
    description: 'CIFAR-100: colour images of a hundred kinds of things (the fine labels)',
    classes: 100,
    ...CIFAR,
  },
  format: { labels: [20, 100] },
  train: { files: [{ name: 'train.bin', md5: '6172c7755cfe09b2fe270c85cebc1b15' }], records: 50_000 },
  test: { files: [{ name: 'test.bin', md5: '4499cfba6c016c1be1438163640a0898' }], records: 10_000 },
  archive: {
    name: 'cifar-100-binary.tar.gz',
    folder: 'cifar-100-binary',
    md5: '03b5dce01913d631647c71ecec9e9cb8',
  },
  sites: CIFAR_SITES,
};
