/**
 * Chosen examples as a short text, a bit for each, in base64: `clusterwidget/wire/chosen.py` reads
 * and writes the same.
 */
export function chosenText(examples: ArrayLike<number>): string {
  let last = -1;
  for (let i = 0; i < examples.length; i++) last = Math.max(last, examples[i] as number);
  const bytes = new Uint8Array((last >> 3) + 1);
  for (let i = 0; i < examples.length; i++) {
    const example = examples[i] as number;
    (bytes[example >> 3] as number) |= 1 << (example & 7);
  }
  if (last < 0) return "";
  let text = "";
  // So many at a time are few enough for one call.
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return btoa(text);
}

/** Whether each of n examples is chosen, 1 or 0; null where none is. */
export function chosenMask(text: string, n: number): Uint8Array | null {
  if (text === "") return null;
  const bytes = atob(text);
  const mask = new Uint8Array(n);
  for (let i = 0; i < Math.min(n, 8 * bytes.length); i++) {
    mask[i] = (bytes.charCodeAt(i >> 3) >> (i & 7)) & 1;
  }
  return mask;
}

/** The examples that a mask lets through, in order. */
export function examplesIn(mask: Uint8Array): Uint32Array {
  let count = 0;
  for (let i = 0; i < mask.length; i++) count += mask[i] as number;
  const found = new Uint32Array(count);
  for (let i = 0, at = 0; i < mask.length; i++) if (mask[i]) found[at++] = i;
  return found;
}
