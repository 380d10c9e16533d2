import { setAside } from "../../compute/aside";
import { components } from "../../compute/components";
import { l2 } from "../../compute/distances";
import type { Coded } from "../../data/concepts";
import type { Left } from "../../data/left";
import type { Call } from "../source";
import { codes, floats, missingCode } from "../wire/binary";
import type { Codes, Replies, Requests, What } from "../wire/messages";
import type { Reply, Transport } from "../wire/transport";
import type { SavedReply } from "./pages";

type Asked = Readonly<Record<string, unknown>>;
type Buffers = readonly Uint8Array[];

/** The captions of an answer: which of these texts each example has. */
interface Captions {
  readonly answers: readonly { readonly values: readonly string[]; readonly dtype: string }[];
}

/** Principal components of what is left that are offered: as many as Python sends. */
const COMPONENTS = 3;

/** What a page cannot answer: it was not saved with it, and there is no kernel to ask. */
export class NeedsKernel extends Error {}

const WORDS: Partial<Record<What, string>> = {
  matrix: "The vectors of this stage were not saved with the page",
  distances: "The vectors of this stage were not saved with the page",
  clusters: "Finding clusters needs a kernel",
  concept_of: "Making a concept needs a kernel",
  find: "Adding an example needs a kernel",
  swap: "A swap needs the model, and a saved page has none",
  swap_test: "No swap test of this stage was saved with the page",
  account: "What is enough at this stage was not saved with the page",
  trace: "This trace was not saved with the page",
  lens: "Reading a stage needs the model, and a saved page has none",
};

/**
 * Answers from what was saved with a page, in place of a kernel. Distances, and what is left of a
 * stage when concepts are set aside, are worked out here.
 */
export class Recorded implements Transport {
  readonly #replies = new Map<string, SavedReply>();
  readonly #read: (place: number, signal?: AbortSignal) => Promise<Uint8Array>;

  /** @param read the bytes of the page's arrays */
  constructor(
    replies: readonly SavedReply[],
    read: (place: number, signal?: AbortSignal) => Promise<Uint8Array>,
  ) {
    this.#read = read;
    for (const reply of replies) this.#replies.set(keyOf(reply.request), reply);
  }

  async request<W extends What>(what: W, fields: Requests[W], call?: Call): Promise<Reply<W>> {
    const reply = await this.#answer(what, fields as Asked, call?.signal);
    if (call?.signal?.aborted) throw new DOMException("cancelled", "AbortError");
    return reply as Reply<W>;
  }

  async #answer(what: What, asked: Asked, signal?: AbortSignal): Promise<Reply<What>> {
    const without = (asked.without ?? []) as readonly string[];
    switch (what) {
      case "prepare":
        return { fields: {}, buffers: [] };
      case "concepts":
        return this.#concepts(asked.names as readonly string[]);
      case "captions":
        return this.#captions(asked.row as number);
      case "atlas":
        // Of all examples, also where the first ones would do for a start.
        return this.#saved({ what, kinds: asked.kinds, first: null });
      case "second_parts":
      case "swap_tests":
        // Of what the page has, whatever kinds that is.
        return this.#saved({ what });
      case "distances":
        if (this.#replies.has(keyOf({ what, ...asked }))) break;
        return this.#distances(asked as unknown as Left & { row: number }, signal);
      case "matrix":
        if (without.length > 0) return this.#left(asked as unknown as Left, signal);
        break;
      case "parts":
        if (without.length > 0) return this.#parts(asked as unknown as Left, signal);
        break;
    }
    return this.#saved({ what, ...asked }, signal);
  }

