import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface Props {
  readonly name: string;
  readonly label: string;
  readonly icon: string;
  readonly children: ComponentChildren;
}

/** A button with a box of choices under it; Escape and a press elsewhere close it. */
export function Menu({ name, label, icon, children }: Props) {
  const open = useSignal(false);
  const place = useRef<HTMLSpanElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const shown = open.value;
  useEffect(() => {
    if (!shown) return;
    const press = (event: Event) => {
      if (!place.current?.contains(event.target as Node)) open.value = false;
    };
    document.addEventListener("pointerdown", press, true);
    return () => document.removeEventListener("pointerdown", press, true);
  }, [open, shown]);
  return (
    <span
      class="cw-menu"
      role="group"
      aria-label={label}
      ref={place}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !shown) return;
        open.value = false;
        button.current?.focus();
        event.preventDefault();
        event.stopPropagation();
      }}
    >
      <IconButton
        name={name}
        label={label}
        icon={icon}
        expanded={shown}
        buttonRef={button}
        onPress={() => (open.value = !shown)}
      />
      {shown ? <div class="cw-menu-box">{children}</div> : null}
    </span>
  );
}

interface ButtonProps {
  readonly name: string;
  readonly label: string;
  /** Path of lines in a square of 16. */
  readonly icon: string;
  readonly onPress: () => void;
  readonly disabled?: boolean;
  readonly expanded?: boolean;
  /** Whether it is on, of a button that stays pressed. */
  readonly pressed?: boolean;
  readonly buttonRef?: { current: HTMLButtonElement | null };
}

/** A square button with a picture on it. */
export function IconButton(props: ButtonProps) {
  const { name, label, icon, onPress, disabled, expanded, pressed, buttonRef } = props;
  return (
    <button
      type="button"
      class="cw-icon"
      data-role={name}
      aria-label={label}
      data-tip={`${label[0]?.toUpperCase()}${label.slice(1)}.`}
      aria-expanded={expanded}
      aria-pressed={pressed}
      disabled={disabled ?? false}
      ref={buttonRef ?? null}
      onClick={onPress}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={icon} />
      </svg>
    </button>
  );
}
