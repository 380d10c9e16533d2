/** What the model would answer if it stopped at a stage, or what the stage adds to the answer. */
export interface Lens {
  readonly stage: string;
  /** The example it is about. */
  readonly row: number;
  readonly available: boolean;
  /** Why there is nothing to show, in words. */
  readonly reason: string;
  /** Whether it is to be had once the model is loaded. */
  readonly waits: boolean;
  readonly kind: "probability" | "contribution";
  /** The strongest tokens, strongest first. */
  readonly tokens: readonly LensToken[];
  /** The answer asked for there: its name and its right token. */
  readonly answer: LensAnswer | null;
  /** At how many of the neighbors the strongest token is the same. */
  readonly same: number;
  readonly of: number;
}

export interface LensToken {
  readonly text: string;
  readonly value: number;
}

export interface LensAnswer {
  readonly name: string;
  readonly text: string;
}
