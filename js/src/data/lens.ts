/** What the model would answer if it stopped at a stage, or what the stage adds to the answer. */
export interface Lens {
  readonly stage: string;
  /** The example it is about. */
  readonly row: number;
  readonly available: boolean;
  /** Why there is nothing to show, in words. */
  readonly reason: string;
  readonly kind: "probability" | "contribution";
  /** The strongest tokens, strongest first. */
  readonly tokens: readonly { readonly text: string; readonly value: number }[];
  /** The answer asked for there: its name, its right token, and whether that is the strongest. */
  readonly answer: {
    readonly name: string;
    readonly text: string;
    readonly right: boolean;
  } | null;
  /** At how many of the neighbors the strongest token is the same. */
  readonly same: number;
  readonly of: number;
}
