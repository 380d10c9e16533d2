/** Examples as points on a canvas: where they are, which is at a place, and which are in a lasso. */
export interface Cloud {
  /** Of each example, in device pixels of the whole canvas. */
  readonly xs: Float32Array;
  readonly ys: Float32Array;
  readonly width: number;
  readonly height: number;
  /** Across one point where nothing is enlarged, in device pixels. */
  readonly size: number;
  /** Examples in the order of the squares that they lie in, and where each square's begin. */
  readonly examples: Uint32Array;
  readonly starts: Uint32Array;
  /** Squares from left to right. */
  readonly across: number;
}

/** The part of a cloud on a screen: a pixel of it is `scale` pixels there, from (x, y) on. */
export interface CloudSight {
  readonly cloud: Cloud;
  readonly scale: number;
  readonly x: number;
  readonly y: number;
  /** Across one point there. */
  readonly size: number;
}

/** CSS pixels around the outermost points. */
const PADDING = 12;
/** Device pixels of the squares that points are looked up by. */
const SQUARE = 8;
/** The most of a point, in CSS pixels: where nothing is enlarged, and at all. */
const LARGEST = 8;
const LARGEST_ENLARGED = 14;
/** Of the room that an example would have if all were spread evenly. */
const FILLED = 0.8;
/** A point is found within so many CSS pixels. */
const REACH = 6;
/** What is aside of a direction counts so many times as much as what is along it. */
const ASIDE = 2;

/** The cloud of points, (n, 2), on so many device pixels; both axes have one scale. */
export function cloudOf(points: Float32Array, width: number, height: number, ratio: number): Cloud {
  const n = points.length / 2;
  const [least, most] = boundsOf(points);
  const room = 2 * PADDING * ratio;
  const scale = Math.min(
    Math.max(1, width - room) / (most[0] - least[0]),
    Math.max(1, height - room) / (most[1] - least[1]),
  );
  const by = Number.isFinite(scale) ? scale : 0;
  const xs = new Float32Array(n);
  const ys = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    xs[i] = width / 2 + by * ((points[2 * i] as number) - (least[0] + most[0]) / 2);
    ys[i] = height / 2 - by * ((points[2 * i + 1] as number) - (least[1] + most[1]) / 2);
  }
  const even = FILLED * Math.sqrt((width * height) / n);
  const size = Math.max(1, Math.min(LARGEST * ratio, Math.round(even)));
  return { xs, ys, width, height, size, ...squaresOf(xs, ys, width, height) };
}

/** Across one point, enlarged by a zoom so many times; `times` is more in a copy. */
export function pointSize({ size }: Cloud, scale: number, ratio: number, times: number): number {
  const most = Math.max(size, LARGEST_ENLARGED * ratio);
  return Math.max(1, Math.round(times * Math.min(most, size * Math.sqrt(scale))));
}

function boundsOf(points: Float32Array): [least: [number, number], most: [number, number]] {
  const least: [number, number] = [Infinity, Infinity];
  const most: [number, number] = [-Infinity, -Infinity];
  for (let i = 0; i < points.length; i++) {
    const value = points[i] as number;
    const axis = (i & 1) as 0 | 1;
    if (value < least[axis]) least[axis] = value;
    if (value > most[axis]) most[axis] = value;
  }
  return [least, most];
}

function squaresOf(
  xs: Float32Array,
  ys: Float32Array,
  width: number,
  height: number,
): Pick<Cloud, "examples" | "starts" | "across"> {
  const n = xs.length;
  const across = Math.ceil(width / SQUARE) + 1;
  const squares = across * (Math.ceil(height / SQUARE) + 1);
  const squareOf = (i: number) =>
    Math.floor((ys[i] as number) / SQUARE) * across + Math.floor((xs[i] as number) / SQUARE);
  const starts = new Uint32Array(squares + 1);
  for (let i = 0; i < n; i++) (starts[squareOf(i) + 1] as number)++;
  for (let square = 0; square < squares; square++) {
    (starts[square + 1] as number) += starts[square] as number;
  }
  const next = starts.slice();
  const examples = new Uint32Array(n);
  for (let i = 0; i < n; i++) examples[(next[squareOf(i)] as number)++] = i;
  return { examples, starts, across };
}

