/**
 * Every request of the page and every reply to it, field by field: the other side of
 * `clusterwidget/wire/requests.py` and `messages.py`. Arrays travel beside the fields, as buffers.
 */
import type { Hue } from "../../data/atlas";
import type { Contents, StageRow } from "../../data/contents";
import type { LayoutMethod } from "../../data/layout";
import type { Left } from "../../data/left";
import type { LensAnswer, LensToken } from "../../data/lens";
import type { Dominated, Metric } from "../../data/metric";
import type { Component, StagePart } from "../../data/parts";
import type { SwappedAnswer, Unusual } from "../../data/swap";
import type { Condition, Sets, Tested, TestedAnswer, Verdict } from "../../data/swaptest";
import type { SharedPattern } from "../../data/texts";
import type { TraceEdge, TraceNode } from "../../data/trace";

type Nothing = Readonly<Record<never, never>>;
type Columns = readonly string[] | null;

interface Kinds {
  readonly kinds: readonly string[];
  readonly metric: Metric;
}

export interface Requests {
  readonly hello: Nothing;
  readonly captions: { readonly row: number };
  readonly labels: Nothing;
  readonly tokens: Nothing;
  readonly concepts: { readonly names: readonly string[] };
  readonly matrix: Left;
  readonly distances: Left & { readonly row: number };
  readonly find: { readonly text: string };
  readonly load: Nothing;
  readonly prepare: Nothing;
  readonly partitions: Nothing;
  readonly atlas: {
    readonly kinds: readonly string[];
    readonly first: number | null;
    readonly metric: Metric;
  };
  readonly lens: {
    readonly stage: string;
    readonly row: number;
    readonly k: number;
    readonly metric: Metric;
  };
  readonly shared_texts: Left & { readonly row: number; readonly k: number };
  readonly clusters: Left;
  readonly parts: Left;
  readonly second_parts: Kinds;
  readonly layout: Left & { readonly method: LayoutMethod };
  readonly concept_of: Left & { readonly component: number | null };
  readonly concept_of_chosen: { readonly name: string; readonly chosen: string };
  readonly swap: {
    readonly stage: string;
    readonly receiver: number;
    readonly donor: number;
    readonly free: boolean;
  };
  readonly swap_test: {
    readonly stage: string;
    readonly pairs: number | null;
    readonly metric: Metric;
  };
  readonly account: { readonly stage: string; readonly metric: Metric };
  readonly swap_tests: Kinds;
  readonly trace: { readonly row: number; readonly answer: string };
}

export type What = keyof Requests;

