/**
 * The board's tooltip. It shows the attribute `data-tip` of the element that is pointed at, focused or
 * tapped. Escape closes it, and the pointer may move onto it, as WCAG 1.4.13 asks.
 */

import { make, setText, zoomOf } from "../draw/dom.js";

const DISTANCE = 6; // CSS pixels from its element
const HIDE_DELAY_MS = 120; // in which the pointer may move onto it

export class Tooltip {
  /** @type {HTMLElement|null} */ owner = null;
  /** Of the timeout until it is hidden. */
  timer = 0;

  /**
   * Add the tooltip.
   *
   * @param {HTMLElement} root  the board
   */
  constructor(root) {
    this.root = root;
    this.tip = make("div", { class: "tip", role: "tooltip", id: `regviz-tip-${Math.random().toString(36).slice(2)}`, hidden: "" });
    root.append(this.tip);
    root.addEventListener("pointerover", (event) => {
      if (event.target === this.tip) clearTimeout(this.timer);
      else if (!this.showFor(event)) this.hideSoon();
    });
    root.addEventListener("pointerleave", () => this.hideSoon());
    root.addEventListener("focusin", (event) => this.showFor(event) || this.hide());
    root.addEventListener("focusout", () => this.hide());
    root.addEventListener("click", (event) => this.showFor(event));
    root.addEventListener("keydown", (event) => event.key === "Escape" && this.hide());
  }

  hide() {
    this.owner?.removeAttribute("aria-describedby");
    this.owner = null;
    this.tip.hidden = true;
  }

  /** Hide it, unless the pointer comes back in time. */
  hideSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.hide(), HIDE_DELAY_MS);
  }

  /**
   * Show the tooltip of the event's target; return whether it has one.
   *
   * @param {Event} event
   */
  showFor(event) {
    const target = /** @type {HTMLElement} */ (event.target).closest?.("[data-tip]");
    if (!(target instanceof HTMLElement)) return false;
    clearTimeout(this.timer);
    if (target === this.owner) return true;
    this.hide();
    this.owner = target;
    setText(this.tip, target.dataset.tip ?? "");
    this.tip.hidden = false;
    target.setAttribute("aria-describedby", this.tip.id);
    place(this.tip, target, this.root);
    return true;
  }
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
  const zoom = zoomOf(root);
  tip.style.left = `${left / zoom}px`;
  tip.style.top = `${(top - frame.top) / zoom + root.scrollTop}px`;
}
