import { useEffect, useState } from "preact/hooks";

/** What of a scrolled element is in sight, in pixels of its contents. */
export interface Span {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const NOTHING: Span = { left: 0, top: 0, width: 0, height: 0 };

/** The part of a scrolling element that is in sight, so that only that much is made. */
export function useSpan(ref: { readonly current: HTMLElement | null }): Span {
  const [span, setSpan] = useState(NOTHING);
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    let frame = 0;
    const measure = () => {
      frame = 0;
      setSpan({
        left: element.scrollLeft,
        top: element.scrollTop,
        width: element.clientWidth,
        height: element.clientHeight,
      });
    };
    const later = () => {
      if (frame === 0) frame = requestAnimationFrame(measure);
    };
    const observer = new ResizeObserver(later);
    observer.observe(element);
    element.addEventListener("scroll", later, { passive: true });
    measure();
    return () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
      element.removeEventListener("scroll", later);
    };
  }, [ref]);
  return span;
}

/** First and one past the last of `count` equal items of `size` pixels in sight, a few spare ones with them. */
export function visible(
  offset: number,
  extent: number,
  size: number,
  count: number,
): [first: number, end: number] {
  const spare = 3;
  const first = Math.max(0, Math.floor(offset / size) - spare);
  return [first, Math.min(count, Math.ceil((offset + extent) / size) + spare)];
}
