/** One answer of the model, before a swap and after it. */
export interface SwappedAnswer {
  readonly name: string;
  readonly title: string;
  /** The right token's text. */
  readonly right: string;
  readonly before: Guess;
  readonly after: Guess;
  readonly changed: boolean;
  /** Whether the answer is read at or after the stage's position. */
  readonly reached: boolean;
}

export interface Guess {
  readonly text: string;
  readonly probability: number;
}

/** What the model answers to one example with another's vector put in at a stage. */
export interface Swap {
  readonly stage: string;
  /** The example that is answered, and the one whose vector it is given. */
  readonly receiver: number;
  readonly donor: number;
  /** Whether the model's own earlier answers stand in its input, not the right ones. */
  readonly free: boolean;
  readonly possible: boolean;
  /** Why it is not, in words. */
  readonly reason: string;
  /** In order of position. */
  readonly answers: readonly SwappedAnswer[];
  /** Distance of later activations to the nearest reference activation, over its usual size. */
  readonly unusual: Unusual | null;
}

/** How many times farther than usual activations are from any reference, and whether that is far. */
export interface Unusual {
  readonly times: number;
  readonly far: boolean;
}

export function isUnusual(unusual: Unusual | null): boolean {
  return unusual?.far ?? false;
}
