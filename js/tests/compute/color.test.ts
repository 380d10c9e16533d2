import { interpolateCividis, interpolateViridis } from "d3-scale-chromatic";
import { expect, test } from "vitest";
import {
  channels,
  distanceColor,
  distanceTable,
  fadedTable,
  NEARS,
  PALETTES,
  packed,
} from "../../src/compute/color";

const shares = Array.from({ length: 256 }, (_, i) => i / 255);
const luminance = (color: string) => {
  const [r, g, b] = channels(color);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

test("viridis and cividis are d3's", () => {
  for (const share of [...shares, 0.123456]) {
    expect(channels(distanceColor(1 - share))).toEqual(
      channels(interpolateViridis(1 - (1 - share))),
    );
    expect(channels(distanceColor(share, "viridis", "dark"))).toEqual(
      channels(interpolateViridis(share)),
    );
    expect(channels(distanceColor(share, "cividis", "dark"))).toEqual(
      channels(interpolateCividis(share)),
    );
  }
});

test.each(PALETTES)("%s goes evenly from bright to dark, or from dark to bright", (palette) => {
  for (const near of NEARS) {
    const steps = shares.map((share) => luminance(distanceColor(share, palette, near)));
    const sign = near === "bright" ? -1 : 1;
    for (let i = 8; i < steps.length; i++) {
      expect(sign * ((steps[i] as number) - (steps[i - 8] as number))).toBeGreaterThan(0);
    }
  }
});

test("what is faded keeps its color and loses its strength", () => {
  const table = distanceTable();
  expect(table[0]).toBe(packed(distanceColor(0)));
  const faded = fadedTable(table);
  expect((faded[9] as number) & 0xffffff).toBe((table[9] as number) & 0xffffff);
  expect((faded[9] as number) >>> 24).toBeLessThan(64);
});
