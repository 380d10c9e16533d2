import type { Dominated, Metric } from "../data/metric";
import { percentText } from "./text";

const TIPS: Readonly<Record<Metric, string>> = {
  l2: "The vectors as they are (L2).",
  cosine: "Each vector over its length: the squared distance is 2 − 2 cos.",
  standardized: "Each coordinate over its standard deviation: all count alike.",
  whitened:
    "Coordinates over their standard deviations, and their correlations taken out (Mahalanobis).",
};

/** A metric as it is written on screen. */
export function metricName(metric: Metric): string {
  return metric === "l2" ? "L2" : metric;
}

/** What a metric does, in a sentence. */
export function metricTip(metric: Metric): string {
  return TIPS[metric];
}

/** That a few coordinates carry most of the distance. */
export function dominatedText({ coordinates, of, share }: Dominated): string {
  return `${coordinates} of ${of} coordinates carry ${percentText(share)} of the distance`;
}