export interface Replies {
  readonly hello: {
    readonly n: number;
    readonly positions: readonly string[];
    readonly rows: readonly StageRow[];
    readonly concepts: readonly string[];
    readonly descriptions: Readonly<Record<string, string>>;
    readonly axes: Contents["axes"];
    readonly answers: Contents["answers"];
    readonly can_parse: boolean;
    readonly has_model: boolean;
    readonly default_kinds: readonly string[];
    readonly has_texts: boolean;
    readonly layouts: readonly LayoutMethod[];
    readonly recorded: {
      readonly stages: readonly string[];
      readonly clusters: readonly string[];
      readonly traces: readonly (readonly [number, string])[];
      readonly measured_on: number;
    } | null;
  };
  readonly captions: { readonly captions: readonly string[] };
  readonly labels: Nothing;
  readonly tokens: {
    readonly positions: number;
    readonly dtype: string;
    readonly vocabulary: Readonly<Record<string, string>>;
    readonly answers: number;
  };
  readonly concepts: { readonly concepts: readonly Codes[] };
  readonly matrix: {
    readonly d: number;
    readonly columns: Columns;
    readonly dominated: Dominated | null;
  };
  readonly distances: { readonly columns: Columns; readonly dominated: Dominated | null };
  readonly find: { readonly index: number; readonly added: boolean };
  readonly load: Nothing;
  readonly prepare: Nothing;
  readonly partitions: {
    readonly partitions: readonly Codes[];
    readonly wide: number;
    readonly nested: number;
    readonly nearly_as_strong: number;
    readonly significant: number;
  };
  readonly atlas: {
    readonly stages: readonly string[];
    readonly concepts: readonly string[];
    readonly hues: readonly Hue[];
    readonly hue_of: readonly number[];
    readonly best: readonly number[];
    readonly pairs: readonly (readonly [string, string])[];
    readonly axes: readonly number[];
    readonly notes: readonly string[];
  };
  readonly lens:
    | { readonly available: false; readonly reason: string; readonly waits: boolean }
    | {
        readonly available: true;
        readonly kind: "probability" | "contribution";
        readonly tokens: readonly LensToken[];
        readonly answer: LensAnswer | null;
        readonly same: number;
        readonly of: number;
      };
  readonly shared_texts: {
    readonly patterns: readonly (Omit<SharedPattern, "matches"> & { readonly matches: number })[];
  };
  readonly clusters: { readonly names: readonly string[]; readonly dtype: string };
  readonly parts: {
    readonly parts: readonly StagePart[];
    readonly unexplained: number | null;
    readonly spread: number;
    readonly components: readonly Component[];
  };
  readonly second_parts: {
    readonly stages: readonly string[];
    readonly concepts: readonly string[];
    readonly colors: readonly string[];
    readonly adds: readonly number[];
  };
  readonly layout: { readonly shares: readonly [number, number] | null };
  readonly concept_of: { readonly name: string };
  readonly concept_of_chosen: { readonly name: string };
  readonly swap:
    | Refused
    | {
        readonly possible: true;
        readonly answers: readonly SwappedAnswer[];
        readonly unusual: Unusual | null;
      };
  readonly swap_test: Refused | SwapTestReply;
  readonly account:
    | Refused
    | {
        readonly possible: true;
        readonly closed: boolean;
        readonly outcome: string;
        readonly test: SwapTestReply;
      };
  readonly swap_tests: {
    readonly known: Readonly<Record<string, Tested>>;
    readonly closed: readonly string[];
    readonly stages: readonly string[];
  };
  readonly trace:
    | Refused
    | {
        readonly possible: true;
        readonly text: string;
        readonly probability: number;
        readonly kept_probability: number;
        readonly unusual: Unusual | null;
        readonly nodes: readonly TraceNode[];
        readonly edges: readonly TraceEdge[];
      };
}

export interface SwapTestReply {
  readonly possible: true;
  readonly verdict: Verdict;
  readonly sets: Sets;
  readonly mean: boolean;
  readonly sentence: string;
  readonly answer: string;
  readonly pairs: number;
  readonly more: number | null;
  readonly conditions: readonly Condition[];
  readonly answers: readonly TestedAnswer[];
}

/** A concept whose codes are one of the reply's buffers. */
export interface Codes {
  readonly name: string;
  readonly values: readonly string[];
  readonly dtype: string;
}

interface Refused {
  readonly possible: false;
  readonly reason: string;
}

/** What the kernel sends: to all views, or to the one that asked. */
export type Message<W extends What = What> =
  | { readonly type: "changed" }
  | {
      readonly type: "alive";
      readonly view: string;
      readonly open: readonly number[];
      readonly unread: readonly number[];
    }
  | Part
  | (Addressed & { readonly type: "got"; readonly part: number })
  | (Addressed & {
      readonly type: "progress";
      readonly done: number;
      readonly total: number;
      readonly text: string;
    })
  | (Addressed & { readonly type: "error"; readonly message: string })
  | (Addressed & { readonly type: "cancelled" })
  | (Addressed & { readonly type: "reply" } & Replies[W]);

/** Bytes of a large answer, from `at` of all `size`; the first `text` of them are JSON. */
export interface Part extends Addressed {
  readonly type: "part";
  readonly part: number;
  readonly parts: number;
  readonly at: number;
  readonly size: number;
  readonly text: number;
  readonly at_a_time: number;
}

interface Addressed {
  readonly view: string;
  readonly id: number;
}
