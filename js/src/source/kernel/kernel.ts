import type { Atlas } from "../../data/atlas";
import { CLUSTER, type Clusters, type Coded, type Partition } from "../../data/concepts";
import type { Contents, Labels, StageRow, Tokens } from "../../data/contents";
import type { Lens } from "../../data/lens";
import type { Distances, Matrix } from "../../data/matrix";
import type { Swap } from "../../data/swap";
import type { SwapTest, Tested } from "../../data/swaptest";
import type { Trace } from "../../data/trace";
import type { Call, Found, Source } from "../source";
import { codes, floats, missingCode } from "./binary";
import { BoundedCache } from "./cache";
import { Channel, type Fields, type MessagePort, type Reply } from "./channel";

function buffer(reply: Reply, index: number): Uint8Array {
  const bytes = reply.buffers[index];
  if (!bytes) throw new Error("The kernel's answer came without its data. Run the cell again.");
  return bytes;
}

interface Described {
  readonly name: string;
  readonly values: readonly string[];
  readonly dtype: string;
}

/** A concept whose codes are one of a reply's buffers. */
function coded({ name, values, dtype }: Described, reply: Reply, index: number): Coded {
  return { name, values, codes: codes(buffer(reply, index), dtype), missing: missingCode(dtype) };
}

function columnsOf(fields: Fields): readonly string[] | null {
  return (fields.columns as readonly string[] | null | undefined) ?? null;
}

/** What a reply leaves out where a stage can be neither swapped nor tested. */
const NO_SWAP = { answers: [], unusual: null } as const;
const NO_TEST = { answers: [], conditions: [], sentence: "" } as const;

/** Examples and stage matrices from the Python kernel, over a widget's own messages. */
export class KernelSource implements Source {
  readonly #channel: Channel;
  readonly #matrices: BoundedCache<Matrix>;

  /**
   * @param cacheBytes bound of the stage matrices kept in the page
   * @param changed called when the examples or the model behind the widget are others
   * @param signal ends it: listeners go, open requests are cancelled
   */
  constructor(port: MessagePort, cacheBytes: number, changed: () => void, signal: AbortSignal) {
    this.#matrices = new BoundedCache(cacheBytes);
    this.#channel = new Channel(port, changed, signal);
  }

  async contents(call?: Call): Promise<Contents> {
    const { fields } = await this.#channel.request("hello", {}, call);
    const positions = fields.positions as string[];
    const rows = fields.rows as (Omit<StageRow, "widths"> & { d: number | number[] })[];
    return {
      n: fields.n as number,
      positions,
      rows: rows.map(({ kind, layer, head, d }) => ({
        kind,
        layer,
        head,
        widths: typeof d === "number" ? positions.map(() => d) : d,
      })),
      defaultKinds: fields.default_kinds as string[],
      concepts: fields.concepts as string[],
      axes: fields.axes as Contents["axes"],
      answers: fields.answers as Contents["answers"],
      canParse: fields.can_parse as boolean,
      hasModel: fields.has_model as boolean,
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
    const { shape, dtype, vocabulary } = reply.fields;
    return {
      ids: codes(buffer(reply, 0), dtype as string),
      positions: (shape as number[])[1] ?? 0,
      vocabulary: vocabulary as Record<string, string>,
      answers: reply.buffers.slice(1).map((answer) => codes(answer, dtype as string)),
    };
  }

  async concepts(names: readonly string[], call?: Call): Promise<Coded[]> {
    const reply = await this.#channel.request("concepts", { names }, call);
    return (reply.fields.concepts as Described[]).map((concept, i) => coded(concept, reply, i));
  }

  held(stage: string): Matrix | undefined {
    return this.#matrices.get(stage);
  }

  async matrix(stage: string, call?: Call): Promise<Matrix> {
    const held = this.held(stage);
    if (held) return held;
    const reply = await this.#channel.request("matrix", { stage }, call);
    const values = floats(buffer(reply, 0));
    const d = (reply.fields.shape as number[])[1] ?? 0;
    const matrix = { stage, values, d, columns: columnsOf(reply.fields) };
    this.#matrices.set(stage, matrix, values.byteLength);
    return matrix;
  }

  async distances(stage: string, row: number, k: number, call?: Call): Promise<Distances> {
    const reply = await this.#channel.request("distances", { stage, row, k }, call);
    return {
      stage,
      row,
      values: floats(buffer(reply, 0)),
      vector: floats(buffer(reply, 1)),
      columns: columnsOf(reply.fields),
    };
  }

  async find(text: string, call?: Call): Promise<Found> {
    const { fields } = await this.#channel.request("find", { text }, call);
    return { index: fields.index as number, added: fields.added as boolean };
  }

  async prepare(call?: Call): Promise<void> {
    await this.#channel.request("prepare", {}, call);
  }

  async partitions(call?: Call): Promise<Partition[]> {
    const reply = await this.#channel.request("partitions", {}, call);
    const described = reply.fields.partitions as (Described & { family: string | null })[];
    return described.map((partition, i) => ({
      ...coded(partition, reply, i),
      family: partition.family,
    }));
  }

  async atlas(kinds: readonly string[], call?: Call): Promise<Atlas> {
    const reply = await this.#channel.request("atlas", { kinds }, call);
    const { stages, concepts, families, best, pairs, axes, notes } = reply.fields;
    return {
      stages: new Map((stages as string[]).map((stage, i) => [stage, i])),
      concepts: concepts as string[],
      families: families as (string | null)[],
      best: best as number[],
      shares: floats(buffer(reply, 0)),
      pairs: pairs as [string, string][],
      axes: axes as number[],
      notes: notes as string[],
    };
  }

  async lens(stage: string, row: number, k: number, call?: Call): Promise<Lens> {
    const { fields } = await this.#channel.request("lens", { stage, row, k }, call);
    return { ...(fields as unknown as Lens), stage, row };
  }

  async clusters(stage: string, call?: Call): Promise<Clusters> {
    const reply = await this.#channel.request("clusters", { stage, n: null }, call);
    const { names, dtype } = reply.fields as { names: string[]; dtype: string };
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
    return { ...NO_SWAP, ...(fields as unknown as Swap), ...asked };
  }

  async swapTest(stage: string, call?: Call): Promise<SwapTest> {
    const { fields } = await this.#channel.request("certificate", { stage }, call);
    return { ...NO_TEST, ...(fields as unknown as SwapTest), stage };
  }

  async swapTests(call?: Call): Promise<ReadonlyMap<string, Tested>> {
    const { fields } = await this.#channel.request("certificates", {}, call);
    return new Map(Object.entries(fields.certificates as Record<string, Tested>));
  }

  async captions(row: number, call?: Call): Promise<readonly string[]> {
    const { fields } = await this.#channel.request("captions", { row }, call);
    return fields.captions as string[];
  }

  async trace(row: number, answer: string, call?: Call): Promise<Trace> {
    const { fields } = await this.#channel.request("trace", { row, answer }, call);
    const keptProbability = fields.kept_probability as number;
    return { ...(fields as unknown as Trace), keptProbability, row, answer };
  }

  forget(): void {
    this.#matrices.clear();
  }
}
