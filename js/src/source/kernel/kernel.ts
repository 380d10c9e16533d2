import type { Atlas, Hue } from "../../data/atlas";
import { CLUSTER, type Clusters, type Coded, type Partitions } from "../../data/concepts";
import type { Contents, Labels, Tokens } from "../../data/contents";
import type { Lens } from "../../data/lens";
import type { Distances, Matrix } from "../../data/matrix";
import type { Swap } from "../../data/swap";
import type { KnownTests, SwapTest } from "../../data/swaptest";
import type { Trace } from "../../data/trace";
import type { Call, Found, Source } from "../source";
import { codes, floats, missingCode } from "./binary";
import { BoundedCache } from "./cache";
import { Channel, type Heard, type MessagePort, type Reply } from "./channel";
import type { Codes, What } from "./messages";

function buffer({ buffers }: { buffers: readonly Uint8Array[] }, index: number): Uint8Array {
  const bytes = buffers[index];
  if (!bytes) throw new Error("The kernel's answer came without its data. Run the cell again.");
  return bytes;
}

/** A concept whose codes are one of a reply's buffers. */
function coded({ name, values, dtype }: Codes, reply: Reply<What>, index: number): Coded {
  return { name, values, codes: codes(buffer(reply, index), dtype), missing: missingCode(dtype) };
}

/** What a reply leaves out where a stage can be neither read nor swapped, tested nor traced. */
const NO_LENS = { kind: "probability", tokens: [], answer: null, same: 0, of: 0 } as const;
const NO_SWAP = { answers: [], unusual: null } as const;
const NO_TEST = {
  verdict: "irrelevant",
  sentence: "",
  answer: "",
  conditions: [],
  answers: [],
} as const;
const NO_TRACE = {
  text: "",
  probability: 0,
  keptProbability: 0,
  unusual: null,
  nodes: [],
  edges: [],
} as const;

/** Examples and stage matrices from the Python kernel, over a widget's own messages. */
export class KernelSource implements Source {
  readonly #channel: Channel;
  readonly #matrices: BoundedCache<Matrix>;

  /**
   * @param cacheBytes bound of the stage matrices kept in the page
   * @param heard told when the examples are others, and of the kernel's end
   * @param signal ends it: listeners go, open requests are cancelled
   */
  constructor(port: MessagePort, cacheBytes: number, heard: Heard, signal: AbortSignal) {
    this.#matrices = new BoundedCache(cacheBytes);
    this.#channel = new Channel(port, heard, signal);
  }

  async contents(call?: Call): Promise<Contents> {
    const { fields } = await this.#channel.request("hello", {}, call);
    return {
      n: fields.n,
      positions: fields.positions,
      rows: fields.rows,
      defaultKinds: fields.default_kinds,
      concepts: fields.concepts,
      axes: fields.axes,
      answers: fields.answers,
      canParse: fields.can_parse,
      hasModel: fields.has_model,
    };
  }

  async labels(call?: Call): Promise<Labels> {
    const reply = await this.#channel.request("labels", {}, call);
    const text = buffer(reply, 0);
    const offsets = codes(buffer(reply, 1), "uint32");
    const decoder = new TextDecoder();
    return {
      length: offsets.length - 1,
      at: (example) =>
        example + 1 < offsets.length
          ? decoder.decode(text.subarray(offsets[example], offsets[example + 1]))
          : "",
    };
  }

  async tokens(call?: Call): Promise<Tokens> {
    const reply = await this.#channel.request("tokens", {}, call);
    const { positions, dtype, vocabulary } = reply.fields;
    return {
      ids: codes(buffer(reply, 0), dtype),
      positions,
      vocabulary,
      answers: reply.buffers.slice(1).map((answer) => codes(answer, dtype)),
    };
  }

  async concepts(names: readonly string[], call?: Call): Promise<Coded[]> {
    const reply = await this.#channel.request("concepts", { names }, call);
    return reply.fields.concepts.map((concept, i) => coded(concept, reply, i));
  }

  held(stage: string): Matrix | undefined {
    return this.#matrices.get(stage);
  }

  async matrix(stage: string, call?: Call): Promise<Matrix> {
    const held = this.held(stage);
    if (held) return held;
    const reply = await this.#channel.request("matrix", { stage }, call);
    const values = floats(buffer(reply, 0));
    const { d, columns } = reply.fields;
    const matrix = { stage, values, d, columns };
    this.#matrices.set(stage, matrix, values.byteLength);
    return matrix;
  }