  async #saved(request: Asked, signal?: AbortSignal): Promise<Reply<What>> {
    const saved = this.#replies.get(keyOf(request));
    const what = request.what as What;
    if (!saved) {
      throw new NeedsKernel(
        `${WORDS[what] ?? "This was not saved with the page"}: open the exploration in a notebook.`,
      );
    }
    const buffers = await Promise.all(saved.buffers.map((place) => this.#read(place, signal)));
    return { fields: saved.fields as Replies[What], buffers };
  }

  async #concepts(names: readonly string[]): Promise<Reply<"concepts">> {
    const saved = [...this.#replies.values()].find(({ request }) => request.what === "concepts");
    const all = ((saved?.fields as Replies["concepts"] | undefined)?.concepts ?? []) as Codes[];
    const places = names.map((name) => all.findIndex((concept) => concept.name === name));
    const missing = names.find((_, i) => (places[i] as number) < 0);
    if (!saved || missing !== undefined) {
      throw new NeedsKernel(`The concept ${missing} was not saved with the page.`);
    }
    return {
      fields: { concepts: places.map((at) => all[at] as Codes) },
      buffers: await Promise.all(places.map((at) => this.#read(saved.buffers[at] as number))),
    };
  }

  async #captions(row: number): Promise<Reply<"captions">> {
    const { fields, buffers } = await this.#saved({ what: "captions" });
    const { answers } = fields as unknown as Captions;
    const captions = answers.map(
      ({ values, dtype }, i) => values[codes(buffers[i] as Uint8Array, dtype)[row] as number] ?? "",
    );
    return { fields: { captions }, buffers: [] };
  }

  async #distances(
    { stage, without, row }: Left & { row: number },
    signal?: AbortSignal,
  ): Promise<Reply<"distances">> {
    const { fields, buffers } = await this.#answer("matrix", { stage, without }, signal);
    const { d, columns } = fields as Replies["matrix"];
    const values = floats(buffers[0] as Uint8Array);
    const vector = values.slice(row * d, (row + 1) * d);
    return { fields: { columns }, buffers: asBytes(l2(values, d, row), vector) };
  }

  async #left({ stage, without }: Left, signal?: AbortSignal): Promise<Reply<"matrix">> {
    const [whole, concepts] = await Promise.all([
      this.#saved({ what: "matrix", stage, without: [] }, signal),
      this.#partitions(without),
    ]);
    const fields = whole.fields as Replies["matrix"];
    const values = floats(whole.buffers[0] as Uint8Array);
    return { fields, buffers: asBytes(setAside(values, fields.d, concepts)) };
  }

  async #parts(left: Left, signal?: AbortSignal): Promise<Reply<"parts">> {
    const [whole, matrix] = await Promise.all([
      this.#saved({ what: "parts", stage: left.stage, without: [] }, signal),
      this.#left(left, signal),
    ]);
    const { d } = matrix.fields;
    const values = floats(matrix.buffers[0] as Uint8Array);
    const fields = whole.fields as Replies["parts"];
    const found = fields.unexplained === null ? [] : components(values, d, COMPONENTS);
    return { fields: { ...fields, components: found }, buffers: [] };
  }

  /** The groups of concepts that are set aside; a concept has all names of those like it. */
  async #partitions(names: readonly string[]): Promise<Coded[]> {
    const { fields, buffers } = await this.#saved({ what: "partitions" });
    const { partitions } = fields as Replies["partitions"];
    return [...new Set(names)].map((name) => {
      const at = partitions.findIndex((each) => each.name === name || alike(each.name, name));
      const found = partitions[at];
      if (!found) throw new NeedsKernel(`Nothing can be set aside with ${name} here.`);
      const { values, dtype } = found;
      return {
        name,
        values,
        codes: codes(buffers[at] as Uint8Array, dtype),
        missing: missingCode(dtype),
      };
    });
  }
}

function alike(names: string, name: string): boolean {
  return names.split(" = ").includes(name.split(" = ")[0] as string);
}

function asBytes(...arrays: Float32Array[]): Buffers {
  return arrays.map(
    ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
  );
}

/** A request as one text: its fields in order of their names. */
function keyOf(request: Asked): string {
  const names = Object.keys(request).sort();
  return JSON.stringify(names.map((name) => [name, request[name]]));
}
