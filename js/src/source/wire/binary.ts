export type Codes = Uint8Array | Uint16Array | Uint32Array;

const SIZES: Readonly<Record<string, number>> = { uint8: 1, uint16: 2, uint32: 4 };

/** The bytes at an offset that numbers of `size` bytes can be read from; copied only if they must be. */
function aligned(bytes: Uint8Array, size: number): Uint8Array {
  return bytes.byteOffset % size === 0 ? bytes : bytes.slice();
}

export function floats(bytes: Uint8Array): Float32Array {
  const { buffer, byteOffset, byteLength } = aligned(bytes, 4);
  return new Float32Array(buffer, byteOffset, byteLength / 4);
}

/** Whole numbers of a dtype as numpy names it: uint8, uint16 or uint32. */
export function codes(bytes: Uint8Array, dtype: string): Codes {
  const size = SIZES[dtype];
  if (size === undefined) throw new Error(`expected uint8, uint16 or uint32, not ${dtype}`);
  const { buffer, byteOffset, byteLength } = aligned(bytes, size);
  if (size === 1) return new Uint8Array(buffer, byteOffset, byteLength);
  if (size === 2) return new Uint16Array(buffer, byteOffset, byteLength / 2);
  return new Uint32Array(buffer, byteOffset, byteLength / 4);
}

/** The code that stands for "no value": the largest of the dtype. */
export function missingCode(dtype: string): number {
  return 2 ** (8 * (SIZES[dtype] ?? 4)) - 1;
}