  async distances(stage: string, row: number, call?: Call): Promise<Distances> {
    const reply = await this.#channel.request("distances", { stage, row }, call);
    return {
      stage,
      row,
      values: floats(buffer(reply, 0)),
      vector: floats(buffer(reply, 1)),
      columns: reply.fields.columns,
    };
  }

  async find(text: string, call?: Call): Promise<Found> {
    const { fields } = await this.#channel.request("find", { text }, call);
    return { index: fields.index, added: fields.added };
  }

  async prepare(call?: Call): Promise<void> {
    await this.#channel.request("prepare", {}, call);
  }

  async partitions(call?: Call): Promise<Partitions> {
    const reply = await this.#channel.request("partitions", {}, call);
    const { partitions, wide, nested, nearly_as_strong, significant } = reply.fields;
    return {
      all: partitions.map((partition, i) => coded(partition, reply, i)),
      wide,
      nested,
      nearlyAsStrong: nearly_as_strong,
      significant,
    };
  }

  async atlas(kinds: readonly string[], first: number | null, call?: Call): Promise<Atlas> {
    const reply = await this.#channel.request("atlas", { kinds, first }, call);
    const { stages, concepts, hues, hue_of, best, pairs, axes, notes } = reply.fields;
    return {
      stages: new Map(stages.map((stage, i) => [stage, i])),
      concepts,
      hues: hue_of.map((index) => hues[index] as Hue),
      best,
      shares: floats(buffer(reply, 0)),
      pairs,
      axes,
      notes,
    };
  }

  async lens(stage: string, row: number, k: number, call?: Call): Promise<Lens> {
    const { fields } = await this.#channel.request("lens", { stage, row, k }, call);
    if (!fields.available) {
      return { ...NO_LENS, stage, row, available: false, reason: fields.reason };
    }
    const { kind, tokens, answer, same, of } = fields;
    return { stage, row, available: true, reason: "", kind, tokens, answer, same, of };
  }

  async clusters(stage: string, call?: Call): Promise<Clusters> {
    const reply = await this.#channel.request("clusters", { stage }, call);
    const { names, dtype } = reply.fields;
    return { stage, ...coded({ name: CLUSTER, values: names, dtype }, reply, 0) };
  }

  async swap(
    stage: string,
    receiver: number,
    donor: number,
    free: boolean,
    call?: Call,
  ): Promise<Swap> {
    const asked = { stage, receiver, donor, free };
    const { fields } = await this.#channel.request("swap", asked, call);
    if (!fields.possible) {
      return { ...asked, ...NO_SWAP, possible: false, reason: fields.reason };
    }
    const { answers, unusual } = fields;
    return { ...asked, possible: true, reason: "", answers, unusual };
  }

  async swapTest(stage: string, call?: Call): Promise<SwapTest> {
    const { fields } = await this.#channel.request("swap_test", { stage }, call);
    if (!fields.possible) return { stage, ...NO_TEST, possible: false, reason: fields.reason };
    const { verdict, sentence, answer, conditions, answers } = fields;
    return { stage, possible: true, reason: "", verdict, sentence, answer, conditions, answers };
  }

  async swapTests(kinds: readonly string[], call?: Call): Promise<KnownTests> {
    const { fields } = await this.#channel.request("swap_tests", { kinds }, call);
    return { known: new Map(Object.entries(fields.known)), stages: fields.stages };
  }

  async captions(row: number, call?: Call): Promise<readonly string[]> {
    const { fields } = await this.#channel.request("captions", { row }, call);
    return fields.captions;
  }

  async trace(row: number, answer: string, call?: Call): Promise<Trace> {
    const { fields } = await this.#channel.request("trace", { row, answer }, call);
    if (!fields.possible) {
      return { row, answer, ...NO_TRACE, possible: false, reason: fields.reason };
    }
    const { text, probability, kept_probability, unusual, nodes, edges } = fields;
    return {
      row,
      answer,
      possible: true,
      reason: "",
      text,
      probability,
      keptProbability: kept_probability,
      unusual,
      nodes,
      edges,
    };
  }

  forget(): void {
    this.#matrices.clear();
  }
}
