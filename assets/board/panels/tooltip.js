/**
 * The board's tooltip. It shows the attribute `data-tip` of the element that is pointed at, focused or
 * tapped. Escape closes it, and the pointer may move onto it, as WCAG 1.4.13 asks.
 */

import { make, setText } from "../draw/dom.js";

const DISTANCE = 6; // CSS pixels from its element
const HIDE_DELAY_MS = 120; // in which the pointer may move onto it

/**
 * Add the tooltip.
 *
 * @param {HTMLElement} root  the board
 */
export function addTooltip(root) {
  const id = `regviz-tip-${Math.random().toString(36).slice(2)}`;
  const tip = make("div", { class: "tip", role: "tooltip", id, hidden: "" });
  root.append(tip);
  /** @type {HTMLElement|null} */
  let owner = null;
  let timer = 0;

  const hide = () => {
    owner?.removeAttribute("aria-describedby");
    owner = null;
    tip.hidden = true;
  };
  const show = (/** @type {HTMLElement} */ target) => {
    clearTimeout(timer);
    if (target === owner) return;
    hide();
    owner = target;
    setText(tip, target.dataset.tip ?? "");
    tip.hidden = false;
    target.setAttribute("aria-describedby", id);
    place(tip, target, root);
  };
  /** @type {(event: Event) => HTMLElement|null|undefined} */
  const find = (event) => /** @type {HTMLElement} */ (event.target).closest?.("[data-tip]");
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(hide, HIDE_DELAY_MS);
  };

  root.addEventListener("pointerover", (event) => {
    if (event.target === tip) clearTimeout(timer);
    else {
      const target = find(event);
      if (target) show(target);
      else later();
    }
  });
  root.addEventListener("pointerleave", later);
  root.addEventListener("focusin", (event) => {
    const target = find(event);
    if (target) show(target);
    else hide();
  });
  root.addEventListener("focusout", hide);
  root.addEventListener("click", (event) => {
    const target = find(event);
    if (target) show(target);
  });
  root.addEventListener("keydown", (event) => event.key === "Escape" && hide());
}

/**
 * Place the tooltip below its element, or above it at the window's end, within the board's sides.
 *
 * @param {HTMLElement} tip
 * @param {HTMLElement} target
 * @param {HTMLElement} root
 */
function place(tip, target, root) {
  const frame = root.getBoundingClientRect();
  const box = target.getBoundingClientRect();
  const { width, height } = tip.getBoundingClientRect();
  const left = Math.max(0, Math.min(frame.width - width, box.left - frame.left));
  const below = box.bottom + DISTANCE + height <= window.innerHeight;
  const top = below ? box.bottom + DISTANCE : box.top - DISTANCE - height;
  tip.style.left = `${left}px`;
  tip.style.top = `${top - frame.top}px`;
}
