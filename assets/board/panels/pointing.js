/** Reports the place in a picture under the pointer, or moved by arrow keys. */

/** @import {OnPoint, Place} from "./types.d.ts" */

const STEP = 0.02; // share of the picture per press of an arrow key
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * Report the place under the pointer.
 *
 * @param {HTMLElement} picture
 * @param {OnPoint} onPoint
 */
export function listenToPointer(picture, onPoint) {
  const follow = (/** @type {PointerEvent} */ { clientX, clientY }) => {
    const { left, top, width, height } = picture.getBoundingClientRect();
    onPoint({ x: (clientX - left) / width, y: (clientY - top) / height });
  };
  picture.addEventListener("pointermove", follow);
  picture.addEventListener("pointerdown", follow);
  picture.addEventListener("pointerleave", () => onPoint(null));
}

/**
 * Report the place that arrow keys move, and let screen readers read `readout` meanwhile.
 *
 * @param {HTMLElement} picture
 * @param {OnPoint} onPoint
 * @param {HTMLElement} readout
 */
export function listenToKeys(picture, onPoint, readout) {
  /** @type {Place|null} */
  let place = null;
  picture.addEventListener("keydown", (event) => {
    if (!(event.key in ARROWS)) return;
    event.preventDefault();
    event.stopPropagation();
    const [dx, dy] = ARROWS[event.key];
    const { x, y } = place ?? { x: 0.5, y: 0.5 };
    const inside = (/** @type {number} */ share) => Math.max(0, Math.min(1, share));
    place = { x: inside(x + STEP * dx), y: inside(y + STEP * dy) };
    readout.setAttribute("aria-live", "polite");
    onPoint(place);
  });
  picture.addEventListener("blur", () => {
    readout.removeAttribute("aria-live");
    if (place) onPoint((place = null));
  });
}
