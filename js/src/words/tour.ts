/** One stop of the tour: what it points at, and what it says. */
export interface Stop {
  /** Of what is pointed at. Where it is not on screen, the stop is left out. */
  readonly selector: string;
  readonly title: string;
  readonly text: string;
}

/** What there is to tell of. */
export interface Shown {
  readonly concepts: boolean;
  readonly model: boolean;
  readonly byDistance: boolean;
  readonly near: boolean;
}

/** The tour's stops, from the example to what the model makes of it. It tells of nothing that is not on screen. */
export function stopsOf({ concepts, model, byDistance, near }: Shown): Stop[] {
  const stops: Stop[] = [
    {
      selector: ".cw-tokens",
      title: "One example is selected",
      text: "These are its tokens, each over the name of its position. Everything in the figure is about this example; a token in a dashed box is an answer that the model is not given.",
    },
    {
      selector: ".cw-map",
      title: "Where in the model to look",
      text: `Each small cell is a stage: a place where every example has one vector. Columns are positions, rows lead from the input at the top to the answer at the bottom.${
        concepts
          ? " Its color is that of the concept that explains most there, the stronger the more."
          : ""
      } Click a cell to look there.`,
    },
    {
      selector: ".cw-map .cw-answers",
      title: "Where an answer comes from",
      text: "Press an answer to draw its trace over the stages: what it came through, and what was looked at on the way.",
    },
    {
      selector: ".cw-grid",
      title: "Every example, side by side",
      text: byDistance
        ? "One cell for each example. The nearer its vector is to the selected one's at this stage, the brighter: bright examples are the same to the model here. Hover a cell to preview, click it to select it."
        : "One cell for each example, in the colors that the legend below explains. Hover a cell to read what it is, click it to select it.",
    },
    {
      selector: ".cw-near",
      title: near ? "What the nearest have in common" : "More about this stage",
      text: near
        ? `The nearest examples in order.${
            concepts
              ? " The bars say which values of concepts they share: how many of the nearest have it, and at the tick how many of all others. That is what the stage holds."
              : ""
          }`
        : "What is told of this stage is chosen by the tabs.",
    },
    {
      selector: ".cw-swap",
      title: "What if it were another?",
      text: "Shift-click a cell: the model runs the selected example with that cell's vector put in at this stage, and what it answers then stands here.",
    },
    {
      selector: ".cw-actions",
      title: "Your turn",
      text: `${
        model ? "Type an example of your own" : "Search for an example"
      }, take a random one, or step back and forward. Words with a dotted line under them say what they mean. The question mark shows this tour again.`,
    },
  ];
  return stops;
}
