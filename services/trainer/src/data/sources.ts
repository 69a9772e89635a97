/** The idx data sets: their files, the sums that tell the originals, and where they are published. */

import { fileURLToPath } from 'node:url';
import type { DatasetInfo } from '@glocal/proto/glocal/v1/study_service';
import type { IdxRank } from './idx.ts';

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
  readonly info: DatasetInfo;
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
