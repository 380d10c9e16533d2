/** Each term on screen in one sentence, for those who meet it for the first time. */
export const TERMS = {
  stage:
    "A place in the model where every example has one vector: a layer, what is read there, a head, and a position.",
  trace:
    "The stages that an answer came through: those without which the model would be less sure of it.",
  edge: "From one stage to another, something is passed on: an edge is cut by passing on what is usual there instead.",
  distance:
    "How far apart the vectors of two examples are at this stage: 0 where the model holds them to be the same. The menu of colors has other distances than L2.",
  color:
    "What the cells show: the distance to the selected example, the value of a concept, or groups of examples that lie together.",
  arrange:
    "Where the cells lie: in blocks by two concepts that suit the stage, in blocks by two that you choose, in plain order, or as points of a map.",
  nearest: "The examples with the smallest distance: they are listed, and marked in the grid.",
  shared:
    "Values of concepts that more of the nearest examples have than chance would give, the most telling first.",
  "shared texts":
    "Tokens, short runs of them and words that more of the nearest texts have than chance would give: here, at the position; so many tokens before it; anywhere before it; or anywhere.",
  "neighbors | others":
    "How many of the nearest examples have it, and how many of all others: the bar and the tick show the same.",
  "chosen | others":
    "How many of the chosen examples have it, and how many of all others: the bar and the tick show the same.",
  map: "Each example is a point: those that the model holds to be the same lie close together.",
  component:
    "The direction in which the examples differ most, or second most; its share is how much of all squared distances lies along it.",
  lens: "What the model would answer if it stopped here: the vector is read as if it were the last one (logit lens).",
  contribution:
    "What this stage adds to the score of each possible answer, before any later part of the model has used it.",
  part: "A concept that explains some of the distances at this stage, together with those above it.",
  alone: "The share of the squared distances that this concept explains by itself.",
  adds: "The share that it explains beyond the parts above it.",
  "only it": "The share that no other part explains.",
  unexplained: "The share that none of the concepts explains.",
  spread: "The root mean squared distance of all examples to their mean.",
  left: "The main directions in which examples differ here, once what is named has been set aside.",
  swap: "The model runs the selected example with the vector of another one put in at this stage.",
  "swap test": "Many swaps at one stage: can examples stand in for each other, and which ones can?",
  kept: "How much of the answer is left: 0% as with any example's vector, 100% as with its own.",
  unusual:
    "How far the model's later activations are from any that it has for real examples: 1× is as usual, and from 1.5× on the answer says less.",
  follows:
    "How often the answer becomes what its rule gives with the other example's value; the dotted line is chance.",
  pairs: "In how many pairs of examples that was tried.",
  baseline:
    "A vector that tells nothing of any one example: what it keeps needs no example at all.",
  "earlier answers":
    "What stands in the input where the model reads the answers before: the right ones, or those that it gave itself.",
} as const;

export type TermName = keyof typeof TERMS;
