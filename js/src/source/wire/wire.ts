import { setAside } from "../../compute/aside";
import type { Atlas, Hue } from "../../data/atlas";
import { CLUSTER, type Clusters, type Coded, type Partitions } from "../../data/concepts";
import { type Contents, type Labels, type Tokens, traceKey } from "../../data/contents";
import type { Layout, LayoutMethod } from "../../data/layout";
import { type Left, leftKey } from "../../data/left";
import type { Lens } from "../../data/lens";
import type { Distances, Matrix } from "../../data/matrix";
import type { Metric } from "../../data/metric";
import type { SecondPart, StageParts } from "../../data/parts";
import type { Swap } from "../../data/swap";
import type { KnownTests, SwapTest } from "../../data/swaptest";
import type { SharedTexts } from "../../data/texts";
import type { Trace } from "../../data/trace";
import type { Call, Found, Source } from "../source";
import { codes, floats, missingCode } from "./binary";
import { BoundedCache } from "./cache";
import type { Codes, SwapTestReply, What } from "./messages";
import type { Reply, Transport } from "./transport";

function buffer({ buffers }: { buffers: readonly Uint8Array[] }, index: number): Uint8Array {
  const bytes = buffers[index];
  if (!bytes)
    throw new Error("An answer came without its data. Run the cell again, or load the page again.");
  return bytes;
}

/** A concept whose codes are one of a reply's buffers. */
function coded({ name, values, dtype }: Codes, reply: Reply<What>, index: number): Coded {
  return { name, values, codes: codes(buffer(reply, index), dtype), missing: missingCode(dtype) };
}

/** Whether a name is one of those of a concept: concepts that group alike have one partition. */
function named(names: string, name: string): boolean {
  return names === name || names.split(" = ").includes(name);
}

