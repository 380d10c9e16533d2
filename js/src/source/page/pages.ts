import { bytesOfText, Damaged, inOrder, type Listed, unpacked, widened } from "./arrays";

/** A reply that was saved with the page. */
export interface SavedReply {
  readonly request: Readonly<Record<string, unknown>> & { readonly what: string };
  readonly fields: unknown;
  /** Places of its arrays in the list of arrays. */
  readonly buffers: readonly number[];
}

/** What the page is made of: `clusterwidget/publish/page/document.py` writes it. */
export interface PageContents<T> {
  readonly format: number;
  readonly traits: T;
  readonly replies: readonly SavedReply[];
  readonly arrays: readonly Listed[];
}

const FORMAT = 1;
/** What is read when it is looked at. */
const LATER = ["matrix", "layout"];

export const DAMAGED =
  "This page is not whole: it was cut or changed on its way. Get it again from where it comes from.";

/** Reads what a document that is a page holds; nothing of it where it is not whole. */
export class Page<T> {
  readonly contents: PageContents<T>;
  readonly #blocks: readonly Element[];
  /** Which block each array is, -1 for a file. */
  readonly #blockOf: readonly number[];
  /** What all of the figure needs; what belongs to one stage is read when it is looked at. */
  readonly #held = new Map<number, Uint8Array>();

  private constructor(contents: PageContents<T>, blocks: readonly Element[]) {
    this.contents = contents;
    this.#blocks = blocks;
    let block = 0;
    this.#blockOf = contents.arrays.map(({ file }) => (file === null ? block++ : -1));
  }

  /** @throws {Damaged} where the document is not as it was written */
  static async read<T>(from: Document): Promise<Page<T>> {
    const list = from.getElementById("contents");
    const { raw, crc } = list?.dataset ?? {};
    if (!list || raw === undefined || crc === undefined) throw new Damaged(DAMAGED);
    const contents = await whole(async () => {
      const bytes = await unpacked(bytesOfText(list.textContent ?? ""), {
        raw: Number(raw),
        crc: Number(crc),
      });
      return JSON.parse(new TextDecoder().decode(bytes)) as PageContents<T>;
    }, DAMAGED);
    const blocks = [...from.querySelectorAll("script.array")];
    const here = contents.arrays.filter(({ file }) => file === null);
    const fits =
      contents.format === FORMAT &&
      blocks.length === here.length &&
      here.every(({ packed }, i) => lengthOf(blocks[i]) === packed);
    if (!fits) throw new Damaged(DAMAGED);
    const page = new Page(contents, blocks);
    // Before anything is shown: a picture is whole, or there is none.
    const needed = contents.replies.filter(({ request }) => !LATER.includes(request.what));
    await Promise.all(
      [...new Set(needed.flatMap(({ buffers }) => buffers))].map(async (place) => {
        page.#held.set(place, await page.array(place));
      }),
    );
    return page;
  }

  /**
   * The bytes of one of the page's arrays.
   * @throws {Damaged} where they are not those that were written
   */
  async array(place: number, signal?: AbortSignal): Promise<Uint8Array> {
    const held = this.#held.get(place);
    if (held) return held;
    const { arrays } = this.contents;
    const listed = arrays[place];
    if (!listed) throw new Damaged(DAMAGED);
    const { file, size, half } = listed;
    if (file !== null) {
      const packed = await fetched(file, signal);
      return whole(
        () => read(packed, listed),
        `The file ${file} is not the one that this page was written with. Copy the whole folder again.`,
      );
    }
    const text = this.#blocks[this.#blockOf[place] ?? -1]?.textContent ?? "";
    return whole(() => read(bytesOfText(text), listed), DAMAGED);

    async function read(packed: Uint8Array<ArrayBuffer>, as: Listed): Promise<Uint8Array> {
      if (packed.length !== as.packed) throw new Damaged("another length");
      const bytes = inOrder(await unpacked(packed, as), size);
      return half ? widened(bytes) : bytes;
    }
  }
}

/** What `work` makes, or one error in words for whatever is wrong with what it reads. */
async function whole<R>(work: () => Promise<R>, otherwise: string): Promise<R> {
  try {
    return await work();
  } catch (error) {
    throw new Damaged(otherwise, { cause: error });
  }
}

/** The number of bytes that a base64 text stands for. */
function lengthOf(block: Element | undefined): number {
  const text = block?.textContent ?? "";
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return (text.length / 4) * 3 - padding;
}

async function fetched(file: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  let response: Response;
  try {
    response = await fetch(file, { signal: signal ?? null });
  } catch (error) {
    if (signal?.aborted) throw error;
    const way =
      location.protocol === "file:"
        ? "A page in a folder is read over a server: run `python -m http.server` in the folder, or export one file."
        : "Check the connection, and try again.";
    throw new Error(`The file ${file} could not be read. ${way}`, { cause: error });
  }
  if (!response.ok) {
    throw new Error(
      `The file ${file} is not there (${response.status}). Copy the whole folder again.`,
    );
  }
  return new Uint8Array(await response.arrayBuffer());
}
