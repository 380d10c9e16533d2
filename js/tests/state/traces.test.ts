import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Contents } from "../../src/data/contents";
import { type Trace, traceables } from "../../src/data/trace";
import type { Call, Source } from "../../src/source/source";
import { Traces } from "../../src/state/traces";

function traceOf(row: number, answer: string): Trace {
  const known = {
    possible: true,
    text: "6",
    reason: "",
    probability: 0.9,
    keptProbability: 0.8,
    unusual: null,
  };
  const node = { probability: 0.1, loss: 2 };
  return {
    ...{ row, answer, ...known, edges: [] },
    nodes: [
      { ...node, stage: `embed@${answer}`, kept: true },
      { ...node, stage: "embed@b", kept: false },
    ],
  };
}

/** Traces wait to be let go, in the order in which they were asked for. */
class SlowSource {
  readonly asked: string[] = [];
  readonly waiting: ((error?: Error) => void)[] = [];
  taken = 0;

  async captions(row: number): Promise<string[]> {
    return [`${row}+1`];
  }
  trace(row: number, answer: string, call?: Call): Promise<Trace> {
    this.asked.push(`${answer} of ${row}`);
    return new Promise((resolve, reject) => {
      let open = true;
      this.waiting.push((error) => {
        open = false;
        if (error) reject(error);
        else resolve(traceOf(row, answer));
      });
      call?.signal?.addEventListener("abort", () => {
        if (open) this.taken++;
        reject(new DOMException("", "AbortError"));
      });
    });
  }
}

let source: SlowSource;
let traces: Traces;

const idle = () => new Promise((resolve) => setTimeout(resolve));

/** Lets the trace that was asked for last come. */
async function arrive(error?: Error): Promise<void> {
  source.waiting.at(-1)?.(error);
  await idle();
}

const shown = () => {
  const trace = traces.shown.value?.trace;
  return trace && `${trace.answer} of ${trace.row}`;
};

beforeEach(async () => {
  source = new SlowSource();
  traces = new Traces(source as unknown as Source);
  await traces.follow(7, 0);
});

test("an example is captioned, and nothing is traced before a tab is pressed", () => {
  expect(traces.captions.value).toEqual(["7+1"]);
  expect(source.asked).toEqual([]);
});

test("a press traces, and a second one takes the trace away", async () => {
  void traces.press("S3", 12);
  await arrive();
  expect(shown()).toBe("S3 of 7");
  expect(traces.shown.value?.started).toBe(12);
  expect([...traces.nodes.value.keys()]).toEqual(["embed@S3"]);
  await traces.press("S3", 13);
  expect([traces.answer.value, shown()]).toEqual([null, undefined]);
  expect(source.asked).toEqual(["S3 of 7"]);
});

test("another example is traced anew, the old trace stays until then, and the latest one wins", async () => {
  void traces.press("S3", 0);
  await arrive();
  void traces.follow(8, 20);
  void traces.follow(9, 30);
  expect([shown(), traces.stale.value]).toEqual(["S3 of 7", true]);
  await arrive();
  expect(source.asked).toEqual(["S3 of 7", "S3 of 8", "S3 of 9"]);
  expect(source.taken).toBe(1);
  expect([shown(), traces.stale.value, traces.shown.value?.started]).toEqual([
    "S3 of 9",
    false,
    30,
  ]);
});

test("going back to what is shown asks for nothing", async () => {
  void traces.press("S3", 0);
  await arrive();
  void traces.press("S2", 0);
  void traces.press("S3", 0);
  await idle();
  expect(source.asked).toHaveLength(2);
  expect(source.taken).toBe(1);
  expect(traces.stale.value).toBe(false);
});

test("following the example that is followed asks for nothing", async () => {
  void traces.press("S3", 0);
  void traces.follow(7, 0);
  expect(source.asked).toEqual(["S3 of 7"]);
});

describe("cancelling", () => {
  test("takes the press back where nothing is shown", async () => {
    void traces.press("S3", 0);
    traces.cancel();
    await idle();
    expect([traces.answer.value, shown(), source.taken]).toEqual([null, undefined, 1]);
  });

  test("stays with the answer shown where that is of this example", async () => {
    void traces.press("S3", 0);
    await arrive();
    void traces.press("S2", 0);
    traces.cancel();
    expect([traces.answer.value, shown(), traces.stale.value]).toEqual(["S3", "S3 of 7", false]);
  });

  test("takes away a trace of another example", async () => {
    void traces.press("S3", 0);
    await arrive();
    void traces.follow(8, 0);
    traces.cancel();
    expect([traces.answer.value, shown()]).toEqual([null, undefined]);
  });
});

test("an error is told, takes the old trace away, and goes with the next press", async () => {
  void traces.press("S3", 0);
  await arrive();
  void traces.press("S2", 0);
  await arrive(new Error("the model is gone"));
  expect([traces.problem.value, shown()]).toEqual(["the model is gone", undefined]);
  void traces.press("S1", 0);
  expect(traces.problem.value).toBe("");
});

test("after a change the pressed answer is traced anew", async () => {
  void traces.press("S3", 0);
  await arrive();
  traces.forget();
  expect([shown(), traces.answer.value]).toEqual([undefined, "S3"]);
  void traces.follow(7, 0);
  await arrive();
  expect(source.asked).toEqual(["S3 of 7", "S3 of 7"]);
});

test("a source without captions does not keep the trace away", async () => {
  vi.spyOn(source, "captions").mockRejectedValue(new Error("no"));
  void traces.follow(8, 0);
  void traces.press("S3", 0);
  await arrive();
  expect([traces.captions.value, shown()]).toEqual([[], "S3 of 8"]);
});

test("answers are called by their titles; where there are none, what comes next is asked for", () => {
  const contents = { hasModel: true, answers: [] as Contents["answers"] } as Contents;
  const answers = [
    { name: "S3", position: "=", title: "1000s" },
    { name: "S2", position: "S3", title: "" },
  ];
  expect(traceables({ ...contents, answers }).map(({ title }) => title)).toEqual(["1000s", "S2"]);
  expect(traceables(contents)).toEqual([{ name: "next", title: "next" }]);
  expect(traceables({ ...contents, answers, hasModel: false })).toEqual([]);
});
