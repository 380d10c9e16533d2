/** What a page without a kernel says of what it cannot do. */
export const SAVED_PAGE =
  "Saved page: swaps, new tests and typed examples need the notebook that it was saved from.";
export const NEEDS_NOTEBOOK = "needs a kernel: open the exploration in a notebook";
export const NOT_SAVED = "not saved with this page";
export const NO_TEST_SAVED =
  "No swap test of this stage was saved with the page. Making one needs the model.";
export const NO_LENS_SAVED = "What the model would answer if it stopped here needs the model.";
