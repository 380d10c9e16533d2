import { setAside } from "../../compute/aside";
import { components, plane } from "../../compute/components";
import { l2 } from "../../compute/distances";
import { mapped } from "../../compute/metrics";
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

/** Coordinates that a page whitens at most: more would take seconds. */
const MOST_WHITENED = 1024;

/** What a page cannot answer: it was not saved with it, and there is no kernel to ask. */
export class NeedsKernel extends Error {}

const WORDS: Partial<Record<What, string>> = {
  matrix: "The vectors of this stage were not saved with the page",
  distances: "The vectors of this stage were not saved with the page",
  parts: "What this stage is made of, by this metric, was not saved with the page",
  layout: "This map was not saved with the page",
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
 * stage when concepts are set aside, or as another metric sees it, are worked out here.
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
    const { metric = "l2" } = asked;
    const left = { metric: "l2", without: [], ...asked } as unknown as Left;
    const whole = left.without.length === 0;
    switch (what) {
      case "prepare":
        return { fields: {}, buffers: [] };
      case "concepts":
        return this.#concepts(asked.names as readonly string[]);
      case "captions":
        return this.#captions(asked.row as number);
      case "atlas":
        // Of all examples, also where the first ones would do for a start.
        return this.#byMetric({ what, kinds: asked.kinds, first: null }, metric);
      case "second_parts":
        // Of what the page has, whatever kinds that is.
        return this.#byMetric({ what }, metric);
      case "swap_tests":
        return this.#saved({ what });
      case "swap_test":
      case "account":
        // As they were made: which donors are near is the least of what they say.
        return this.#saved({ what, ...asked, metric: "l2" });
      case "distances":
        if (this.#replies.has(keyOf({ what, ...asked }))) break;
        return this.#distances(left, asked.row as number, signal);
      case "matrix":
        if (!whole || metric !== "l2") return this.#left(left, signal);
        break;
      case "layout":
        if ((!whole || metric !== "l2") && asked.method === "pca")
          return this.#layout(left, signal);
        break;
      case "parts":
        if (!whole) return this.#parts(left, signal);
        break;
    }
    return this.#saved({ what, ...asked }, signal);
  }

  /** What was saved by a metric, or else by L2: the map says which. */
  #byMetric(request: Asked, metric: unknown): Promise<Reply<What>> {
    const asked = { ...request, metric };
    return this.#saved(this.#replies.has(keyOf(asked)) ? asked : { ...request, metric: "l2" });
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

  async #distances(left: Left, row: number, signal?: AbortSignal): Promise<Reply<"distances">> {
    const { stage, without, metric } = left;
    const { fields, buffers } = await this.#answer("matrix", { stage, without, metric }, signal);
    const { d, columns, dominated } = fields as Replies["matrix"];
    const values = floats(buffers[0] as Uint8Array);
    const vector = values.slice(row * d, (row + 1) * d);
    return { fields: { columns, dominated }, buffers: asBytes(l2(values, d, row), vector) };
  }

  /** A stage as a metric sees it, and what is left there without some concepts. */
  async #left({ stage, without, metric }: Left, signal?: AbortSignal): Promise<Reply<"matrix">> {
    const [whole, concepts, hello] = await Promise.all([
      this.#saved({ what: "matrix", stage, without: [], metric: "l2" }, signal),
      this.#partitions(without),
      this.#saved({ what: "hello" }),
    ]);
    const fields = whole.fields as Replies["matrix"] & { readonly scaling?: number };
    const [matrix, factors] = whole.buffers.map((bytes) => floats(bytes));
    const { recorded } = hello.fields as Replies["hello"];
    const all = matrix as Float32Array;
    if (metric === "whitened" && fields.d > MOST_WHITENED) {
      throw new NeedsKernel(
        `Whitening ${fields.d} coordinates takes long: open the exploration in a notebook.`,
      );
    }
    const { values, d } = mapped(
      all,
      fields.d,
      metric,
      Math.min(recorded?.measured_on ?? Number.POSITIVE_INFINITY, all.length / fields.d),
      factors && fields.scaling !== undefined ? { factors, width: fields.scaling } : null,
    );
    const left = without.length > 0 ? setAside(values, d, concepts) : values;
    const columns = metric === "l2" ? fields.columns : null;
    return { fields: { d, columns, dominated: null }, buffers: asBytes(left) };
  }

  async #parts(left: Left, signal?: AbortSignal): Promise<Reply<"parts">> {
    const [whole, matrix] = await Promise.all([
      this.#saved({ ...left, what: "parts", without: [] }, signal),
      this.#left(left, signal),
    ]);
    const { d } = matrix.fields;
    const values = floats(matrix.buffers[0] as Uint8Array);
    const fields = whole.fields as Replies["parts"];
    const found = fields.unexplained === null ? [] : components(values, d, COMPONENTS);
    return { fields: { ...fields, components: found }, buffers: [] };
  }

  /** The map of what is left of a stage. */
  async #layout(left: Left, signal?: AbortSignal): Promise<Reply<"layout">> {
    const matrix = await this.#left(left, signal);
    const { points, shares } = plane(floats(matrix.buffers[0] as Uint8Array), matrix.fields.d);
    return { fields: { shares }, buffers: asBytes(points) };
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
