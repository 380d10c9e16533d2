/** A stage, and the concepts that are set aside there. */
export interface Left {
  readonly stage: string;
  readonly without: readonly string[];
}

/** What is left of a stage, as one text. */
export function leftKey({ stage, without }: Left): string {
  return [stage, ...without].join("\n");
}
