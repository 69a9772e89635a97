/** Encodes messages of megabytes one after another in the same memory: growing to their size costs more than writing them. */

import { BinaryWriter } from '@bufbuild/protobuf/wire';

/** Of a type of messages. */
interface Codec<Message> {
  encode(message: Message, writer?: BinaryWriter): BinaryWriter;
}

/** What a message may have for its memory to be kept. */
const MAX_KEPT_BYTES = 16 * 1024 ** 2;

export class Encoder {
  #writer = new BinaryWriter();

  /** The bytes are the caller's. */
  encode<Message>(codec: Codec<Message>, message: Message): Uint8Array<ArrayBuffer> {
    const writer = this.#writer;
    // What cannot be encoded would leave its beginning in the writer.
    this.#writer = new BinaryWriter();
    const bytes = codec.encode(message, writer).finish();
    if (bytes.length <= MAX_KEPT_BYTES) this.#writer = writer;
    return bytes;
  }
}
