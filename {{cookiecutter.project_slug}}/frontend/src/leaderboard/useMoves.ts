import { type RefObject, useLayoutEffect, useRef } from "react";

const MOVE = { duration: 400, easing: "ease-out" }; // ms

/** Have the rows of a list slide to their places when their order changes, and new ones fade in (FLIP).

    A row is known by its `data-id`. Who wants no motion gets none. */
export function useMoves(list: RefObject<HTMLElement | null>, order: unknown) {
  const places = useRef<Map<string, number>>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: rows move when their order changes
  useLayoutEffect(() => {
    const before = places.current;
    const now = new Map<string, number>();
    const still = document.hidden || matchMedia("(prefers-reduced-motion: reduce)").matches;
    for (const row of (list.current?.children ?? []) as HTMLCollectionOf<HTMLElement>) {
      const id = row.dataset.id ?? "";
      const place = row.offsetTop - (list.current?.offsetTop ?? 0);
      now.set(id, place);
      if (!before || still) continue;
      const way = (before.get(id) ?? place) - place;
      if (way) row.animate({ transform: [`translateY(${way}px)`, "none"] }, MOVE);
      else if (!before.has(id)) row.animate({ opacity: [0, 1] }, MOVE);
    }
    places.current = now;
  }, [order]);
}
