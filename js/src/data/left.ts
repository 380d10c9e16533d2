import type { Metric } from "./metric";

/** A stage, as a metric sees it, and the concepts that are set aside there. */
export interface Left {
  readonly stage: string;
  readonly without: readonly string[];
  readonly metric: Metric;
}

/** What is left of a stage, as one text. */
export function leftKey({ stage, without, metric }: Left): string {
  return [stage, metric, ...without].join("\n");
}

/** Whether a key is of a stage by a metric, whatever is set aside there. */
export function isKeyOf(key: string, stage: string, metric: Metric): boolean {
  const whole = leftKey({ stage, metric, without: [] });
  return key === whole || key.startsWith(`${whole}\n`);
}