/** The example whose point is nearest to a pixel of the screen, if it is near enough. */
export function pointAt(sight: CloudSight, x: number, y: number, ratio: number): number | null {
  const { cloud, scale, size } = sight;
  const { xs, ys, starts, examples, across } = cloud;
  const [atX, atY] = [sight.x + x / scale, sight.y + y / scale];
  const reach = Math.max(size / 2 + 1, REACH * ratio) / scale;
  const lane = (at: number, lanes: number) => Math.max(0, Math.min(lanes - 1, at));
  const down = (starts.length - 1) / across;
  let best: number | null = null;
  let least = reach * reach;
  const [left, right] = [atX - reach, atX + reach].map((at) =>
    lane(Math.floor(at / SQUARE), across),
  );
  const [top, bottom] = [atY - reach, atY + reach].map((at) => lane(Math.floor(at / SQUARE), down));
  for (let row = top as number; row <= (bottom as number); row++) {
    const from = starts[row * across + (left as number)] as number;
    const end = starts[row * across + (right as number) + 1] as number;
    for (let place = from; place < end; place++) {
      const example = examples[place] as number;
      const apart = ((xs[example] as number) - atX) ** 2 + ((ys[example] as number) - atY) ** 2;
      if (apart < least || (apart === least && best === null)) {
        least = apart;
        best = example;
      }
    }
  }
  return best;
}

/**
 * The nearest point from one in a direction on the screen, for walking with arrow keys: among those
 * that lie rather along it than aside, or else among all that lie ahead; the same where none does.
 * @param least pixels of the whole canvas that a step takes at least
 */
export function stepInCloud(
  { xs, ys }: Pick<Cloud, "xs" | "ys">,
  from: number,
  dx: number,
  dy: number,
  least: number,
): number {
  const [x, y] = [xs[from] as number, ys[from] as number];
  let [best, bestCost] = [from, Infinity];
  let [ahead, aheadCost] = [from, Infinity];
  for (let i = 0; i < xs.length; i++) {
    const [offX, offY] = [(xs[i] as number) - x, (ys[i] as number) - y];
    const along = offX * dx + offY * dy;
    if (along < least || i === from) continue;
    const aside = Math.abs(offX * dy - offY * dx);
    const cost = along * along + (ASIDE * aside) ** 2;
    if (cost < aheadCost) [ahead, aheadCost] = [i, cost];
    if (aside <= along && cost < bestCost) [best, bestCost] = [i, cost];
  }
  return best === from ? ahead : best;
}

/**
 * The examples whose points lie in a polygon, in order (even-odd rule).
 * @param corners (corners, 2), in pixels of the whole canvas
 */
export function pointsWithin(
  { xs, ys }: Pick<Cloud, "xs" | "ys">,
  corners: readonly number[],
): Uint32Array {
  const count = corners.length / 2;
  const sides = (at: 0 | 1) => corners.filter((_, i) => (i & 1) === at);
  const [cornerX, cornerY] = [Float64Array.from(sides(0)), Float64Array.from(sides(1))];
  const [left, right] = [Math.min(...cornerX), Math.max(...cornerX)];
  const [top, bottom] = [Math.min(...cornerY), Math.max(...cornerY)];
  const found: number[] = [];
  for (let i = 0; i < xs.length; i++) {
    const [x, y] = [xs[i] as number, ys[i] as number];
    if (x < left || x > right || y < top || y > bottom) continue;
    let inside = false;
    for (let a = count - 1, b = 0; b < count; a = b++) {
      const [ay, by] = [cornerY[a] as number, cornerY[b] as number];
      if (ay > y === by > y) continue;
      const [ax, bx] = [cornerX[a] as number, cornerX[b] as number];
      if (x < ax + ((bx - ax) * (y - ay)) / (by - ay)) inside = !inside;
    }
    if (inside) found.push(i);
  }
  return Uint32Array.from(found);
}