/** What a reply leaves out where a stage can be neither read nor swapped, tested nor traced. */
const NO_LENS = { kind: "probability", tokens: [], answer: null, same: 0, of: 0 } as const;
const NO_SWAP = { answers: [], unusual: null } as const;
const NO_TEST = {
  verdict: "irrelevant",
  sets: null,
  mean: false,
  sentence: "",
  pairs: 0,
  more: null,
  outcome: "",
  closed: false,
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

function tested(
  stage: string,
  { verdict, sets, mean, sentence, answer, pairs, more, conditions, answers }: SwapTestReply,
  outcome: string,
  closed: boolean,
): SwapTest {
  const said = { verdict, sets, mean, sentence, pairs, more, outcome, closed };
  return { stage, possible: true, reason: "", ...said, answer, conditions, answers };
}

/** Of the layouts that are kept: those of eight million examples, or of many stages with fewer. */
const LAYOUT_BYTES = 64 << 20;

/** Examples and stage matrices as Python sends them, whatever carries its replies here. */
export class WireSource implements Source {
  readonly #transport: Transport;
  readonly #matrices: BoundedCache<Matrix>;
  readonly #layouts: BoundedCache<Layout>;
  #partitions: Partitions | null = null;

  /** @param cacheBytes bound of the stage matrices kept in the page */
  constructor(transport: Transport, cacheBytes: number) {
    this.#transport = transport;
    this.#matrices = new BoundedCache(cacheBytes);
    this.#layouts = new BoundedCache(LAYOUT_BYTES);
  }

  async contents(call?: Call): Promise<Contents> {
    const { fields } = await this.#transport.request("hello", {}, call);
    return {
      n: fields.n,
      positions: fields.positions,
      rows: fields.rows,
      defaultKinds: fields.default_kinds,
      hasTexts: fields.has_texts,
      concepts: fields.concepts,
      descriptions: new Map(Object.entries(fields.descriptions)),
      layouts: fields.layouts,
      axes: fields.axes,
      answers: fields.answers,
      canParse: fields.can_parse,
      hasModel: fields.has_model,
      saved: fields.recorded && {
        stages: new Set(fields.recorded.stages),
        clusters: new Set(fields.recorded.clusters),
        traces: new Set(fields.recorded.traces.map((trace) => traceKey(...trace))),
      },
    };
  }

  async labels(call?: Call): Promise<Labels> {
    const reply = await this.#transport.request("labels", {}, call);
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
    const reply = await this.#transport.request("tokens", {}, call);
    const { positions, dtype, vocabulary, answers } = reply.fields;
    const fed = answers + 1;
    return {
      ids: codes(buffer(reply, 0), dtype),
      positions,
      vocabulary,
      answers: reply.buffers.slice(1, fed).map((answer) => codes(answer, dtype)),
      fed:
        reply.buffers.length === fed
          ? null
          : {
              ids: codes(buffer(reply, fed), dtype),
              starts: codes(buffer(reply, fed + 1), "uint32"),
              texts: codes(buffer(reply, fed + 2), "uint32"),
              columns: codes(buffer(reply, fed + 3), "uint32"),
            },
    };
  }

  async concepts(names: readonly string[], call?: Call): Promise<Coded[]> {
    const reply = await this.#transport.request("concepts", { names }, call);
    return reply.fields.concepts.map((concept, i) => coded(concept, reply, i));
  }

  held(left: Left): Matrix | undefined {
    return this.#matrices.get(leftKey(left)) ?? this.#leftOfHeld(left);
  }

  /** What is left of a stage whose whole matrix is here: a press is drawn without a question. */
  #leftOfHeld(left: Left): Matrix | undefined {
    const { without } = left;
    if (without.length === 0) return undefined;
    const whole = this.#matrices.get(leftKey({ ...left, without: [] }));
    const concepts = without.map((name) =>
      this.#partitions?.all.find((concept) => named(concept.name, name)),
    );
    if (!whole || !concepts.every((concept) => concept !== undefined)) return undefined;
    const { values, d, columns } = whole;
    const groups = concepts.reduce((sum, concept) => sum + concept.values.length, 0);
    // Nothing would be left: Python says so, and what to do.
    if (groups * d >= values.length) return undefined;
    const rest = setAside(values, d, [...new Set(concepts)]);
    const found = { values: rest, d, columns, dominated: null };
    this.#matrices.set(leftKey(left), found, rest.byteLength);
    return found;
  }

  async matrix(left: Left, call?: Call): Promise<Matrix> {
    const held = this.held(left);
    if (held) return held;
    const { stage, without, metric } = left;
    const reply = await this.#transport.request("matrix", { stage, without, metric }, call);
    const values = floats(buffer(reply, 0));
    const { d, columns, dominated } = reply.fields;
    const matrix = { values, d, columns, dominated };
    this.#matrices.set(leftKey(left), matrix, values.byteLength);
    return matrix;
  }

  async distances(left: Left, row: number, call?: Call): Promise<Distances> {
    const { stage, without, metric } = left;
    const asked = { stage, without, metric, row };
    const reply = await this.#transport.request("distances", asked, call);
    return {
      key: leftKey(left),
      row,
      values: floats(buffer(reply, 0)),
      vector: floats(buffer(reply, 1)),
      columns: reply.fields.columns,
      dominated: reply.fields.dominated,
    };
  }

  async find(text: string, call?: Call): Promise<Found> {
    const { fields } = await this.#transport.request("find", { text }, call);
    return { index: fields.index, added: fields.added };
  }

  async load(call?: Call): Promise<void> {
    await this.#transport.request("load", {}, call);
  }

  async prepare(call?: Call): Promise<void> {
    await this.#transport.request("prepare", {}, call);
  }

  async partitions(call?: Call): Promise<Partitions> {
    const reply = await this.#transport.request("partitions", {}, call);
    const { partitions, wide, nested, nearly_as_strong, significant } = reply.fields;
    this.#partitions = {
      all: partitions.map((partition, i) => coded(partition, reply, i)),
      determined: floats(buffer(reply, partitions.length)),
      wide,
      nested,
      nearlyAsStrong: nearly_as_strong,
      significant,
    };
    return this.#partitions;
  }

  async atlas(
    kinds: readonly string[],
    first: number | null,
    metric: Metric,
    call?: Call,
  ): Promise<Atlas> {
    const reply = await this.#transport.request("atlas", { kinds, first, metric }, call);
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

  async lens(stage: string, row: number, k: number, metric: Metric, call?: Call): Promise<Lens> {
    const { fields } = await this.#transport.request("lens", { stage, row, k, metric }, call);
    if (!fields.available) {
      const { reason, waits } = fields;
      return { ...NO_LENS, stage, row, available: false, reason, waits };
    }
    const { kind, tokens, answer, same, of } = fields;
    const read = { available: true, reason: "", waits: false };
    return { stage, row, ...read, kind, tokens, answer, same, of };
  }

  async sharedTexts(
    { stage, without, metric }: Left,
    row: number,
    k: number,
    call?: Call,
  ): Promise<SharedTexts> {
    const asked = { stage, without, metric, row, k };
    const reply = await this.#transport.request("shared_texts", asked, call);
    const all = codes(buffer(reply, 0), "uint32") as Uint32Array;
    let end = 0;
    const patterns = reply.fields.patterns.map(({ text, where, share, base, p, matches }) => {
      const start = end;
      end += 3 * matches;
      return { text, where, share, base, p, matches: all.subarray(start, end) };
    });
    return { ...asked, patterns };
  }

  async clusters({ stage, without, metric }: Left, call?: Call): Promise<Clusters> {
    const left = { stage, without, metric };
    const reply = await this.#transport.request("clusters", left, call);
    const { names, dtype } = reply.fields;
    return { key: leftKey(left), ...coded({ name: CLUSTER, values: names, dtype }, reply, 0) };
  }

  heldLayout(left: Left, method: LayoutMethod): Layout | undefined {
    return this.#layouts.get(`${method}\n${leftKey(left)}`);
  }

  async layout(
    { stage, without, metric }: Left,
    method: LayoutMethod,
    call?: Call,
  ): Promise<Layout> {
    const asked = { stage, without, metric, method };
    const reply = await this.#transport.request("layout", asked, call);
    const layout = { method, points: floats(buffer(reply, 0)), shares: reply.fields.shares };
    this.#layouts.set(`${method}\n${leftKey(asked)}`, layout, layout.points.byteLength);
    return layout;
  }

  async parts({ stage, without, metric }: Left, call?: Call): Promise<StageParts> {
    const left = { stage, without, metric };
    const { fields } = await this.#transport.request("parts", left, call);
    const { parts, unexplained, spread, components } = fields;
    return { key: leftKey(left), parts, unexplained, spread, components };
  }

  async secondParts(
    kinds: readonly string[],
    metric: Metric,
    call?: Call,
  ): Promise<ReadonlyMap<string, SecondPart>> {
    const { fields } = await this.#transport.request("second_parts", { kinds, metric }, call);
    const { stages, concepts, colors, adds } = fields;
    return new Map(
      stages.map((stage, i) => [
        stage,
        { concept: concepts[i] ?? "", color: colors[i] ?? "", adds: adds[i] ?? 0 },
      ]),
    );
  }

  async conceptOf(
    { stage, without, metric }: Left,
    component: number | null,
    call?: Call,
  ): Promise<string> {
    const asked = { stage, without, metric, component };
    return (await this.#transport.request("concept_of", asked, call)).fields.name;
  }

  async conceptOfChosen(name: string, chosen: string, call?: Call): Promise<string> {
    const asked = { name, chosen };
    return (await this.#transport.request("concept_of_chosen", asked, call)).fields.name;
  }

  async swap(
    stage: string,
    receiver: number,
    donor: number,
    free: boolean,
    call?: Call,
  ): Promise<Swap> {
    const asked = { stage, receiver, donor, free };
    const { fields } = await this.#transport.request("swap", asked, call);
    if (!fields.possible) {
      return { ...asked, ...NO_SWAP, possible: false, reason: fields.reason };
    }
    const { answers, unusual } = fields;
    return { ...asked, possible: true, reason: "", answers, unusual };
  }

  async swapTest(
    stage: string,
    pairs: number | null,
    metric: Metric,
    call?: Call,
  ): Promise<SwapTest> {
    const { fields } = await this.#transport.request("swap_test", { stage, pairs, metric }, call);
    if (!fields.possible) return { stage, ...NO_TEST, possible: false, reason: fields.reason };
    return tested(stage, fields, "", fields.verdict === "enough");
  }

  async account(stage: string, metric: Metric, call?: Call): Promise<SwapTest> {
    const { fields } = await this.#transport.request("account", { stage, metric }, call);
    if (!fields.possible) return { stage, ...NO_TEST, possible: false, reason: fields.reason };
    return tested(stage, fields.test, fields.outcome, fields.closed);
  }

  async swapTests(kinds: readonly string[], metric: Metric, call?: Call): Promise<KnownTests> {
    const { fields } = await this.#transport.request("swap_tests", { kinds, metric }, call);
    const { known, closed, stages } = fields;
    return { known: new Map(Object.entries(known)), closed, stages };
  }

  async captions(row: number, call?: Call): Promise<readonly string[]> {
    const { fields } = await this.#transport.request("captions", { row }, call);
    return fields.captions;
  }

  async trace(row: number, answer: string, call?: Call): Promise<Trace> {
    const { fields } = await this.#transport.request("trace", { row, answer }, call);
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
    this.#partitions = null;
    this.#matrices.clear();
    this.#layouts.clear();
  }
}
