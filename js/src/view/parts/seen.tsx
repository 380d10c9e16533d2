import { type Ends, seen } from "../../compute/signs";

/** A text in which everything is seen. Its signs are muted, and screen readers get words for them. */
export function SeenText({ text, ...ends }: { text: string } & Ends) {
  return (
    <>
      {seen(text, ends).map((piece, i) =>
        piece.said === null ? (
          piece.text
        ) : (
          <span key={i} class="cw-seen" role="img" aria-label={piece.said}>
            {piece.text}
          </span>
        ),
      )}
    </>
  );
}
