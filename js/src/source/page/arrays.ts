/** How the page's list describes a packed array: `clusterwidget/publish/page/packing.py`. */
export interface Listed {
  /** Bytes, packed and as they were. */
  readonly packed: number;
  readonly raw: number;
  readonly crc: number;
  /** Bytes of a number, which were sorted by their place in it. */
  readonly size: number;
  /** Whether the numbers are float16. */
  readonly half: boolean;
  /** Where it lies, if not in the page. */
  readonly file: string | null;
}

/** The page, or one of its files, is not as it was written. */
export class Damaged extends Error {}

/** The bytes of a base64 text. */
export function bytesOfText(text: string): Uint8Array<ArrayBuffer> {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

/**
 * Unpacks gzip whose length and checksum are known.
 * @throws {Damaged} where either is another, and where it is no whole gzip
 */
export async function unpacked(
  packed: Uint8Array<ArrayBuffer>,
  { raw, crc }: Pick<Listed, "raw" | "crc">,
): Promise<Uint8Array<ArrayBuffer>> {
  // It ends with the checksum and the length of what is in it; the browser checks it by them.
  const end = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const at = packed.byteLength - 8;
  if (at < 0 || end.getUint32(at, true) !== crc || end.getUint32(at + 4, true) !== raw >>> 0) {
    throw new Damaged("another checksum");
  }
  try {
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch (error) {
    throw new Damaged("no whole gzip", { cause: error });
  }
}

/** Puts the bytes of numbers together again that were sorted by their place in the number. */
export function inOrder(bytes: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
  if (size === 1) return bytes;
  const count = bytes.length / size;
  const ordered = new Uint8Array(bytes.length);
  for (let place = 0; place < size; place++) {
    for (let i = 0, to = place, from = place * count; i < count; i++, to += size, from++) {
      ordered[to] = bytes[from] as number;
    }
  }
  return ordered;
}

/** float16 numbers as float32 ones. */
export function widened(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
  const wide = new Float32Array(halves.length);
  const table = allHalves();
  for (let i = 0; i < halves.length; i++) wide[i] = table[halves[i] as number] as number;
  return new Uint8Array(wide.buffer);
}

let halves: Float32Array | null = null;

/** Each float16 there is, by its bits. */
function allHalves(): Float32Array {
  halves ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
  return halves;
}
