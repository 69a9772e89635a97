/**
 * Runs as event files of TensorBoard: records of the TFRecord format, each a `tensorflow.Event` with the fields that scalars and texts
 * need. Of the contracts of TensorFlow these few are written by hand; a whole generated set would be for reading others' files.
 */

import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { makeFolder } from '../writing.ts';
import { crc32c } from './crc32c.ts';
import type { Run } from './run.ts';

const OUR_FILE = /^events\.out\.tfevents\.\d+\.glocal$/;

/** What it had written of the same run is replaced. @returns the folder that it wrote, one for each run */
export async function writeTensorBoard(folder: string, run: Run): Promise<string> {
  const own = join(folder, folderName(run));
  await makeFolder(own);
  const seconds = Math.floor(run.startTime / 1000);
  const file = `events.out.tfevents.${seconds}.glocal`;
  await writeFile(join(own, file), eventFile(run));
  // A trial that had not begun had another time: what was exported then would be shown beside this.
  const older = (await readdir(own)).filter((name) => OUR_FILE.test(name) && name !== file);
  await Promise.all(older.map((name) => rm(join(own, name), { force: true })));
  return own;
}

/** A name that file systems take, and that says which trial it is. */
export function folderName({ name, trial }: Pick<Run, 'name' | 'trial'>): string {
  const readable = name.replace(/[^\w.,=+-]+/g, '_').slice(0, 80);
  const [, study = '', position = ''] = /^studies\/(.+)\/trials\/(.+)$/.exec(trial) ?? [];
  // A study without a name for people is called by its own.
  return name.startsWith(study) ? `${study}_${position}` : `${readable}_${study.slice(-6)}_${position}`;
}

/** The bytes of one event file. */
export function eventFile({ parameters, figures, startTime }: Run): Uint8Array {
  const records = [record(versionEvent(startTime))];
  const table = Object.entries(parameters).map(([name, value]) => `| ${name} | ${value} |`);
  const text = ['| parameter | value |', '| --- | --- |', ...table].join('\n');
  records.push(record(textEvent(startTime, 'specification', text)));
  const points = [...figures].flatMap(([tag, course]) => course.map((point) => ({ tag, ...point })));
  points.sort((a, b) => a.step - b.step);
  for (const { tag, step, value, time } of points) records.push(record(scalarEvent(time, step, tag, value)));
  return Buffer.concat(records);
}

/** Length, its sum, the message, and its sum: all little-endian. */
function record(message: Uint8Array): Uint8Array {
  const head = Buffer.alloc(12);
  head.writeBigUInt64LE(BigInt(message.length));
  head.writeUInt32LE(masked(head.subarray(0, 8)), 8);
  const tail = Buffer.alloc(4);
  tail.writeUInt32LE(masked(message));
  return Buffer.concat([head, message, tail]);
}

/** Sums of data that has sums in it are masked, as the format says. */
function masked(bytes: Uint8Array): number {
  const sum = crc32c(bytes);
  return (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0;
}

/** `Event { double wall_time = 1; int64 step = 2; oneof { string file_version = 3; Summary summary = 5; } }` */
function event(time: number, step: number): BinaryWriter {
  const writer = new BinaryWriter().tag(1, WireType.Bit64).double(time / 1000);
  return step === 0 ? writer : writer.tag(2, WireType.Varint).int64(step);
}

const versionEvent = (time: number): Uint8Array =>
  event(time, 0).tag(3, WireType.LengthDelimited).string('brain.Event:2').finish();

/** `Summary { repeated Value value = 1; }`, `Value { string tag = 1; float simple_value = 2; TensorProto tensor = 8; SummaryMetadata metadata = 9; }` */
const scalarEvent = (time: number, step: number, tag: string, value: number): Uint8Array =>
  event(time, step)
    .tag(5, WireType.LengthDelimited)
    .fork()
    .tag(1, WireType.LengthDelimited)
    .fork()
    .tag(1, WireType.LengthDelimited)
    .string(tag)
    .tag(2, WireType.Bit32)
    .float(value)
    .join()
    .join()
    .finish();

const DT_STRING = 7;

/** A text is a tensor of strings that the plug-in `text` shows. */
const textEvent = (time: number, tag: string, text: string): Uint8Array =>
  event(time, 0)
    .tag(5, WireType.LengthDelimited)
    .fork()
    .tag(1, WireType.LengthDelimited)
    .fork()
    .tag(1, WireType.LengthDelimited)
    .string(`${tag}/text_summary`)
    // TensorProto { DataType dtype = 1; TensorShapeProto tensor_shape = 2; repeated bytes string_val = 8; }
    .tag(8, WireType.LengthDelimited)
    .fork()
    .tag(1, WireType.Varint)
    .int32(DT_STRING)
    .tag(2, WireType.LengthDelimited)
    .fork()
    .tag(2, WireType.LengthDelimited)
    .fork()
    .tag(1, WireType.Varint)
    .int64(1)
    .join()
    .join()
    .tag(8, WireType.LengthDelimited)
    .string(text)
    .join()
    // SummaryMetadata { PluginData plugin_data = 1; }, PluginData { string plugin_name = 1; }
    .tag(9, WireType.LengthDelimited)
    .fork()
    .tag(1, WireType.LengthDelimited)
    .fork()
    .tag(1, WireType.LengthDelimited)
    .string('text')
    .join()
    .join()
    .join()
    .join()
    .finish();
